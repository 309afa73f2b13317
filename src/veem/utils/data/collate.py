"""Making one batch of a list of samples."""

import collections.abc as abc
import copy

import numpy as np

from veem import _core, creation
from veem.functions import names
from veem.tensor import Tensor

FOUND = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or "
    "lists; found {}"
)


def default_collate(batch):
    """A list of samples as one: tensors stacked, in the structure of a sample.

    Tensors, arrays and numbers become tensors with a first dimension of len(batch);
    Python floats float64. Dicts keep their keys, tuples become lists (named ones stay),
    strings stay a list. TypeError for anything else, unless default_collate_fn_map
    knows its type.
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate(batch, *, collate_fn_map=None):
    """default_collate with other functions for the types of samples.

    collate_fn_map: from a type (or a tuple of them) to f(batch, *, collate_fn_map).
    """
    first, known = batch[0], collate_fn_map or {}
    kind = type(first)
    if kind not in known:
        kind = next((k for k in known if isinstance(first, k)), None)
    if kind is not None:
        return known[kind](batch, collate_fn_map=collate_fn_map)
    if isinstance(first, abc.Mapping):
        columns = {key: [sample[key] for sample in batch] for key in first}
        parts = {
            key: collate(column, collate_fn_map=collate_fn_map)
            for key, column in columns.items()
        }
        return _like(first, parts)
    if isinstance(first, abc.Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError(
                "default_collate: each element in list of batch should be of equal size"
            )
        parts = [collate(c, collate_fn_map=collate_fn_map) for c in zip(*batch)]
        return _like(first, parts)
    raise TypeError(FOUND.format(type(first)))


def _tensors(batch, *, collate_fn_map=None):
    return names["stack"](list(batch), 0)


def _arrays(batch, *, collate_fn_map=None):
    if batch[0].dtype.kind not in "biuf":
        raise TypeError(FOUND.format(batch[0].dtype))
    return creation.from_numpy(np.stack(batch))


def _floats(batch, *, collate_fn_map=None):
    return creation.tensor(batch, dtype=_core.float64)


def _integers(batch, *, collate_fn_map=None):
    return creation.tensor(batch)


def _as_they_are(batch, *, collate_fn_map=None):
    return batch


default_collate_fn_map = {
    Tensor: _tensors,
    np.ndarray: _arrays,
    (np.bool_, np.number): _arrays,
    float: _floats,
    int: _integers,
    str: _as_they_are,
    bytes: _as_they_are,
}


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
        if isinstance(sample, (abc.MutableMapping, abc.MutableSequence)):
            clone = copy.copy(sample)  # which may know more than its items
            for key, part in (
                parts.items() if isinstance(parts, dict) else enumerate(parts)
            ):
                clone[key] = part
            return clone
        return type(sample)(parts)
    except TypeError:
        return parts
