"""The fuzzer: bytes by chance and by coverage for every parser and for the whole client, on both Pythons.

What is fuzzed, and what must hold, is in host_tests/shared: targets.py names it, siege.py is the client under fire.
"""
