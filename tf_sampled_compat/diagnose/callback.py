"""The callback that makes a diagnosis at the start of `fit`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Optional

from tf_sampled_compat.diagnose import run
from tf_sampled_compat.diagnose.report import Diagnosis

if TYPE_CHECKING:

    class _Callback:
        """`keras.callbacks.Callback`."""

        model: Any

        def __init__(self) -> None: ...
        def set_model(self, model: Any) -> None: ...

else:
    _Callback = object


class Diagnose(_Callback):
    """Makes a diagnosis at the start of `fit`; a subclass adds the `Callback` of a Keras."""

    # The Keras that the callback belongs to.
    _keras: ClassVar[Any]
    _supports_tf_logs = True  # Keras 2 need not convert logs for it.

    def __init__(
        self,
        x: Any,
        y: Any = None,
        *,
        batch_size: int = 32,
        callbacks: Optional[Sequence[Any]] = None,
        seconds: float = 10.0,
        verbose: int = 1,
        log_dir: Optional[str] = None,
    ):
        super().__init__()
        self.report: Optional[Diagnosis] = None
        self._data = x, y
        self._others = callbacks
        self._found: Sequence[Any] = ()
        self._options = {"batch_size": batch_size, "seconds": seconds}
        self._output = {"verbose": verbose, "log_dir": log_dir}

    def set_model(self, model: Any) -> None:
        """Keras calls this from the list of all callbacks, in which this one looks for others."""
        super().set_model(model)
        self._found = _siblings(self, self._keras)

    def on_train_begin(self, logs: Any = None) -> None:
        """Makes the diagnosis, if the model has weights."""
        self.report = None
        if self.model.built:
            self._diagnose()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Makes the diagnosis of a model that got its weights in the first step."""
        if self.report is None:
            self._diagnose()

    def _implements_train_batch_hooks(self) -> bool:
        # Keras 2 asks this once, when the list knows the model. Without it a step pays nothing.
        return not getattr(self.model, "built", True)

    def _diagnose(self) -> None:
        callbacks = self._found if self._others is None else self._others
        self.report = run.diagnose(
            self._keras, self.model, *self._data, callbacks=callbacks, **self._options
        )
        self.report.show(**self._output)


def _siblings(callback: Any, keras: Any) -> list[Any]:
    """Returns the callbacks of the `CallbackList` that is setting up this one.

    Keras gives a callback no way to see the others, but the list is the `self` of a caller.
    """
    frame = sys._getframe(1)
    while frame is not None:
        caller: Any = frame.f_locals.get("self")
        if isinstance(caller, keras.callbacks.CallbackList):
            return [each for each in caller.callbacks if each is not callback]
        frame = frame.f_back
    return []
