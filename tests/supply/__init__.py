"""Checks of what is published, the sdist and the wheel: `make wheel-twice`."""
