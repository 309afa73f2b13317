"""torch.amp: mixed precision.

autocast for a GPU that is not there disables itself, as in PyTorch. Where it would
change results, it is refused: veem computes in the dtypes that tensors have.
GradScaler is PyTorch's: it scales losses, and steps only where gradients are finite.
"""

import functools
import math
import warnings
from collections import defaultdict

import veem
from veem import _core


class autocast:
    """Context manager and decorator; NotImplementedError where it would do something.

    Off are enabled=False, devices that are not there, and dtypes that PyTorch does not
    have either.
    """

    def __init__(self, device_type, dtype=None, enabled=True, cache_enabled=None):
        if not isinstance(device_type, str):
            raise ValueError(
                f"Expected `device_type` of type `str`, got: `{type(device_type)}`"
            )
        self.device, self.dtype = veem.device(device_type).type, dtype
        self._enabled = bool(enabled) and self._would_work()

    def _would_work(self):
        if self.device == "cuda":
            warnings.warn(
                "CUDA is not available or torch_xla is imported. Disabling autocast.",
                stacklevel=4,
            )
            return False
        if self.dtype not in (None, veem.bfloat16, veem.float16):
            warnings.warn(
                f"In {self.device} autocast, but the target dtype is not supported. "
                "Disabling autocast.",
                stacklevel=4,
            )
            return False
        return True

    def __enter__(self):
        if self._enabled:
            raise NotImplementedError(
                f"torch.autocast({self.device!r}): veem has no automatic casts, and "
                "without them results would differ; use enabled=False, or "
                "model.to(torch.bfloat16)"
            )
        return self

    def __exit__(self, *_):
        return False

    def __call__(self, function):
        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            with self:
                return function(*args, **kwargs)

        return wrapped


def custom_fwd(fwd=None, *, device_type=None, cast_inputs=None):
    """A decorator of a Function's forward that changes nothing, as autocast is off."""
    return (lambda forward: forward) if fwd is None else fwd


custom_bwd = custom_fwd


def is_autocast_available(device_type):
    """False: see autocast."""
    return False


class GradScaler:
    """Multiplies losses by a scale, so that gradients of 16 bits do not vanish.

    step() undoes it and leaves out steps whose gradients overflowed; update() halves
    the scale then, and doubles it after growth_interval steps without.
    """

    def __init__(
        self,
        device="cuda",
        init_scale=2.0**16,
        growth_factor=2.0,
        backoff_factor=0.5,
        growth_interval=2000,
        enabled=True,
    ):
        name = "metal" if device == "mps" else device
        if enabled and name not in _core.devices():
            warnings.warn(
                f"torch.{device}.amp.GradScaler is enabled, but {device.upper()} is "
                "not available.  Disabling.",
                stacklevel=2,
            )
            enabled = False
        if enabled and not (growth_factor > 1.0 and backoff_factor < 1.0):
            raise AssertionError("growth_factor must be > 1, backoff_factor < 1")
        self._enabled = enabled
        self._scale, self._growth_tracker = float(init_scale), 0
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval = growth_interval
        self._found = defaultdict(dict)  # id of an optimizer -> what its gradients had

    def is_enabled(self):
        """Does it scale?"""
        return self._enabled

    def scale(self, outputs):
        """A tensor, or lists of them, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, veem.Tensor):
            return outputs * self._scale
        return type(outputs)(self.scale(x) for x in outputs)

    def unscale_(self, optimizer):
        """Divides the optimizer's gradients by the scale, for clipping for example."""
        if not self._enabled:
            return
        if "finite" in self._found[id(optimizer)]:
            raise RuntimeError(
                "unscale_() has already been called on this optimizer since the last "
                "update()."
            )
        grads = [
            p.grad
            for group in optimizer.param_groups
            for p in group["params"]
            if p.grad is not None
        ]
        for g in grads:
            g.mul_(1.0 / self._scale)
        finite = all(bool(g.isfinite().all()) for g in grads)
        self._found[id(optimizer)]["finite"] = finite

    def step(self, optimizer, *args, **kwargs):
        """optimizer.step() with unscaled gradients, or nothing if they overflowed."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError(
                "Closure use is not currently supported if GradScaler is enabled."
            )
        state = self._found[id(optimizer)]
        if state.get("stepped"):
            raise RuntimeError(
                "step() has already been called since the last update()."
            )
        if "finite" not in state:
            self.unscale_(optimizer)
        state["stepped"] = True
        return optimizer.step(*args, **kwargs) if state["finite"] else None

    def update(self, new_scale=None):
        """Changes the scale after all optimizers of an iteration have stepped."""
        if not self._enabled:
            return
        if not self._found and new_scale is None:
            raise AssertionError("No inf checks were recorded prior to update.")
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not all(state.get("finite", True) for state in self._found.values()):
            self._scale *= self._backoff_factor
            self._growth_tracker = 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                grown = self._scale * self._growth_factor
                self._scale = grown if math.isfinite(grown) else self._scale
                self._growth_tracker = 0
        self._found.clear()

    def get_scale(self):
        """The scale; 1.0 when disabled."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self):
        return self._growth_factor

    def get_backoff_factor(self):
        return self._backoff_factor

    def get_growth_interval(self):
        return self._growth_interval

    def state_dict(self):
        """The scale and how long it has stood; empty when disabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict):
        """Goes on from what state_dict() gave, here or in PyTorch."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a "
                "disabled instance of GradScaler."
            )
        for name, value in state_dict.items():
            setattr(self, name if name.startswith("_") else f"_{name}", value)
