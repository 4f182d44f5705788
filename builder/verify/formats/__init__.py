"""Readers of what may come from an attacker.

Each is pure Python, takes bytes or a `Disk`, returns frozen values, and raises MalformedError and nothing else. None
needs more memory or time than a small multiple of what a real image needs, whatever the input says about its size.
"""
