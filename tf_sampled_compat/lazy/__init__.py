"""Optimizer steps that cost what the rows cost that occur, whatever the size of their table.

Nothing here imports a Keras: `keras.optimizers` and `tf_keras.optimizers` bind it to one.
"""
