"""Linear algebra: torch.linalg's functions, by LAPACK on the CPU."""

from veem.functions.matmul import cross as _cross
from veem.functions.matmul import matmul, matrix_power, multi_dot, vecdot
from veem.functions.matrices import diagonal as _diagonal
from veem.functions.matrices import powers
from veem.functions.twins import with_out
from veem.linalg import names
from veem.linalg.checked import cholesky_ex, inv_ex, solve_ex
from veem.linalg.decompose import (
    cholesky,
    eigh,
    eigvalsh,
    qr,
    svd,
    svdvals,
)
from veem.linalg.factors import householder_product, matrix_exp
from veem.linalg.host import LinAlgError
from veem.linalg.lu import lu, lu_factor, lu_factor_ex
from veem.linalg.lu import solve_factored as lu_solve
from veem.linalg.norms import matrix_norm, norm, vector_norm
from veem.linalg.rank import cond, lstsq, matrix_rank, pinv
from veem.linalg.solve import (
    det,
    inv,
    slogdet,
    solve,
    solve_triangular,
    tensorinv,
    tensorsolve,
)


def cross(input, other, *, dim=-1):
    """The vector product along a dimension of size 3; the others broadcast."""
    return _cross(input, other, dim)


def diagonal(A, *, offset=0, dim1=-2, dim2=-1):
    """The diagonal of matrices as the last dimension of a view."""
    return _diagonal(A, offset, dim1, dim2)


def vander(x, N=None):
    """1, x, x² ... as rows: (..., n) to (..., n, N)."""
    x = x if x.ndim else x.unsqueeze(0)
    N = x.shape[-1] if N is None else N
    if N <= 1:
        raise RuntimeError(f"linalg.vander: N must be greater than 1, got {N}")
    return powers(x, N)


# All that has one tensor or several for a result can write them where out= says.
WITH_OUT = """cholesky cholesky_ex cond cross det eigh eigvalsh householder_product inv
inv_ex lstsq lu lu_factor lu_factor_ex lu_solve matrix_norm matrix_power matrix_rank
multi_dot norm pinv qr slogdet solve solve_ex solve_triangular svd svdvals tensorinv
tensorsolve vecdot vector_norm"""
globals().update({_name: with_out(globals()[_name]) for _name in WITH_OUT.split()})

__all__ = [
    "LinAlgError",
    "cholesky",
    "cholesky_ex",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "names",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]
