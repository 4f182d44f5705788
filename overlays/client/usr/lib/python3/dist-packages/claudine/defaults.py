"""Values that hold unless somebody gives others. No imports: the command line needs them before anything else."""

SOCKET = "/run/claudine-runtime/llama.sock"
TIMEOUT_S = 600.0
MAX_TOKENS = 1024
# Low, because a small model loses its thread soon.
TEMPERATURE = 0.2
