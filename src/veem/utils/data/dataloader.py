"""The loader: batches of a dataset, in the order of a sampler."""

import itertools

from veem.utils.data.collate import default_collate, default_convert
from veem.utils.data.dataset import IterableDataset, whole_batches
from veem.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    SequentialSampler,
    random_seed,
)


class DataLoader:
    """Iterates over batches of a dataset: `for x, y in DataLoader(data, 64, True)`.

    batch_size None gives single samples. shuffle: a new random order in each pass, from
    generator (by default from a seed that the default generator gives), as in PyTorch.
    sampler or batch_sampler: an order of one's own. collate_fn makes a batch of a list
    of samples. Everything runs in this process: num_workers > 0 raises
    NotImplementedError. pin_memory has nothing to pin here and changes no result.
    """

    def __init__(
        self,
        dataset,
        batch_size=1,
        shuffle=None,
        sampler=None,
        batch_sampler=None,
        num_workers=0,
        collate_fn=None,
        pin_memory=False,
        drop_last=False,
        timeout=0,
        worker_init_fn=None,
        multiprocessing_context=None,
        generator=None,
        *,
        prefetch_factor=None,
        persistent_workers=False,
        pin_memory_device="",
        in_order=True,
    ):
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        iterable = isinstance(dataset, IterableDataset)
        if iterable:
            _refuse_order(shuffle, sampler, batch_sampler)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, "
                    "shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError(
                "batch_size=None option disables auto-batching and is mutually "
                "exclusive with drop_last"
            )
        if sampler is None:
            if iterable:
                sampler = _Forever()
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            else:
                sampler = SequentialSampler(dataset)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)

        self.dataset = dataset
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        self.num_workers = num_workers
        self.pin_memory = pin_memory
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        batched = batch_sampler is not None
        self.collate_fn = collate_fn or (
            default_collate if batched else default_convert
        )

    @property
    def _index_sampler(self):
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __iter__(self):
        return _Pass(self)

    def __len__(self):
        if not isinstance(self.dataset, IterableDataset):
            return len(self._index_sampler)
        if self.batch_size is None:
            return len(self.dataset)  # type: ignore[arg-type]
        return len(BatchSampler(self.dataset, self.batch_size, self.drop_last))


class _Pass:
    """One pass over the data."""

    def __init__(self, loader):
        self._indices = iter(loader._index_sampler)
        self._left = len(loader) if hasattr(loader.dataset, "__len__") else None
        # PyTorch seeds its workers with this number, even where there are none. Drawn
        # for nothing, it keeps all that is drawn later the same.
        random_seed(loader.generator)
        self._fetch = _fetcher(loader)

    def __iter__(self):
        return self

    def __next__(self):
        return self._fetch(next(self._indices))

    def __len__(self):
        if self._left is None:
            raise TypeError("this loader's dataset has no length")
        return self._left


class _Forever:
    """The indices of an iterable dataset, which has none."""

    def __iter__(self):
        return itertools.repeat(None)


def _fetcher(loader):
    """The function that makes a batch (or a sample) of what the sampler gives."""
    dataset, collate = loader.dataset, loader.collate_fn
    batched = loader.batch_sampler is not None
    if isinstance(dataset, IterableDataset):
        return _stream_fetcher(iter(dataset), collate, batched, loader.drop_last)
    if not batched:
        return lambda index: collate(dataset[index])
    if collate is default_collate and (fetch := whole_batches(dataset)):
        return fetch
    if getattr(dataset, "__getitems__", None):
        return lambda indices: collate(dataset.__getitems__(indices))
    return lambda indices: collate([dataset[i] for i in indices])


def _stream_fetcher(samples, collate, batched, drop_last):
    def fetch(indices):
        batch = list(itertools.islice(samples, len(indices)))
        if not batch or (drop_last and len(batch) < len(indices)):
            raise StopIteration
        return collate(batch)

    return fetch if batched else lambda _: collate(next(samples))


def _check_workers(num_workers, timeout, prefetch_factor, persistent_workers):
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable "
            "multiprocessing."
        )
    if num_workers > 0:
        raise NotImplementedError(
            f"DataLoader: num_workers={num_workers} is not implemented; batches are "
            "made in this process, use num_workers=0"
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if prefetch_factor is not None:
        raise ValueError("prefetch_factor option needs num_workers > 0")
    if persistent_workers:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _refuse_order(shuffle, sampler, batch_sampler):
    options = {"sampler": sampler, "batch_sampler": batch_sampler}
    options["shuffle"] = shuffle or None
    for name, value in options.items():
        if value is not None:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, "
                f"but got {name}={value}"
            )
