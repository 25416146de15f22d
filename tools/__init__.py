"""The lab around the client: the virtual board, and what builds, measures and serves."""
