"""The Keras layers, losses and metrics, written once for every Keras, and importing none.

A head is the last layer of a classifier and the loss that trains it. The classes of `keras` and
`tf_keras` add a Keras base class to those here.
"""
