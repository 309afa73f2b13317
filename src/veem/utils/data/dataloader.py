"""The loader: batches of a dataset, in the order of a sampler."""

import itertools
import os
import types
import warnings

from veem import _core
from veem.utils.data.collate import default_collate, default_convert
from veem.utils.data.dataset import IterableDataset
from veem.utils.data.fetch import fetcher
from veem.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    SequentialSampler,
    random_seed,
)

FIXED = "batch_size batch_sampler sampler drop_last dataset persistent_workers".split()


class DataLoader:
    """Iterates over batches of a dataset: `for x, y in DataLoader(data, 64, True)`.

    batch_size None gives single samples. shuffle: a new random order in each pass, from
    generator (by default from a seed that the default generator gives), as in PyTorch.
    sampler or batch_sampler: an order of one's own. collate_fn makes a batch of a list
    of samples.

    num_workers: so many processes make the batches, prefetch_factor (2) of them ahead
    of time each, and pass tensors through shared memory. multiprocessing_context: how
    they are started ("fork", "spawn", a context). worker_init_fn(id) runs first in
    each, whose random streams start at base_seed + id; get_worker_info() tells there
    who is asking. timeout: seconds to wait for a batch. persistent_workers stay from
    pass to pass. in_order False gives batches as they are ready.

    pin_memory has nothing to pin here: it warns, and changes no result.
    """

    _iterator = None

    def __class_getitem__(cls, kind):
        return types.GenericAlias(cls, kind)

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
            batch_size, drop_last = None, False
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
        self.prefetch_factor = prefetch_factor or (2 if num_workers else None)
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self.collate_fn = collate_fn or (
            default_convert if batch_sampler is None else default_collate
        )
        self.persistent_workers = persistent_workers
        self._told_length = None  # what len() said of an iterable dataset
        _warn_of_many(num_workers)
        self._complete = True

    def __setattr__(self, name, value):
        if name in FIXED and hasattr(self, "_complete"):
            raise ValueError(
                f"{name} attribute should not be set after {type(self).__name__} is "
                "initialized; make a new one"
            )
        super().__setattr__(name, value)

    @property
    def multiprocessing_context(self):
        """How worker processes are started, None for Python's default."""
        return self._context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context):
        self._context = context if context is None else _context(context, self)

    @property
    def _index_sampler(self):
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    @property
    def _recipe(self):
        batched = self.batch_sampler is not None
        return self.dataset, self.collate_fn, batched, self.drop_last

    def __iter__(self):
        if not (self.persistent_workers and self.num_workers):
            return _Pass(self)
        if self._iterator is None or not self._iterator._workers.running:
            self._iterator = _Pass(self)
        else:
            self._iterator._begin(self)
        return self._iterator

    def __len__(self):
        if not isinstance(self.dataset, IterableDataset):
            return len(self._index_sampler)
        self._told_length = len(self.dataset)
        if self.batch_size is None:
            return self._told_length
        return len(BatchSampler(self.dataset, self.batch_size, self.drop_last))


class _Pass:
    """One pass over the data; with persistent workers, one after the other."""

    _workers = None

    def __init__(self, loader):
        _warn_of_pinning(loader)
        self._sampler = loader._index_sampler
        indices = iter(self._sampler)
        # PyTorch seeds its workers with this number, even where there are none. Drawn
        # for nothing, it keeps all that is drawn later the same.
        base_seed = random_seed(loader.generator)
        if loader.num_workers == 0 and loader.timeout:
            raise AssertionError(
                f"timeout={loader.timeout} is for batches of worker processes; use "
                "timeout=0, or num_workers > 0"
            )
        if loader.num_workers:
            # Not before it is needed: it takes a while to import.
            from veem.utils.data.workers import WorkerPass

            self._workers = WorkerPass(loader, base_seed)
            self._next = self._workers.next
        else:
            fetch = fetcher(*loader._recipe)
            self._next = lambda: fetch(next(indices))
        self._begin(loader, indices)

    def _begin(self, loader, indices=None):
        self._taken = 0
        self._told = loader._told_length
        self._of_stream = repr(loader.dataset) if self._told is not None else None
        if self._workers is not None:
            self._workers.begin(iter(self._sampler) if indices is None else indices)

    def __iter__(self):
        return self

    def __next__(self):
        batch = self._next()
        self._taken += 1
        if self._told is not None and self._taken > self._told:
            self._warn_of_length()
        return batch

    def __len__(self):
        return len(self._sampler)

    def _warn_of_length(self):
        copies = (
            " Each worker has a copy of the dataset: its __iter__ should give the "
            "share of the worker that get_worker_info() names."
        )
        warnings.warn(
            f"Length of IterableDataset {self._of_stream} was reported to be "
            f"{self._told} (when accessing len(dataloader)), but {self._taken} samples "
            f"have been fetched.{copies if self._workers else ''}",
            stacklevel=3,
        )


class _Forever:
    """The indices of an iterable dataset, which has none."""

    def __iter__(self):
        return itertools.repeat(None)


def _check_workers(num_workers, timeout, prefetch_factor, persistent_workers):
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable "
            "multiprocessing."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if prefetch_factor is not None and num_workers == 0:
        raise ValueError("prefetch_factor option needs num_workers > 0")
    if prefetch_factor is not None and prefetch_factor < 1:
        raise ValueError(
            f"prefetch_factor option should be positive, got {prefetch_factor}"
        )
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _context(context, loader):
    """A context of multiprocessing by its name, or as it is."""
    import multiprocessing

    if loader.num_workers == 0:
        raise ValueError(
            "multiprocessing_context can only be used with multi-process loading "
            "(num_workers > 0), but got num_workers=0"
        )
    if isinstance(context, str):
        methods = multiprocessing.get_all_start_methods()
        if context not in methods:
            raise ValueError(
                "multiprocessing_context option should specify a valid start method in "
                f"{methods!r}, but got multiprocessing_context={context!r}"
            )
        return multiprocessing.get_context(context)
    if not isinstance(context, multiprocessing.context.BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a "
            f"string specifying the start method, but got {context!r}"
        )
    return context


def _refuse_order(shuffle, sampler, batch_sampler):
    options = {"sampler": sampler, "batch_sampler": batch_sampler}
    options["shuffle"] = shuffle or None
    for name, value in options.items():
        if value is not None:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, "
                f"but got {name}={value}"
            )


def _warn_of_many(num_workers):
    available = getattr(os, "sched_getaffinity", None)
    processors = len(available(0)) if available else os.cpu_count() or 1
    if num_workers > processors:
        warnings.warn(
            f"This DataLoader will create {num_workers} worker processes, more than "
            f"the {processors} processors that this process may use, where they wait "
            "for each other; lower num_workers",
            stacklevel=3,
        )


def _warn_of_pinning(loader):
    if not loader.pin_memory:
        return
    if loader.pin_memory_device:
        warnings.warn(
            "pin_memory_device is deprecated, and "
            f"pin_memory_device={loader.pin_memory_device!r} ignored",
            stacklevel=4,
        )
    accelerators = [name for name in _core.devices() if name != "cpu"]
    why = (
        f"not supported on {accelerators[0]}"
        if accelerators
        else "no accelerator is found"
    )
    warnings.warn(
        f"'pin_memory' argument is set as true but {why}: memory is not pinned",
        stacklevel=4,
    )
