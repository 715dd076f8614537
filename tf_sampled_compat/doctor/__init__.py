"""`python -m tf_sampled_compat doctor`: the state of the installation, and who computes a call."""
