"""Tests on real clusters of processes, each cluster in a network namespace of its own."""
