"""make bench: speed, memory, bytes on the wire and idleness of the device, against the budgets."""
