"""`python -m tf_sampled_compat bench`: what the C++ op saves in time and memory."""
