"""Functions that say in `info`, not by an exception, which matrices they fail for.

info is int32, of the batch's shape: 0, or the number of the pivot that is 0 or, for
cholesky_ex, of the leading part that is not positive definite. Results for such
matrices are NaN. check_errors: raise all the same.
"""

import numpy as np

from veem import creation, ops, return_types
from veem.linalg import decompose, solve
from veem.linalg.host import LinAlgError, check_square, lapack
from veem.linalg.lu import _eliminate


def _singular(a):
    return _eliminate(a, True)[2]


def _indefinite(a):
    """The size of the smallest leading part that has no Cholesky factor, or 0."""
    out = np.zeros(a.shape[:-2], np.int32)
    for i in np.ndindex(out.shape):
        for size in range(a.shape[-1], 0, -1):
            try:
                np.linalg.cholesky(a[i][:size, :size])
                break
            except np.linalg.LinAlgError:
                out[i] = size
    return out


def _checked(op, A, find, compute, check_errors):
    """compute(A), NaN for matrices where find(A) is not 0, and what it found."""
    try:
        return compute(A), A.new_zeros(A.shape[:-2]).int()
    except LinAlgError:
        if check_errors:
            raise
    info = lapack(op, find, A.detach())
    bad = (info != 0).unsqueeze(-1).unsqueeze(-1)
    one = creation.eye(A.shape[-1], dtype=A.dtype)
    out = compute(ops.where(bad, one, A))
    return ops.where(
        bad if out.ndim == bad.ndim else bad.squeeze(-1), np.nan, out
    ), info


def cholesky_ex(A, *, upper=False, check_errors=False):
    """(L, info): cholesky of the matrices that are positive definite."""
    op = "linalg.cholesky_ex"
    check_square(op, A)
    find = lambda a: _indefinite(np.swapaxes(a, -1, -2) if upper else a)
    factor = lambda A: decompose.cholesky(A, upper=upper)
    return return_types.linalg_cholesky_ex(*_checked(op, A, find, factor, check_errors))


def inv_ex(A, *, check_errors=False):
    """(inverse, info): the inverses of the matrices that have one."""
    op = "linalg.inv_ex"
    check_square(op, A)
    return return_types.linalg_inv_ex(
        *_checked(op, A, _singular, solve.inv, check_errors)
    )


def solve_ex(A, B, *, left=True, check_errors=False):
    """(result, info): X with A X = B (or X A = B) for the matrices that have one."""
    op = "linalg.solve_ex"
    check_square(op, A)
    compute = lambda A: solve.solve(A, B, left=left)
    return return_types.linalg_solve_ex(
        *_checked(op, A, _singular, compute, check_errors)
    )
