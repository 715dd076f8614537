"""The Keras layers, losses and metrics, written once for every Keras, and importing none.

A head is the last layer of a classifier and the loss that trains it. Each class here lacks its
base class; `binding` gives it that of a Keras.
"""
