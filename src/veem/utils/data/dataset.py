"""Datasets: something with samples, by index or one after the other."""

import bisect
import itertools
import math
import types
import warnings

import numpy as np

from veem import creation, random


class Dataset:
    """Samples by index: subclasses give __getitem__ and, as a rule, __len__.

    A subclass may add __getitems__(indices), which returns a list of samples, where
    that is faster than one call for each. Dataset[X] in annotations and base classes
    says what a sample is.
    """

    def __class_getitem__(cls, kind):
        return types.GenericAlias(cls, kind)

    def __getitem__(self, index):
        raise NotImplementedError(f"{type(self).__name__} must implement __getitem__")

    def __add__(self, other):
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """Samples one after the other: subclasses give __iter__."""

    def __iter__(self):
        raise NotImplementedError(f"{type(self).__name__} must implement __iter__")

    def __add__(self, other):
        return ChainDataset([self, other])


class TensorDataset(Dataset):
    """Sample i is a tuple of row i of each tensor."""

    def __init__(self, *tensors):
        if any(len(t) != len(tensors[0]) for t in tensors):
            sizes = ", ".join(str(len(t)) for t in tensors)
            raise AssertionError(f"Size mismatch between tensors: {sizes} rows")
        self.tensors = tensors

    def __getitem__(self, index):
        return tuple(t[index] for t in self.tensors)

    def __len__(self):
        return len(self.tensors[0])


class StackDataset(Dataset):
    """Sample i is sample i of each dataset: a tuple, or a dict where they have names.

    StackDataset(images, texts) or StackDataset(image=images, text=texts).
    """

    def __init__(self, *args, **kwargs):
        if bool(args) == bool(kwargs):
            raise ValueError(
                "StackDataset: expected datasets either by position, for tuples, or by "
                "name, for dicts; at least one"
            )
        self.datasets = args or kwargs
        lengths = [len(d) for d in _each(self.datasets)]
        if len(set(lengths)) > 1:
            raise ValueError(f"Size mismatch between datasets: {lengths} samples")

    def __getitem__(self, index):
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __getitems__(self, indices):
        columns = [samples(d, indices) for d in _each(self.datasets)]
        if any(len(column) != len(indices) for column in columns):
            raise ValueError(
                f"StackDataset: expected {len(indices)} samples of each dataset's "
                f"__getitems__, got {[len(column) for column in columns]}"
            )
        rows = zip(*columns)
        if isinstance(self.datasets, dict):
            return [dict(zip(self.datasets, row)) for row in rows]
        return list(rows)

    def __len__(self):
        return len(next(iter(_each(self.datasets))))


def _each(datasets):
    return datasets.values() if isinstance(datasets, dict) else datasets


class ConcatDataset(Dataset):
    """The samples of several datasets, one dataset behind the other."""

    def __init__(self, datasets):
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(itertools.accumulate(map(len, self.datasets)))

    def __getitem__(self, index):
        if index < 0:
            if -index > len(self):
                raise ValueError(
                    f"absolute value of index {index} should not exceed dataset "
                    f"length {len(self)}"
                )
            index += len(self)
        which = bisect.bisect_right(self.cumulative_sizes, index)
        before = self.cumulative_sizes[which - 1] if which else 0
        return self.datasets[which][index - before]

    def __len__(self):
        return self.cumulative_sizes[-1]


class ChainDataset(IterableDataset):
    """The samples of several iterable datasets, one dataset after the other."""

    def __init__(self, datasets):
        self.datasets = datasets

    def __iter__(self):
        return itertools.chain.from_iterable(self.datasets)

    def __len__(self):
        return sum(len(d) for d in self.datasets)


class Subset(Dataset):
    """The samples of a dataset at the given indices."""

    def __init__(self, dataset, indices):
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index):
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices):
        return samples(self.dataset, [self.indices[i] for i in indices])

    def __len__(self):
        return len(self.indices)


def samples(dataset, indices):
    """A dataset's samples as a list; by its __getitems__, where it has one."""
    if not callable(getattr(dataset, "__getitems__", None)):
        return [dataset[i] for i in indices]
    return dataset.__getitems__(indices)


def whole_batches(dataset):
    """A function from indices to a collated batch, where rows of tensors suffice.

    One index operation for each tensor gives what fetching and stacking samples would.
    None for any other dataset, and where a subclass has its own idea of a sample.
    """
    kind = next((k for k in (TensorDataset, Subset) if isinstance(dataset, k)), None)
    if kind is None or any(
        getattr(type(dataset), method, None) is not getattr(kind, method, None)
        for method in ("__getitem__", "__getitems__")
    ):
        return None
    if isinstance(dataset, TensorDataset):
        return lambda indices: _rows(dataset.tensors, np.asarray(indices))
    inner = whole_batches(dataset.dataset)
    positions = np.asarray(dataset.indices)
    return inner and (lambda indices: inner(positions[indices]))


def _rows(tensors, indices):
    index = creation.from_numpy(indices)
    return [t[index] for t in tensors]


def _whole_lengths(total, fractions):
    """Fractions as counts; what rounding down leaves goes to the first, one each."""
    for i, fraction in enumerate(fractions):
        if not 0 <= fraction <= 1:
            raise ValueError(f"Fraction at index {i} is not between 0 and 1")
    lengths = [math.floor(total * fraction) for fraction in fractions]
    for i in range(total - sum(lengths)):
        lengths[i % len(lengths)] += 1
    for i, length in enumerate(lengths):
        if length == 0:
            warnings.warn(
                f"Length of split at index {i} is 0. This might result in an empty "
                "dataset.",
                stacklevel=3,
            )
    return lengths


def random_split(dataset, lengths, generator=None):
    """Disjoint random subsets of the given lengths, or of fractions that sum to 1."""
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        lengths = _whole_lengths(len(dataset), lengths)
    if sum(lengths) != len(dataset):
        raise ValueError(
            f"Sum of input lengths ({sum(lengths)}) does not equal the length of the "
            f"input dataset ({len(dataset)})!"
        )
    order = random.randperm(len(dataset), generator=generator).tolist()
    ends = itertools.accumulate(lengths)
    return [Subset(dataset, order[end - n : end]) for end, n in zip(ends, lengths)]
