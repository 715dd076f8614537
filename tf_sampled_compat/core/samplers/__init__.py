"""Candidates and their expected counts: TensorFlow's kernels, stateless, learned and mixed.

May import `backends`, `arguments` and `tf`; it imports no loss.
"""
