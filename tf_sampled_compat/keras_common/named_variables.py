"""Variables that Keras's files hold by name, in TensorFlow's checkpoints by the same names."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tf_sampled_compat.core.tf import private


class NamedVariables(tf.__internal__.tracking.AutoTrackable):
    """The variables of objects that may not exist yet, which then wait for them here.

    A checkpoint of the owner holds them and restores them, whether their objects exist or not. So a
    state goes from a Keras file to a checkpoint, and back, without the object that it belongs to.
    """

    def all(self) -> dict[str, tf.Variable]:
        """Returns the variables by name, also those of a restored checkpoint."""
        for name, value in private.deferred_values(self).items():
            self.put(name, value)
        return {name: each for name, each in vars(self).items() if isinstance(each, tf.Variable)}

    def put(self, name: str, value: Any) -> None:
        """Holds a value, in the variable of this name or a new one.

        What a checkpoint has for the name comes into a new variable. See `clear`.
        """
        variable = vars(self).get(name)
        if variable is not None:
            variable.assign(value)
            return
        with tf.init_scope():
            anything = tf.TensorShape(None)  # Another checkpoint may hold another shape.
            variable = tf.Variable(value, trainable=False, name=name, shape=anything)
            self.hold(name, variable)

    def hold(self, name: str, variable: tf.Variable) -> None:
        """Holds a variable of an object, in the place of one that waited for it."""
        setattr(self, name, variable)

    def take(self, names: Any) -> dict[str, np.ndarray]:
        """Returns the values of some variables, and holds these no more."""
        taken = {name: variable.numpy() for name, variable in self.all().items() if name in names}
        for name in taken:
            delattr(self, name)
        return taken

    def clear(self) -> None:
        """Forgets everything, what restored checkpoints hold too."""
        private.forget_deferred(self, private.deferred_names(self))
        for name in self.all():
            delattr(self, name)

    def _trackable_children(self, *args: Any, **kwargs: Any) -> Any:
        # TensorFlow asks for what a checkpoint shall hold.
        self.all()
        return super()._trackable_children(*args, **kwargs)
