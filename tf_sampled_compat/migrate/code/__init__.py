"""Reads code: encodings, the parsed tree, what a name stands for, notebooks' JSON; and byte edits.

Knows nothing of losses or of TensorFlow. May import `finding`.
"""
