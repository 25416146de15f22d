"""LwM2M 1.0 and 1.1, the device side."""

from lwm2m.runner import Client

__all__ = ("Client",)
