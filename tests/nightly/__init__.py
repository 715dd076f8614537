"""Tests that take too long for CI: `make nightly`."""
