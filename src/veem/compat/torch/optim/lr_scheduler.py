"""torch.optim.lr_scheduler."""

from veem.optim.lr_scheduler import LRScheduler as _LRScheduler
