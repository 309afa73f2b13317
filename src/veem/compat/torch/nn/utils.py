"""torch.nn.utils."""

import functools
import warnings

from veem.nn.utils import clip_grad_norm_


@functools.wraps(clip_grad_norm_)
def clip_grad_norm(*args, **kwargs):
    """clip_grad_norm_ under its old name."""
    warnings.warn(
        "torch.nn.utils.clip_grad_norm is now deprecated in favor of "
        "torch.nn.utils.clip_grad_norm_.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(*args, **kwargs)
