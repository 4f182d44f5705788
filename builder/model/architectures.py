"""The architectures that the packaged llama.cpp can talk with.

From `LLM_ARCH_NAMES` in llama.cpp's src/llama-arch.cpp, build b11669 (Debian's llama.cpp 0.7.0), without those that
answer no messages: encoders, embeddings, vision and speech parts, and drafters that only help another model. A test
compares the list with the library in the tools tree, so that a newer package shows what it adds.
"""

_TALKING = """
    afmoe apertus arcee arctic arwkv7 baichuan bailingmoe bailingmoe2 bailingmoe3 bitnet bloom chameleon chatglm clef
    codeshell cogvlm cohere2 cohere2moe command-r dbrx deci deepseek deepseek2 deepseek2-ocr deepseek32 deepseek4 dots1
    dots3note dream ernie4_5 ernie4_5-moe exaone exaone-moe exaone4 falcon falcon-h1 gemma gemma2 gemma3 gemma3n gemma4
    glm-dsa glm4 glm4moe glm5-next gpt-oss gpt2 gptj gptneox granite granite_swa granitehybrid granitemoe graniteswitch
    grok grovemoe hrm_text hunyuan-dense hunyuan-moe hunyuan_vl hy_v3 hy_v4 internlm2 jais jais2 jamba k2-horizon
    kimi-k3 kimi-linear laguna lfm2 lfm2moe llada llada-moe llama llama4 maincoder maion-coder mamba mamba2 maple
    mellum mimo2 minicpm minicpm3 minimax-01 minimax-m2 minimax-m3 mistral3 mistral4 mpt muse-glimmer nanbeige nemotron
    nemotron_h nemotron_h_moe olmo olmo2 olmoe openelm orion paddleocr pangu-embedded phi2 phi3 phimoe plamo plamo2
    plamo3 plm qwen qwen2 qwen2moe qwen2vl qwen3 qwen35 qwen35moe qwen3moe qwen3next qwen3vl qwen3vlmoe qwen4exp
    refact rnd1 rwkv6 rwkv6qwen2 rwkv7 seed_oss smallthinker smollm3 spark2_5 stablelm starcoder starcoder2 step35
    talkie xverse
"""

# What the library knows as well, and nobody can talk with.
_OTHERS = """
    bert clip dflash eagle3 eurobert gemma-embedding gemma-embedding2 gemma4-assistant jina-bert-v2 jina-bert-v3
    llama-embed modern-bert neo-bert nomic-bert nomic-bert-moe pockettts qwen3tts t5 t5encoder vllm-decision2
    wavtokenizer-dec
"""

ARCHITECTURES = frozenset(_TALKING.split())
NOT_FOR_TALKING = frozenset(_OTHERS.split())
