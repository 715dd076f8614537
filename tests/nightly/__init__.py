"""What takes longer than CI may: `make nightly`."""
