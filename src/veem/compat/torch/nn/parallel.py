"""torch.nn.parallel."""

import contextlib

from veem.compat.torch import distributed
from veem.nn import DataParallel


class DistributedDataParallel(DataParallel):
    """A module whose gradients are averaged over a group of processes: here over one.

    Without init_process_group ValueError. Other arguments say how to average.
    """

    def __init__(self, module, device_ids=None, output_device=None, dim=0, **_):
        distributed.get_world_size()
        super().__init__(module, device_ids, output_device, dim)
        self.require_backward_grad_sync = True

    @contextlib.contextmanager
    def no_sync(self):
        """Nothing is averaged inside; nor is it outside."""
        yield
