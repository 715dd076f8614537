"""The two ways to compute a gathered batch, the C++ op and public TensorFlow ops, and the choice.

May import `arguments` and `tf`; it never sees a table.
"""
