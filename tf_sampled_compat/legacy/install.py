"""`install()`, `uninstall()` and `with installed():`, process-wide and reversible.

Installations form a stack of layers, of which the last one counts. `install()` makes a layer if
there is none, and else changes the last one. Each running `with installed():` has a layer.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple, Optional

from tf_sampled_compat.core.arguments import checks, errors
from tf_sampled_compat.core.backends import library
from tf_sampled_compat.core.losses import slices
from tf_sampled_compat.legacy.contrib import Finder
from tf_sampled_compat.legacy.places import ERAS, aliases, places

# `globals()`: a reload of this module must keep the record of its changes to TensorFlow.
_ABSENT = globals().get("_ABSENT") or object()


class _Layer:
    def __init__(self, era: Optional[str], gradient_slices: Optional[slices.Slices]):
        self.era = era
        self.gradient_slices: Optional[slices.Slices] = gradient_slices


class _Change(NamedTuple):
    """A place's value before the change, and ours."""

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

    The table is for `sampled_softmax_loss` and `nce_loss`. The same modules also get
    `sampled_sparse_softmax_loss` and `rank_sampled_softmax_loss`; where the others have TensorFlow
    1's signatures, these have those of `tsc.contrib.nn`. `tf.contrib.nn` and
    `tf.contrib.opt.LazyAdamOptimizer` come back, as attributes and for `import`.

    Modules are changed in place. So code that ran `from tensorflow import nn` before sees the
    change; code that ran `from tensorflow.nn import nce_loss` before does not. Everything else,
    TensorFlow's private modules included, stays as it is.

    A second call with the same era only repairs modules that were reloaded; a call with another era
    switches to it. The change holds for all threads; inside `with tsc.installed():`, until that
    block ends. If there is a C++ op it is loaded, so that meta graphs with it can be imported.

    >>> tsc.install()
    >>> tf.nn.nce_loss is tsc.nn.nce_loss
    True
    >>> from tensorflow.contrib.nn import rank_sampled_softmax_loss
    >>> tsc.uninstall()
    >>> hasattr(tf, "contrib")
    False

    Args:
      era: None keeps the signature that each of TensorFlow's names has. "1.x" gives `tf.nn`
        TensorFlow 1's signatures; "0.x" those of TensorFlow 0.12, with `inputs` before `labels`.
      gradient_slices: The entries of a table's gradient, in all calls of the package outside a
        `with tsc.gradient_slices(…):` block: one for each "occurrence" of a class, or one for each
        "unique" class. None leaves each function its own default.

    Raises:
      ValueError: If the era or the slices are unknown.
    """
    _check(era, gradient_slices)
    library.why_not()  # Loads the C++ op.
    with _state.lock:
        if _state.layers:
            _state.layers[-1].era = era
            _state.layers[-1].gradient_slices = gradient_slices
        else:
            _state.layers.append(_Layer(era, gradient_slices))
        _apply()


def uninstall() -> None:
    """Restores what `install()` and `with installed():` replaced.

    A function that other code has put in place of ours since then stays. If nothing is installed,
    it does nothing.

    >>> tsc.uninstall()
    """
    with _state.lock:
        _state.layers.clear()
        _apply()


@contextlib.contextmanager
def installed(
    era: Optional[str] = None, *, gradient_slices: Optional[slices.Slices] = None
) -> Iterator[None]:
    """Installs for the length of a block, then restores what was installed before.

    Blocks nest. The change holds for all threads. Where blocks of several threads overlap, the one
    entered last counts, and TensorFlow's own functions come back when the last one ends.

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
    library.why_not()  # Loads the C++ op.
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
    if not (era is None or isinstance(era, str)) or era not in ERAS:
        errors.fail("era", "None, '0.x' or '1.x'", checks.described(era))
    slices.checked("gradient_slices", gradient_slices)


def _apply() -> None:
    """Brings TensorFlow into the state that the last layer describes.

    Each place changes in one step, because other threads are running.
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
        if change is not None and found is change.ours:
            before = change.before
        elif holder is sys.modules and found is not _ABSENT:
            continue  # A module that someone has imported: it is among the places.
        else:
            before = found
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
