"""What `weights` and `biases` may be, where a class has its row, and the lookup of rows.

May import `arguments` and `tf`.
"""
