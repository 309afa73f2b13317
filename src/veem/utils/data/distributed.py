"""The share of one of several processes that train together."""

import itertools

from veem import random
from veem.utils.data.sampler import Sampler


class DistributedSampler(Sampler):
    """Every num_replicas-th index, from the rank-th on: each process has another share.

    shuffle: in an order that belongs to seed + epoch, the same in all processes; call
    set_epoch(n) before each pass for another one. All shares are equally long: indices
    from the start are repeated, or with drop_last the last ones left out.
    ValueError for a rank that is not in [0, num_replicas).
    """

    def __init__(
        self,
        dataset,
        num_replicas=None,
        rank=None,
        shuffle=True,
        seed=0,
        drop_last=False,
    ):
        if num_replicas is None or rank is None:
            raise ValueError(
                "DistributedSampler: there is no process group to ask; pass "
                "num_replicas, the number of processes, and rank, that of this one"
            )
        if not 0 <= rank < num_replicas:
            raise ValueError(
                f"Invalid rank {rank}, rank should be in the interval "
                f"[0, {num_replicas - 1}]"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.shuffle = shuffle
        self.seed = seed
        self.drop_last = drop_last
        self.epoch = 0
        whole, rest = divmod(len(dataset), num_replicas)
        self.num_samples = whole + (rest > 0 and not drop_last)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self):
        order = range(len(self.dataset))
        if self.shuffle:
            g = random.Generator().manual_seed(self.seed + self.epoch)
            order = random.randperm(len(self.dataset), generator=g).tolist()
        repeated = itertools.cycle(order)
        return itertools.islice(repeated, self.rank, self.total_size, self.num_replicas)

    def __len__(self):
        return self.num_samples

    def set_epoch(self, epoch):
        """Chooses the order of the next pass."""
        self.epoch = epoch
