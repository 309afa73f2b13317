"""torch.utils.hooks."""

from veem.autograd.engine import RemovableHandle
