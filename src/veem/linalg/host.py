"""LAPACK through NumPy: what every function here checks, and how it gets its numbers.

Matrices are the last two dimensions, all before are a batch. float32 and float64, on
the CPU: other devices raise. Each decomposition is a Function whose gradient is written
in ops, so it has derivatives of every order that exist.
"""

import numpy as np

from veem import _core


class LinAlgError(RuntimeError):
    """A matrix for which there is no such thing: singular, not positive definite ..."""


def check_floats(op, *xs):
    """Raises where a tensor's dtype is not float32 or float64, or the dtypes differ."""
    for x in xs:
        if x.dtype not in (_core.float32, _core.float64):
            raise RuntimeError(
                f"{op}: Expected a floating point tensor of float32 or float64 as "
                f"input. Got {x.dtype.name}; convert it first, e.g. x.float()"
            )
        if x.dtype != xs[0].dtype:
            raise RuntimeError(
                f"{op}: expected tensors of one dtype, but got {xs[0].dtype.name} and "
                f"{x.dtype.name}"
            )


def check_matrix(op, *xs):
    """Matrices or batches of them, in floats, on the CPU."""
    for x in xs:
        if x.ndim < 2:
            raise RuntimeError(
                f"{op}: The input tensor A must have at least 2 dimensions, got shape "
                f"{list(x.shape)}"
            )
    check_floats(op, *xs)
    check_cpu(op, *xs)


def check_cpu(op, *xs):
    for x in xs:
        if x._device_name != "cpu":
            raise NotImplementedError(
                f"{op}: is not implemented on {x._device_name}; it is computed by "
                "LAPACK on the CPU: use .cpu()"
            )


def check_square(op, x):
    check_matrix(op, x)
    if x.shape[-1] != x.shape[-2]:
        raise RuntimeError(
            f"{op}: A must be batches of square matrices, but they are {x.shape[-2]} "
            f"by {x.shape[-1]} matrices"
        )


def lapack(op, f, *xs, **options):
    """f of the tensors as arrays; its arrays as tensors. Warnings are NumPy's alone."""
    arrays = [x.detach().numpy() for x in xs]
    try:
        with np.errstate(all="ignore"):
            out = f(*arrays, **options)
    except np.linalg.LinAlgError as error:
        raise LinAlgError(f"{op}: {error}") from None
    if isinstance(out, tuple):
        return tuple(map(tensor, out))
    return tensor(out)


def tensor(array):
    return _core.from_numpy(np.asarray(array, order="C"))


def half_diagonal(x):
    """x with its diagonal halved."""
    return x - 0.5 * x.diagonal(0, -2, -1).diag_embed()
