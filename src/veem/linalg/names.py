"""The names that torch itself has for linear algebra, as functions and methods."""

from veem import return_types
from veem.autograd.names import recorded_as
from veem.functions.registry import function, names, plain
from veem.functions.twins import with_out
from veem.linalg import decompose, factors, lu, rank, solve


@function
@recorded_as("LinalgSvd")
def svd(input, some=True, compute_uv=True):
    """(U, S, V) with input = U diag(S) Vᵀ; linalg.svd has Vᵀ."""
    u, s, vh = decompose.svd(input, not some)
    if compute_uv:
        return return_types.svd(u, s, vh.mT)
    (m, n), batch = input.shape[-2:], input.shape[:-2]
    zeros = (input.new_zeros(*batch, size, size) for size in (m, n))
    return return_types.svd(next(zeros), s, next(zeros))


@function
@recorded_as("LinalgQr")
def qr(input, some=True):
    """linalg.qr, whole where not `some`."""
    return decompose.qr(input, "reduced" if some else "complete")


@function
@recorded_as("Cholesky")
def cholesky(input, upper=False):
    """linalg.cholesky."""
    return decompose.cholesky(input, upper=upper)


@function
def pinverse(input, rcond=1e-15):
    """linalg.pinv, with rcond for rtol."""
    return rank.pinv(input, rtol=rcond)


@function
def inverse(input):
    """linalg.inv."""
    return solve.inv(input)


@function
def lu_solve(b, LU_data, LU_pivots):
    """linalg.lu_solve, with the right side first."""
    return lu.solve_factored(LU_data, LU_pivots, b)


plain(lu.lu_unpack)
plain(factors.svd_lowrank)
plain(factors.pca_lowrank)
for _f in (
    factors.geqrf,
    factors.matrix_exp,
    factors.ormqr,
    factors.triangular_solve,
    solve.det,
    solve.logdet,
    solve.slogdet,
    decompose.cholesky_inverse,
    decompose.cholesky_solve,
):
    function(_f)

# Functions that can write their results where out= says.
WITH_OUT = """cholesky cholesky_inverse cholesky_solve geqrf inverse lu_solve lu_unpack
ormqr qr svd triangular_solve"""
names.update({name: with_out(names[name]) for name in WITH_OUT.split()})
