"""From what a sampler gives to a batch: indexing, or reading on, and collating."""

import itertools

from veem.utils.data.collate import default_collate
from veem.utils.data.dataset import IterableDataset, samples, whole_batches


def fetcher(dataset, collate, batched, drop_last):
    """The function that makes a batch (or a sample) of what the sampler gives.

    It raises StopIteration at the end of an iterable dataset.
    """
    if isinstance(dataset, IterableDataset):
        return _stream_fetcher(iter(dataset), collate, batched, drop_last)
    if not batched:
        return lambda index: collate(dataset[index])
    if collate is default_collate and (fetch := whole_batches(dataset)):
        return fetch
    return lambda indices: collate(samples(dataset, indices))


def _stream_fetcher(stream, collate, batched, drop_last):
    def fetch(indices):
        batch = list(itertools.islice(stream, len(indices)))
        if not batch or (drop_last and len(batch) < len(indices)):
            raise StopIteration
        return collate(batch)

    return fetch if batched else lambda _: collate(next(stream))
