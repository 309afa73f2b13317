"""Linear algebra. What has an arbitrary sign is squared before it is looked at."""

import numpy as np

import veem
from opinfo import FLOATS, OpInfo, Sample, Wrong, values

LA = veem.linalg
ONE, WIDE, VECTOR = np.eye(3), np.ones((2, 3)), np.ones(3)


def square(rng, dtype, *batch, n=3):
    """Matrices that are far from singular."""
    return values(rng, (*batch, n, n), dtype, -1, 1) + 2 * np.eye(n, dtype=dtype)


def of_square(*rest, batches=((), (2,), (2, 1))):
    return lambda rng, dtype: [Sample((square(rng, dtype, *b), *rest)) for b in batches]


def of_shapes(*shapes):
    """Each a tuple of shapes, for one call."""
    return lambda rng, dtype: [
        Sample(tuple(values(rng, s, dtype) for s in call)) for call in shapes
    ]


def of_vectors(options, shape=(2, 3, 4)):
    """Away from 0 on both sides, once with each of the options."""

    def samples(rng, dtype):
        signs = [rng.choice([-1, 1], shape).astype(dtype) for _ in options]
        sizes = [values(rng, shape, dtype, 0.5, 3) for _ in options]
        return [Sample((x * s,), o) for x, s, o in zip(sizes, signs, options)]

    return samples


def row(name, reference, samples, **kwargs):
    """A row for linalg.NAME: floats on the CPU."""
    function = {
        "call": getattr(LA, name, None),
        "torch": "linalg." + name,
        "tolerance": 1e-4,
        "dtypes": FLOATS,
        "halves": None,
        "devices": ("cpu",),
        "expands": False,
    }
    return OpInfo("linalg." + name, reference, samples, **{**function, **kwargs})


def everywhere(name, reference, samples, **kwargs):
    """A row for what is made of ops."""
    return row(name, reference, samples, devices=None, expands=True, **kwargs)


def with_systems(rng, dtype):
    return [
        Sample((square(rng, dtype, *batch), values(rng, shape, dtype)), options)
        for batch, shape, options in (
            ((), (3,), {}),
            ((), (3, 2), {}),
            ((2,), (2, 3), {}),
            ((2,), (3, 2), {}),
            ((), (2, 2, 3), {"left": False}),
        )
    ]


def solve(a, b, left=True):
    if not left:
        return np.swapaxes(
            np.linalg.solve(np.swapaxes(a, -1, -2), np.swapaxes(b, -1, -2)), -1, -2
        )
    vector = b.ndim == a.ndim - 1 and b.shape == a.shape[:-1]
    return np.linalg.solve(a, b[..., None])[..., 0] if vector else np.linalg.solve(a, b)


def with_triangles(rng, dtype):
    out = []
    for upper in (True, False):
        for options in ({}, {"left": False}, {"unitriangular": True}):
            b = values(rng, (2, 3, 3), dtype)
            args = (square(rng, dtype), b)
            out.append(Sample(args, {"upper": upper, **options}))
    return out


def solve_triangular(a, b, upper, left=True, unitriangular=False):
    a = np.triu(a) if upper else np.tril(a)
    if unitriangular:
        a = a - np.diag(np.diag(a)) + np.eye(len(a))
    return solve(a, b, left)


def qr(a, mode="reduced"):
    q, r = np.linalg.qr(a, mode)
    return q * q, q @ r  # without the sign


def symmetric(x):
    return x + (x.mT if isinstance(x, veem.Tensor) else np.swapaxes(x, -1, -2))


def positive(x):
    """x xᵀ + 1, symmetric and positive definite."""
    if isinstance(x, veem.Tensor):
        return x @ x.mT + veem.eye(x.shape[-1], dtype=x.dtype)
    return x @ np.swapaxes(x, -1, -2) + np.eye(x.shape[-1])


def eigh_squared(x):
    if isinstance(x, veem.Tensor):
        values, vectors = LA.eigh(symmetric(x))
    else:
        values, vectors = np.linalg.eigh(symmetric(x))
    return values, vectors * vectors


