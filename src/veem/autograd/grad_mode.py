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

    def _again(self):
        """Another of this kind: a decorated function may run in several threads."""
        return _GradMode(self.enabled)

    def __call__(self, function):
        if inspect.isgeneratorfunction(function):
            return self._wrap_generator(function)

        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            with self._again():
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
                    with self._again():
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


class inference_mode(_GradMode):
    """no_grad whose tensors autograd will never see: no history, no version counter.

    Outside, they can be read but neither changed in place nor saved for a gradient.
    """

    def __new__(cls, mode=True):
        self = super().__new__(cls)
        if not callable(mode):
            return self
        self.__init__()
        return self(mode)

    def __init__(self, mode=True):
        super().__init__(not mode)

    def _again(self):
        return inference_mode(not self.enabled)

    def __enter__(self):
        self._before.append((_core.is_grad_enabled(), _core.is_inference_mode()))
        _core.set_grad_enabled(self.enabled)
        _core.set_inference_mode(not self.enabled)
        return self

    def __exit__(self, *_):
        grad, inference = self._before.pop()
        _core.set_grad_enabled(grad)
        _core.set_inference_mode(inference)


def is_inference_mode_enabled():
    """Is this thread in inference mode?"""
    return _core.is_inference_mode()


def is_grad_enabled():
    """Are ops recorded in this thread?"""
    return _core.is_grad_enabled()
