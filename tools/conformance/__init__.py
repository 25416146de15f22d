"""The conformance table: which case is proved by which tests, and how they ended. See __main__.py."""
