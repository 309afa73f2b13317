"""Anomaly mode: where in the program a value was made or changed.

What goes wrong in backward was caused in forward. While this mode is on, every node of
the tape and every change in place keeps the program's stack, for the message.
"""

import os
import threading
import warnings

from veem import _core

_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep
_running = threading.local()  # .node: whose rules this thread is running


class Place:
    """A stack, down to the line of the program that called veem."""

    def __init__(self):
        import traceback  # 10 ms that most programs never need

        frames = list(traceback.extract_stack())
        own = [f for f in frames if not f.filename.startswith(_PACKAGE)]
        self.frames = frames[: frames.index(own[-1]) + 1] if own else frames
        self.cause = getattr(_running, "node", None)  # where a rule made this

    def __str__(self):
        last = self.frames[-1]
        return f"{last.filename}:{last.lineno}: {last.line}"

    def stack(self):
        """The stack as a traceback prints it."""
        import traceback

        return "".join(traceback.format_list(self.frames))


class set_detect_anomaly:
    """Turns anomaly mode on or off: as a function, or as a context manager.

    check_nan: a gradient rule that gives NaN is an error.
    """

    def __init__(self, mode, check_nan=True):
        self._before = (is_anomaly_enabled(), is_anomaly_check_nan_enabled())
        _set(bool(mode), check_nan)

    def __enter__(self):
        return None

    def __exit__(self, *_):
        _set(*self._before)


class detect_anomaly(set_detect_anomaly):
    """Anomaly mode as a context manager.

    Backward raises where a gradient becomes NaN, and names the forward call that it is
    the gradient of. The error of a value that was changed in place names both lines.
    """

    def __init__(self, check_nan=True):
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime "
            "and should only be enabled for debugging.",
            stacklevel=2,
        )
        super().__init__(True, check_nan)


_enabled, _check_nan = False, True


def _set(mode, check_nan):
    global _enabled, _check_nan
    _enabled, _check_nan = mode, check_nan
    _core.look_for_anomalies(Place if mode else None)


def is_anomaly_enabled():
    """Is anomaly mode on?"""
    return _enabled


def is_anomaly_check_nan_enabled():
    """Is a NaN from a gradient rule an error in anomaly mode?"""
    return _check_nan


def run(node, g, create_graph):
    """node.backward, watched."""
    outer, _running.node = getattr(_running, "node", None), node
    try:
        grads = node.backward(g, create_graph)
    except Exception:
        _warn(node)
        raise
    finally:
        _running.node = outer
    for i, gi in enumerate(grads):
        if _check_nan and isinstance(gi, _core.Tensor) and _has_nan(gi):
            _warn(node)
            made_at = f"; its forward call: {node.made_at}" if node.made_at else ""
            raise RuntimeError(
                f"Function '{node.name()}' returned nan values in its {i}th output"
                f"{made_at}"
            )
    return grads


def _has_nan(g):
    mode = _core.is_grad_enabled()
    _core.set_grad_enabled(False)
    try:
        return bool(g.isnan().any())
    finally:
        _core.set_grad_enabled(mode)


def _warn(node):
    text = f"Error detected in {node.name()}."
    while node is not None and node.made_at is not None:
        text += f" Traceback of forward call of {node.name()}:\n{node.made_at.stack()}"
        node = node.made_at.cause
    warnings.warn(text, stacklevel=4)
