"""Reading IDX files: MNIST's format, plain or gzipped.

Two zero bytes, a type code, the number of dimensions, each size as 4 bytes with the
highest first, then the elements.
"""

import math
import struct

import numpy as np

from veem.datasets.files import plain, read_up_to

UNSIGNED_BYTE = 8


def read_idx(path, item_shape, most):
    """The uint8 array (n, *item_shape) in a file, n at most `most`.

    ValueError naming the file and what is wrong with it: not IDX, other dimensions, a
    header that promises more or fewer bytes than there are, a damaged gzip stream.
    """
    with plain(path) as stream:
        shape = _read_shape(stream, path, item_shape, most)
        body = read_up_to(stream, math.prod(shape) + 1)  # is there more?
    if len(body) != math.prod(shape):
        there = f"only {len(body)}" if len(body) < math.prod(shape) else "more"
        raise ValueError(
            f"{path}: its header promises {math.prod(shape)} bytes of data (shape "
            f"{list(shape)}), there are {there}; the file is cut or not what it says"
        )
    return np.frombuffer(body, np.uint8).reshape(shape)


def _read_shape(stream, path, item_shape, most):
    ndim = 1 + len(item_shape)
    start, sizes = stream.read(4), stream.read(4 * ndim)
    if len(start) < 4 or start[:2] != b"\0\0":
        raise ValueError(f"{path}: not an IDX file (it starts with {start!r})")
    if start[2] != UNSIGNED_BYTE or start[3] != ndim:
        raise ValueError(
            f"{path}: expected unsigned bytes (type {UNSIGNED_BYTE}) in {ndim} "
            f"dimensions, the header says type {start[2]} in {start[3]}"
        )
    if len(sizes) < 4 * ndim:
        raise ValueError(f"{path}: the file is cut within its header")
    shape = struct.unpack(f">{ndim}I", sizes)
    if shape[1:] != tuple(item_shape) or shape[0] > most:
        raise ValueError(
            f"{path}: expected up to {most} items of shape {list(item_shape)}, the "
            f"header says {shape[0]} of shape {list(shape[1:])}"
        )
    return shape
