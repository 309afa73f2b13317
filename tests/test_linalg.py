"""Linear algebra where it is special: singular, empty, refused."""

import numpy as np
import pytest

import veem
from veem.autograd import gradcheck, gradgradcheck

LA = veem.linalg
RNG = np.random.default_rng(0)
SINGULAR = veem.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=veem.float64)


def random(*shape, grad=True):
    return veem.tensor(RNG.normal(size=shape), requires_grad=grad)


def product(n, rank):
    """A matrix (n, n) of this rank, as a function of its factors."""
    return random(n, rank), random(rank, n)


@pytest.mark.parametrize("n", [2, 3])
def test_the_gradient_of_det_where_it_is_0(n):
    a, b = product(n, n - 1)
    x = (a @ b).detach().requires_grad_()
    LA.det(x).backward()
    minor = lambda i, j: np.delete(np.delete(x.detach().numpy(), i, 0), j, 1)
    cofactors = [
        [(-1) ** (i + j) * np.linalg.det(minor(i, j)) for j in range(n)]
        for i in range(n)
    ]
    np.testing.assert_allclose(x.grad.numpy(), cofactors, atol=1e-12)
    exact = SINGULAR.clone().requires_grad_()
    (g,) = veem.autograd.grad(LA.det(exact), exact, create_graph=True)
    assert g.tolist() == pytest.approx(np.array([[4, -2], [-2, 1]]))
    with pytest.raises(NotImplementedError, match="second derivative"):
        g.sum().backward()


def test_pseudo_inverse_of_less_than_full_rank():
    f = lambda a, b: LA.pinv(a @ b)
    a, b = product(4, 2)
    assert gradcheck(f, (a, b))
    assert gradgradcheck(f, (a, b))
    p = LA.pinv((a @ b).detach())
    np.testing.assert_allclose(p, np.linalg.pinv((a @ b).detach().numpy()), atol=1e-10)


def test_least_squares_of_less_than_full_rank():
    a, b = product(4, 2)
    x, y = (a @ b).detach(), random(4, 3, grad=False)
    out = LA.lstsq(x, y, driver="gelsd")
    expected = np.linalg.lstsq(x.numpy(), y.numpy(), rcond=None)
    np.testing.assert_allclose(out.solution.numpy(), expected[0], atol=1e-10)
    assert out.rank.item() == expected[2] == 2
    np.testing.assert_allclose(out.singular_values.numpy(), expected[3], atol=1e-12)
    assert out.residuals.numel() == 0


@pytest.mark.parametrize("driver", ["gels", "gelsy", "gelsd", "gelss"])
def test_what_least_squares_returns(driver):
    a, b = random(2, 5, 3), random(2, 5, 2)
    out = LA.lstsq(a, b, driver=driver)
    assert out.solution.shape == (2, 3, 2)
    assert out.rank.shape == ((0,) if driver == "gels" else (2,))
    shape = (2, 3) if driver in ("gelsd", "gelss") else (0,)
    assert out.singular_values.shape == shape
    if driver == "gelsy":
        assert out.residuals.shape == (0,)
        return
    left = ((a @ out.solution - b) ** 2).sum(-2)
    np.testing.assert_allclose(out.residuals.detach(), left.detach(), atol=1e-12)
    assert gradcheck(lambda a, b: LA.lstsq(a, b, driver=driver).residuals, (a, b))


def test_solutions_with_vectors_and_batches():
    a = random(4, 1, 3, 3, grad=False)
    for shape in ((3,), (4, 1, 3), (5, 3, 2), (3, 2)):
        b = random(*shape, grad=False)
        x = LA.solve(a, b)
        vector = shape in ((3,), (4, 1, 3))
        back = (a @ (x.unsqueeze(-1) if vector else x)).squeeze(-1 if vector else ())
        np.testing.assert_allclose(back, b.expand(back.shape), atol=1e-10)
    with pytest.raises(ValueError, match="left=False"):
        LA.solve(a, random(3, grad=False), left=False)


def test_triangular_systems_divide_by_0_in_silence():
    a = veem.tensor([[1.0, 0.0], [1.0, 0.0]])
    x = LA.solve_triangular(a, veem.tensor([[1.0], [2.0]]), upper=False)
    assert x.tolist() == [[1.0], [float("inf")]]


@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (2, 3, 3)])
@pytest.mark.parametrize("mode", ["reduced", "complete", "r"])
def test_modes_of_qr(shape, mode):
    a = random(*shape, grad=False)
    q, r = LA.qr(a, mode)
    if mode == "r":
        assert q.shape == (0,)
        np.testing.assert_allclose(r, LA.qr(a).R)
        return
    np.testing.assert_allclose((q @ r), a, atol=1e-12)
    assert q.shape[-1] == (shape[-2] if mode == "complete" else min(shape[-2:]))


