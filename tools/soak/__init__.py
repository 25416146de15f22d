"""The soak: hours of virtual and minutes of real time in which everything happens at random, and which end with heap,
file descriptors and registrations where they began."""
