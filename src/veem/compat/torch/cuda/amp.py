"""torch.cuda.amp: torch.amp for a device that is not there."""

import functools
import warnings

from veem.compat.torch import amp


def _old(new):
    @functools.wraps(new, updated=())
    def old(*args, **kwargs):
        warnings.warn(
            f"`torch.cuda.amp.{new.__name__}(args...)` is deprecated. Please use "
            f"`torch.amp.{new.__name__}('cuda', args...)` instead.",
            FutureWarning,
            stacklevel=2,
        )
        return new("cuda", *args, **kwargs)

    return old


def _autocast(device, enabled=True, dtype=None, cache_enabled=True):
    return amp.autocast(device, dtype, enabled, cache_enabled)


_autocast.__name__ = "autocast"
autocast, GradScaler = _old(_autocast), _old(amp.GradScaler)
