"""Switching recording on and off, per thread."""

import functools
import inspect

from veem import _core


class _GradMode:
    """A context manager and a decorator that sets whether ops are recorded."""

    def __init__(self, enabled):
        self.enabled = enabled
        self._before = []

    def __enter__(self):
        self._before.append(_core.is_grad_enabled())
        _core.set_grad_enabled(self.enabled)
        return self

    def __exit__(self, *_):
        _core.set_grad_enabled(self._before.pop())

    def __call__(self, function):
        if inspect.isgeneratorfunction(function):
            return self._wrap_generator(function)

        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            with _GradMode(self.enabled):
                return function(*args, **kwargs)

        return wrapped

    def _wrap_generator(self, function):
        # The mode holds while the generator runs, not while its user does.
        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            generator = function(*args, **kwargs)
            reply = None
            while True:
                try:
                    with _GradMode(self.enabled):
                        item = generator.send(reply)
                except StopIteration as stop:
                    return stop.value
                reply = yield item

        return wrapped


class no_grad(_GradMode):
    """Ops inside are not recorded: ``with no_grad():`` or ``@no_grad()``."""

    def __new__(cls, function=None):
        mode = super().__new__(cls)
        if function is None:
            return mode
        mode.__init__()
        return mode(function)

    def __init__(self, function=None):
        super().__init__(False)


class enable_grad(_GradMode):
    """Ops inside are recorded again, within a no_grad."""

    def __init__(self):
        super().__init__(True)


class set_grad_enabled(_GradMode):
    """Sets the mode at once; as a context manager, until its end."""

    def __init__(self, mode):
        super().__init__(bool(mode))
        self._outer = _core.is_grad_enabled()
        _core.set_grad_enabled(self.enabled)

    def __enter__(self):
        self._before.append(self._outer)
        _core.set_grad_enabled(self.enabled)
        return self

    def __call__(self, function):
        _core.set_grad_enabled(self._outer)
        return super().__call__(function)


def inference_mode(mode=True):
    """no_grad under PyTorch's other name; tensors made inside can be used anywhere."""
    return _GradMode(_core.is_grad_enabled() and not mode)


def is_grad_enabled():
    """Are ops recorded in this thread?"""
    return _core.is_grad_enabled()
