"""The forms of `weights` and `biases`, and the lookup of rows: which piece and row a class has.

May import `arguments` and `tf`.
"""