def svd_squared(x):
    lib = LA if isinstance(x, veem.Tensor) else np.linalg
    u, s, vh = lib.svd(x, full_matrices=False)
    return u * u, s, vh * vh


def tril(x):
    return x.tril() if isinstance(x, veem.Tensor) else np.tril(x)


def norms_of_matrices(orders):
    return [
        *({"ord": o} for o in orders),
        {"ord": orders[0], "dim": (0, 1), "keepdim": True},
        {"ord": orders[-1], "dim": (2, 0)},
    ]


def matrix_norm(x, ord="fro", dim=(-2, -1), keepdim=False):
    return np.linalg.norm(x, ord, dim, keepdim)


def lstsq(a, b):
    return np.stack([np.linalg.lstsq(m, v)[0] for m, v in zip(a, b)])


SINGULAR = Wrong((np.ones((3, 3)),), RuntimeError, "(?i)singular")
NOT_SQUARE = Wrong((WIDE,), RuntimeError, "square matrices")
ALL = (Wrong((VECTOR,), RuntimeError, "at least 2"), NOT_SQUARE,
       Wrong((np.eye(3, dtype="int64"),), RuntimeError, "floating point"))  # fmt: skip
ROWS = [
    row("inv", np.linalg.inv, of_square(), wrong=(*ALL, SINGULAR)),
    row("det", np.linalg.det, of_square(), wrong=ALL),
    row("slogdet", np.linalg.slogdet, of_square(), wrong=ALL),
    row("solve", solve, with_systems, wrong=(
        Wrong((WIDE, VECTOR), RuntimeError, "square"),
        Wrong((np.ones((3, 3)), VECTOR), RuntimeError, "(?i)singular"),
        Wrong((ONE, np.ones((2, 2))), RuntimeError, "Incompatible shapes"),
        Wrong((ONE, VECTOR.astype("float32")), RuntimeError, "one dtype"))),
    row("solve_triangular", solve_triangular, with_triangles, wrong=(
        Wrong((ONE, np.ones((2, 2))), RuntimeError, "Incompatible", {"upper": True}),
        Wrong((ONE, VECTOR), RuntimeError, "at least 2", {"upper": True}))),
    row("tensorinv", np.linalg.tensorinv, lambda rng, dtype: [
        Sample((square(rng, dtype, n=6).reshape(2, 3, 6),))],
        wrong=(Wrong((WIDE, 1), RuntimeError, "satisfy"),
               Wrong((WIDE, 0), RuntimeError, "strictly positive"))),
    row("tensorsolve", np.linalg.tensorsolve, lambda rng, dtype: [
        Sample((square(rng, dtype, n=6).reshape(2, 3, 6), values(rng, (2, 3), dtype)))],
        wrong=(Wrong((np.ones((2, 2, 3)), ONE[:2, :2]), RuntimeError, "satisfy"),)),
    row("pinv", np.linalg.pinv, of_shapes(((3, 2),), ((2, 3),), ((2, 3, 3),))),
    row("svdvals", lambda x: np.linalg.svd(x)[1], of_shapes(((3, 2),), ((2, 2, 3),)),
        wrong=(Wrong((VECTOR,), RuntimeError, "at least 2"),)),
    row("matrix_rank", np.linalg.matrix_rank, of_shapes(((3, 2),), ((2, 2, 3),)),
        order=0),
    row("cond", np.linalg.cond, lambda rng, dtype: [
        Sample((square(rng, dtype, 2), p)) for p in (None, -2, 1, -1, np.inf, "fro")],
        wrong=(Wrong((WIDE, 1), RuntimeError, "square"),)),
    row("lstsq", lstsq, of_shapes(((2, 4, 2), (2, 4, 3)), ((2, 2, 4), (2, 2, 1))),
        call=lambda a, b: LA.lstsq(a, b)[0], torch=None),
    row("qr", qr, of_shapes(((3, 3),), ((4, 2),), ((2, 2, 4),)), torch=None,
        call=lambda x: ((q := LA.qr(x)).Q * q.Q, q.Q @ q.R)),
    row("cholesky", lambda x: np.linalg.cholesky(positive(x)), of_square(), torch=None,
        call=lambda x: LA.cholesky(positive(x))),
    row("cholesky", lambda x: np.linalg.cholesky(positive(x)).mT, of_square(),
        torch=None, call=lambda x: LA.cholesky(positive(x), upper=True)),
    row("cholesky_solve", lambda b, x: np.linalg.solve(np.tril(x) @ np.tril(x).mT, b),
        lambda rng, dtype: [Sample((values(rng, (3, 2), dtype), square(rng, dtype)))],
        call=lambda b, x: veem.cholesky_solve(b, x.tril()), torch=None),
    row("cholesky_inverse", lambda x: np.linalg.inv(np.tril(x) @ np.tril(x).mT),
        of_square(), call=lambda x: veem.cholesky_inverse(x.tril()), torch=None),
    row("eigh", eigh_squared, of_shapes(((3, 3),), ((2, 3, 3),)), call=eigh_squared,
        torch=None),
    row("eigvalsh", lambda x: np.linalg.eigvalsh(symmetric(x)), of_square(),
        call=lambda x: LA.eigvalsh(symmetric(x)), torch=None),
    row("svd", svd_squared, of_shapes(((3, 3),), ((4, 2),), ((2, 2, 4),)),
        call=svd_squared, torch=None),
    everywhere("matrix_norm", matrix_norm, of_vectors(norms_of_matrices(
        ("fro", 1, -1, np.inf, -np.inf))), wrong=(
        Wrong((VECTOR,), RuntimeError, "at least 2"),
        Wrong((WIDE, 3), RuntimeError, "not supported"),
        Wrong((WIDE, "fro", (0, 0)), RuntimeError, "different"))),
    row("matrix_norm", matrix_norm, of_vectors(norms_of_matrices(("nuc", 2, -2)))),
    everywhere("norm", lambda x, ord=None, dim=None: np.linalg.norm(
        x.ravel() if dim is None else x, ord, dim), of_vectors(
        [{}, {"ord": 2, "dim": 1}, {"ord": "fro", "dim": (0, 2)}]), wrong=(
        Wrong((np.ones((1, 1, 1)), 2), RuntimeError, "must be 1D or"),)),
    everywhere("matrix_power", np.linalg.matrix_power, lambda rng, dtype: [
        Sample((square(rng, dtype, 2), n)) for n in (1, 2, 5)],
        wrong=(Wrong((WIDE, 2), RuntimeError, "square"),)),
    row("matrix_power", np.linalg.matrix_power, lambda rng, dtype: [
        Sample((square(rng, dtype, 2), n)) for n in (0, -1, -3)]),
    everywhere("multi_dot", np.linalg.multi_dot, lambda rng, dtype: [
        Sample(([values(rng, s, dtype) for s in shapes],)) for shapes in (
            ((2, 3), (3, 4)), ((3,), (3, 4), (4,)), ((5, 2), (2, 6), (6, 1), (1, 3)))],
        wrong=(Wrong(([ONE],), RuntimeError, "at least 2 tensors"),
               Wrong(([ONE, np.ones((3, 3, 3)), ONE],), RuntimeError, "must be 2D"))),
    everywhere("cross", np.cross, of_shapes(((2, 3), (2, 3)), ((3,), (3,))), wrong=(
        Wrong((np.ones(2), np.ones(2)), RuntimeError, "length 3"),)),
    everywhere("vecdot", lambda x, y: (x * y).sum(-1), of_shapes(
        ((2, 3), (3,)), ((3,), (3,)))),
    everywhere("vander", lambda x, N=None: x[..., None] ** np.arange(N or x.shape[-1]),
        lambda rng, dtype: [Sample((values(rng, (2, 3), dtype),)),
                            Sample((values(rng, (3,), dtype), 5))]),
]  # fmt: skip
