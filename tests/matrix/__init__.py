"""Tests one wheel under every TensorFlow that it supports: `make matrix`."""
