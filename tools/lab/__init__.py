"""The lab's servers: registrations and management of LwM2M devices for lectures and tests, see LabServer, and their
bootstrap, see LabBootstrapServer."""

from .bootstrap import LabBootstrapServer, Session
from .bootstrap_config import Access, Account, Configuration, Configurations
from .credentials import Credentials
from .errors import DeviceError, LabError, PayloadError, StartError, Timeout, UnknownEndpoint, UsageError
from .events import Event, Subscription
from .listening import Security
from .observation import Observation
from .records import Record
from .registration import Registration
from .results import Result
from .server import LabServer

__all__ = [
    "Access",
    "Account",
    "Configuration",
    "Configurations",
    "Credentials",
    "DeviceError",
    "Event",
    "LabError",
    "LabBootstrapServer",
    "LabServer",
    "Observation",
    "PayloadError",
    "Record",
    "Registration",
    "Result",
    "Security",
    "Session",
    "StartError",
    "Subscription",
    "Timeout",
    "UnknownEndpoint",
    "UsageError",
]
