"""Datagrams in, datagrams out: the only sockets."""
