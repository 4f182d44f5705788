"""The encrypted disk of the machine: its unlocking, its keys, its rescue; and the settings that are kept on it.

Runs as root in the image, from units: ``python3 -I -m claudine_state COMMAND``.
"""
