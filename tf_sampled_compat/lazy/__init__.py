"""Optimizer steps that touch only the rows of a table that occur in the batch.

Nothing here imports a Keras: `keras.optimizers` and `tf_keras.optimizers` add its optimizers.
"""
