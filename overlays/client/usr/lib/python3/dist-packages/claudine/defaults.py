"""Values that hold unless somebody gives others. No imports: the command line needs them before anything else."""

SOCKET = "/run/claudine-runtime/llama.sock"
STATE_SOCKET = "/run/claudine-state/control.sock"
STORE = "/var/lib/claudine"
TIMEOUT_S = 600.0
MAX_TOKENS = 1024
# Low, because a small model loses its thread soon.
TEMPERATURE = 0.2
# SmolLM2 repeats itself until the limit in 3 of 12 open answers without this, in 1 with it, and knows no less.
REPEAT_PENALTY = 1.1