def test_gradients_of_qr_that_do_not_exist():
    a = random(3, 2)
    with pytest.raises(RuntimeError, match="mode='r'"):
        LA.qr(a, "r").R.sum().backward()
    with pytest.raises(RuntimeError, match="mode='complete' and nrows > ncols"):
        LA.qr(a, "complete").R.sum().backward()
    with pytest.raises(RuntimeError, match="unrecognized mode"):
        LA.qr(a, "full")


@pytest.mark.parametrize("shape", [(3, 2), (2, 3)])
def test_gradients_through_a_whole_svd(shape):
    """U and V of full size, seen through what does not depend on their signs."""

    def f(x):
        u, s, vh = LA.svd(x, full_matrices=True)
        k = s.shape[-1]
        return s, u[:, :k] @ vh[:k]

    assert gradcheck(f, random(*shape))
    assert gradgradcheck(f, random(*shape))


def test_only_one_triangle_is_read():
    a = random(3, 3, grad=False)
    low = a.tril() + a.tril(-1).mT
    for ours, theirs in zip(LA.eigh(a), LA.eigh(low)):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_allclose(LA.eigvalsh(a.mT, "U"), LA.eigvalsh(low))
    positive = (a @ a.mT + veem.eye(3, dtype=veem.float64)).tril()
    np.testing.assert_array_equal(
        LA.cholesky(positive), LA.cholesky(positive.mT, upper=True).mT
    )


def test_rank_and_its_tolerances():
    a = veem.diag(veem.tensor([2.0, 1.0, 1e-3, 0.0]))
    assert LA.matrix_rank(a) == 3
    assert LA.matrix_rank(a, atol=0.01) == 2
    assert LA.matrix_rank(a, rtol=0.6) == 1
    assert LA.matrix_rank(a, atol=1.5, rtol=0.1) == 1
    assert LA.matrix_rank(a, hermitian=True) == 3
    several = LA.matrix_rank(veem.stack([a, a]), atol=veem.tensor([0.01, 1.5]))
    assert several.tolist() == [2, 1]
    np.testing.assert_allclose(LA.pinv(a, atol=0.01).diagonal(), [0.5, 1, 0, 0])


def test_condition_of_a_singular_matrix_is_infinite():
    for p in (1, "fro", np.inf):
        both = veem.stack([SINGULAR, veem.eye(2, dtype=veem.float64)])
        assert LA.cond(both, p).tolist()[0] == np.inf
        assert LA.cond(both, p)[1].item() == pytest.approx(2 if p == "fro" else 1)


@pytest.mark.parametrize("order", [2, 1, 3, 0.5, np.inf, "fro"])
def test_gradients_of_norms_at_0(order):
    x = veem.zeros(2, 2, dtype=veem.float64, requires_grad=True)
    norm = LA.matrix_norm if order == "fro" else LA.vector_norm
    norm(x, order).backward()
    assert x.grad.tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("f", "shape"),
    [
        (LA.inv, (2, 0, 0)),
        (LA.det, (2, 0, 0)),
        (LA.slogdet, (0, 3, 3)),
        (LA.qr, (0, 3)),
        (LA.svd, (3, 0)),
        (LA.eigh, (0, 2, 2)),
        (LA.cholesky, (0, 0)),
        (LA.pinv, (0, 3)),
        (LA.matrix_rank, (2, 0, 3)),
    ],
)
def test_empty_matrices(f, shape):
    expected = getattr(np.linalg, f.__name__)(np.zeros(shape))
    ours = f(veem.zeros(shape, dtype=veem.float64))
    pairs = zip(ours, expected) if isinstance(ours, tuple) else [(ours, expected)]
    for a, b in pairs:
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("f", [LA.inv, LA.cholesky, lambda x: LA.solve(x, x)])
def test_errors_of_lapack(f):
    with pytest.raises(LA.LinAlgError, match="linalg"):
        f(-SINGULAR)
    assert issubclass(LA.LinAlgError, RuntimeError)


@pytest.mark.skipif("metal" not in veem._core.devices(), reason="no metal device")
def test_metal_says_where_to_go():
    x = veem.eye(3).to("metal")
    assert LA.norm(x).item() == pytest.approx(3**0.5)
    assert LA.matrix_power(x, 3).cpu().tolist() == veem.eye(3).tolist()
    assert veem.einsum("ii", x).item() == 3
    for f in (LA.inv, LA.det, LA.svd, LA.qr, LA.eigh, LA.cholesky, LA.pinv, LA.slogdet):
        with pytest.raises(NotImplementedError, match=r"\.cpu\(\)"):
            f(x)


def test_products_do_not_copy_what_is_transposed():
    """A transposed operand is multiplied where it lies: the result alone is new."""
    x, y = veem.ones(256, 512), veem.ones(256, 128)
    for f in (
        lambda: x.mT @ y,
        lambda: veem.einsum("ki,kj->ij", x, y),
        lambda: veem.tensordot(x, y, ([0], [0])),
    ):
        f()
        veem._core.reset_peak("cpu")
        before = veem._core.memory_stats("cpu")["live"]
        out = f()
        assert veem._core.memory_stats("cpu")["peak"] - before < 1.5 * out.nbytes
