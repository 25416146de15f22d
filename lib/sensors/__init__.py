"""Drivers: each a class with methods that return a number or raise OSError, so that objects need not know hardware."""

from compat import Clock

now_ms = Clock().ms
