"""`install()`, `uninstall()` and `with installed():`, process-wide and reversible.

What is installed is the last of a list of layers: at most one that `install()` made while there was
none, and one for each `with installed():` that is being run.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple, Optional

from tf_sampled_compat.core.arguments import errors
from tf_sampled_compat.core.backends import library
from tf_sampled_compat.core.losses import slices
from tf_sampled_compat.legacy.contrib import Finder
from tf_sampled_compat.legacy.places import ERAS, aliases, places

# A reload of this module must not forget what it has changed, nor what TensorFlow's own were.
_ABSENT = globals().get("_ABSENT") or object()


class _Layer:
    def __init__(self, era: Optional[str], gradient_slices: Optional[slices.Slices]):
        self.era = era
        self.gradient_slices: Optional[slices.Slices] = gradient_slices


class _Change(NamedTuple):
    """What was found at a place, and what was put there."""

    holder: Any  # A module, or sys.modules.
    name: str
    before: Any
    ours: Any


class _State:
    def __init__(self):
        self.lock = threading.RLock()
        self.layers: list[_Layer] = []
        self.changes: list[_Change] = []
        self.finder = Finder()


_state: _State = globals().get("_state") or _State()


def install(era: Optional[str] = None, *, gradient_slices: Optional[slices.Slices] = None) -> None:
    """Puts the package's losses where legacy code looks for TensorFlow's, until `uninstall()`.

    | name | gets | with `era="1.x"` | with `era="0.x"` |
    |---|---|---|---|
    | `tf.nn` | `tsc.nn` | `tsc.compat.v1.nn` | `tsc.compat.v0.nn` |
    | `tf.compat.v1.nn` | `tsc.compat.v1.nn` | the same | `tsc.compat.v0.nn` |
    | `tf.compat.v2.nn` | `tsc.nn` | the same | the same |

    for `sampled_softmax_loss` and `nce_loss`. Beside them come `sampled_sparse_softmax_loss` and
    `rank_sampled_softmax_loss`, with the signatures of `tsc.contrib.nn` where TensorFlow 1's are
    asked for, and `tf.contrib.nn` and `tf.contrib.opt.LazyAdamOptimizer`, as attributes and for
    `import`. Modules are changed in place,
    so `from tensorflow import nn` of long ago sees them; `from tensorflow.nn import nce_loss` of
    long ago does not. Everything else stays as it is, TensorFlow's private modules included.

    Again with the same era it does nothing, except where something has been reloaded; with another
    it changes to that. It holds for all threads. Inside `with tsc.installed():` it holds to that
    block's end.

    The C++ op is loaded, so that meta graphs that hold it can be imported, if there is one.

    >>> tsc.install()
    >>> tf.nn.nce_loss is tsc.nn.nce_loss
    True
    >>> from tensorflow.contrib.nn import rank_sampled_softmax_loss
    >>> tsc.uninstall()
    >>> hasattr(tf, "contrib")
    False

    Args:
      era: None if each of TensorFlow's names is to keep its own signature; "1.x" if `tf.nn` is to
        have TensorFlow 1's; "0.x" for TensorFlow 0.12's, which has `inputs` before `labels`.
      gradient_slices: "occurrence" or "unique": what a table's gradient has an entry for, in all
        calls of the package outside `tsc.gradient_slices`. None leaves each function its own.

    Raises:
      ValueError: For any other era, or other slices.
    """
    _check(era, gradient_slices)
    library.why_not()
    with _state.lock:
        if _state.layers:
            _state.layers[-1].era = era
            _state.layers[-1].gradient_slices = gradient_slices
        else:
            _state.layers.append(_Layer(era, gradient_slices))
        _apply()


def uninstall() -> None:
    """Puts back what `install()` and `with installed():` found, at once; else does nothing.

    What someone else has put in the place of ours since then stays.

    >>> tsc.uninstall()
    """
    with _state.lock:
        _state.layers.clear()
        _apply()


@contextlib.contextmanager
def installed(
    era: Optional[str] = None, *, gradient_slices: Optional[slices.Slices] = None
) -> Iterator[None]:
    """Installs for the length of a block, then goes back to what was installed before.

    Blocks nest. The change is process-wide: of blocks that overlap in several threads the one
    entered last decides, and TensorFlow's own come back when the last one ends.

    >>> with tsc.installed("0.x"):
    ...     tf.nn.nce_loss is tsc.compat.v0.nn.nce_loss
    True
    >>> tf.nn.nce_loss is tsc.compat.v0.nn.nce_loss
    False

    Args:
      era: See `install`.
      gradient_slices: See `install`.

    Raises:
      ValueError: See `install`.
    """
    _check(era, gradient_slices)
    library.why_not()
    layer = _Layer(era, gradient_slices)
    with _state.lock:
        _state.layers.append(layer)
        _apply()
    try:
        yield
    finally:
        with _state.lock:
            # uninstall() may have been called inside.
            if layer in _state.layers:
                _state.layers.remove(layer)
            _apply()


def _check(era: Optional[str], gradient_slices: Optional[slices.Slices]) -> None:
    if era not in ERAS:
        errors.fail("era", "None, '0.x' or '1.x'", repr(era))
    slices.checked("gradient_slices", gradient_slices)


def _apply() -> None:
    """Brings TensorFlow into the state that the last layer asks for.

    Each place goes from what it holds to what it is to hold in one step: other threads are running.
    """
    slices.set_for_process(_state.layers[-1].gradient_slices if _state.layers else None)
    wanted: dict[tuple[int, str], tuple[Any, Any]] = {}
    if _state.layers:
        contrib = _state.finder.module()
        for module, name, value in places(_state.layers[-1].era, contrib):
            wanted[id(module), name] = module, value
        for name, module in aliases(contrib).items():
            wanted[id(sys.modules), name] = sys.modules, module
        _state.finder.place()
    else:
        _state.finder.remove()
    made, _state.changes = _state.changes, []
    mine = {(id(change.holder), change.name): change for change in made}
    for key, change in mine.items():
        if key not in wanted and _get(change.holder, change.name) is change.ours:
            _put(change.holder, change.name, change.before)
    for key, (holder, value) in wanted.items():
        name, found, change = key[1], _get(holder, key[1]), mine.get(key)
        still_ours = change is not None and found is change.ours
        if holder is sys.modules and not still_ours and found is not _ABSENT:
            continue  # Imported by somebody, and so among the places.
        before = change.before if change is not None and still_ours else found
        _state.changes.append(_Change(holder, name, before, value))
        if found is not value:
            _put(holder, name, value)


def _get(holder: Any, name: str) -> Any:
    return holder.get(name, _ABSENT) if holder is sys.modules else getattr(holder, name, _ABSENT)


def _put(holder: Any, name: str, value: Any) -> None:
    if holder is sys.modules:
        holder.pop(name) if value is _ABSENT else holder.update({name: value})
    elif value is _ABSENT:
        delattr(holder, name)
    else:
        setattr(holder, name, value)
