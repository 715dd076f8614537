"""One wheel under every TensorFlow it is promised for: `make matrix`."""
