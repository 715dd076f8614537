"""Optimizer steps that update only the rows of a table that occur in the batch.

Nothing here imports Keras. `keras.optimizers` and `tf_keras.optimizers` add its optimizers.
"""
