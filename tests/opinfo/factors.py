"""Linear algebra by its parts: LU, reflections, exponentials, results with info."""

import numpy as np

import veem
from opinfo import Sample, Wrong, values
from opinfo.linalg import LA, NOT_SQUARE, ONE, WIDE, everywhere, of_square, row, solve

VECTOR = np.ones(3)


def of_any(rng, dtype):
    shapes = ((3, 3), (2, 4), (4, 2), (2, 1, 3, 3), (0, 2, 2), (2, 0), (1, 1))
    return [Sample((values(rng, s, dtype),)) for s in shapes]


def eliminated(a):
    """P, L, U of matrices, a row at a time."""
    *batch, m, n = a.shape
    k = min(m, n)
    out = [np.zeros((*batch, *s), a.dtype) for s in ((m, m), (m, k), (k, n))]
    for i in np.ndindex(*batch):
        rows, order = a[i].astype(np.float64), list(range(m))
        low = np.eye(m)
        for j in range(k):
            best = j + int(np.argmax(abs(rows[j:, j])))
            rows[[j, best]] = rows[[best, j]]
            low[[j, best], :j] = low[[best, j], :j]
            order[j], order[best] = order[best], order[j]
            for r in range(j + 1, m):
                low[r, j] = rows[r, j] / rows[j, j]
                rows[r] -= low[r, j] * rows[j]
        out[0][i], out[1][i], out[2][i] = np.eye(m)[:, order], low[:, :k], rows[:k]
    return tuple(out)


def systems(rng, dtype):
    """A, B, and whether A's transpose is meant, on which side."""
    a = lambda *batch: values(rng, (*batch, 3, 3), dtype, -1, 1) + 2 * ONE.astype(dtype)
    b = lambda *shape: values(rng, shape, dtype)
    return [
        Sample((a(), b(3, 2), True, False)),
        Sample((a(2), b(3, 1), True, True)),
        Sample((a(), b(2, 2, 3), False, False)),
        Sample((a(2), b(2, 1, 3), False, True)),
    ]


def lu_solve(a, b, left, adjoint):
    if isinstance(a, veem.Tensor):
        factors = LA.lu_factor(a)
        return LA.lu_solve(*factors, b, left=left, adjoint=adjoint)
    return solve(np.swapaxes(a, -1, -2) if adjoint else a, b, left)


def q_of(a):
    """Q of the reflections that make A's QR, from A."""
    if not isinstance(a, veem.Tensor):
        return np.linalg.qr(a)[0]
    packed, tau = veem.geqrf(a)
    return LA.householder_product(packed, tau)


def rotated(a, b, left, transpose):
    if isinstance(a, veem.Tensor):
        return veem.ormqr(*veem.geqrf(a), b, left, transpose)
    q = np.linalg.qr(a, "complete")[0]
    q = np.swapaxes(q, -1, -2) if transpose else q
    return q @ b if left else b @ q


def with_others(rng, dtype):
    return [
        Sample((values(rng, (4, 2), dtype), values(rng, s, dtype), left, transpose))
        for s, left in (((4, 3), True), ((3, 4), False))
        for transpose in (False, True)
    ]


def exponential(a):
    """By eigenvalues, which these matrices have n of."""
    values, vectors = np.linalg.eig(a)
    out = vectors * np.exp(values)[..., None, :] @ np.linalg.inv(vectors)
    return out.real


def with_info(f):
    return lambda *args: (f(*args), np.zeros(args[0].shape[:-2], np.int32))


ROWS = [
    row("lu", eliminated, of_any, wrong=(
        Wrong((VECTOR,), RuntimeError, "at least 2"),
        Wrong((np.eye(3, dtype="int64"),), RuntimeError, "floating point"))),
    row("lu_factor", lambda a: eliminated(a)[1:], of_any, torch=None,
        call=lambda a: veem.lu_unpack(*LA.lu_factor(a))[1:]),
    row("lu_solve", lu_solve, systems, call=lu_solve, torch=None),
    row("householder_product", q_of, lambda rng, dtype: [
        Sample((values(rng, s, dtype),)) for s in ((4, 2), (2, 3, 3))],
        call=q_of, torch=None, order=0),
    row("householder_product", lambda v, tau: (
        np.eye(3) - tau * np.outer(u := np.tril(v, -1)[:, 0] + ONE[0], u))[:, :1],
        lambda rng, dtype: [
            Sample((values(rng, (3, 1), dtype), values(rng, (1,), dtype)))],
        torch=None, wrong=(Wrong((WIDE, np.ones(2)), RuntimeError, "greater than"),
                           Wrong((WIDE.T, VECTOR), RuntimeError, "greater than"))),
    row("ormqr", rotated, with_others, call=rotated, torch=None, order=0),
    everywhere("matrix_exp", exponential, lambda rng, dtype: [
        Sample((values(rng, s, dtype, -1, 1) * scale,))
        for s, scale in (((3, 3), 1), ((2, 2, 2), 3), ((1, 1), 0.1))],
        wrong=(Wrong((WIDE,), RuntimeError, "square"),
               Wrong((np.eye(3, dtype="int64"),), RuntimeError, "floating point"))),
    row("inv_ex", with_info(np.linalg.inv), of_square(), wrong=(NOT_SQUARE,)),
    row("solve_ex", with_info(np.linalg.solve), lambda rng, dtype: [
        Sample((values(rng, (2, 3, 3), dtype, -1, 1) + 2 * ONE.astype(dtype),
                values(rng, (3, 2), dtype)))], wrong=(Wrong(
        (WIDE, VECTOR), RuntimeError, "square"),)),
    row("cholesky_ex", lambda x: np.linalg.cholesky(x @ np.swapaxes(x, -1, -2) + ONE),
        of_square(), torch=None, call=lambda x: LA.cholesky_ex(
            x @ x.mT + veem.eye(3, dtype=x.dtype))[0]),
]  # fmt: skip
