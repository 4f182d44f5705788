"""The encrypted disk of the machine: its unlocking, its keys, its rescue; the settings that are kept on it; and
evidence of what the machine promises.

Runs as root in the image, from units: ``python3 -I -m claudine_state COMMAND``.
"""
