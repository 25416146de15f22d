"""The lab server: registrations and management of LwM2M devices for lectures and tests. See LabServer."""

from .errors import DeviceError, LabError, PayloadError, StartError, Timeout, UnknownEndpoint, UsageError
from .events import Event, Subscription
from .observation import Observation
from .registration import Registration
from .results import Result
from .server import LabServer

__all__ = [
    "DeviceError",
    "Event",
    "LabError",
    "LabServer",
    "Observation",
    "PayloadError",
    "Registration",
    "Result",
    "StartError",
    "Subscription",
    "Timeout",
    "UnknownEndpoint",
    "UsageError",
]
