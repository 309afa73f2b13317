"""Making one batch of a list of samples."""

import collections.abc as abc

import numpy as np

from veem import _core, creation
from veem.functions import names
from veem.tensor import Tensor


def default_collate(batch):
    """A list of samples as one: tensors stacked, in the structure of a sample.

    Tensors, arrays and numbers become tensors with a first dimension of len(batch);
    Python floats float64. Dicts keep their keys, tuples become lists (named ones stay),
    strings stay a list. TypeError for anything else.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return names["stack"](list(batch), 0)
    if isinstance(first, np.ndarray) and first.dtype.kind in "biuf":
        return creation.from_numpy(np.stack(batch))
    if isinstance(first, (np.bool_, np.number)):
        return creation.from_numpy(np.stack(batch))
    if isinstance(first, float):
        return creation.tensor(batch, dtype=_core.float64)
    if isinstance(first, int):
        return creation.tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, abc.Mapping):
        return _like(first, {k: default_collate([d[k] for d in batch]) for k in first})
    if isinstance(first, abc.Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError(
                "default_collate: each element in list of batch should be of equal size"
            )
        return _like(first, [default_collate(column) for column in zip(*batch)])
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or "
        f"lists; found {type(first)}"
    )


def default_convert(data):
    """One sample with its arrays and NumPy numbers as tensors, else as it is."""
    if isinstance(data, (np.ndarray, np.generic)) and data.dtype.kind in "biuf":
        return creation.as_tensor(data)
    if isinstance(data, abc.Mapping):
        return _like(data, {k: default_convert(v) for k, v in data.items()})
    if isinstance(data, abc.Sequence) and not isinstance(data, (str, bytes)):
        return _like(data, [default_convert(v) for v in data])
    return data


def _like(sample, parts):
    """Parts in the sample's type; a tuple without names for its fields as a list."""
    if hasattr(sample, "_fields"):
        return type(sample)(*parts)
    if isinstance(sample, tuple):
        return parts
    try:
        return type(sample)(parts)
    except TypeError:
        return parts
