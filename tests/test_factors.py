"""Factors of matrices that have none, of low rank, and at the edges."""

import math

import numpy as np
import pytest

import veem
from veem import linalg

SINGULAR = veem.tensor([[[2.0, 1.0], [1.0, 3.0]], [[1.0, 2.0], [2.0, 4.0]]])


def test_info_says_which_matrices_fail():
    good = SINGULAR[0].numpy()
    out, info = linalg.inv_ex(SINGULAR)
    assert info.tolist() == [0, 2] and info.dtype is veem.int32
    np.testing.assert_allclose(out[0], np.linalg.inv(good), rtol=1e-6)
    assert out[1].isnan().all()
    out, info = linalg.solve_ex(SINGULAR, veem.ones(2, 2))
    assert info.tolist() == [0, 2] and out[1].isnan().all()
    np.testing.assert_allclose(out[0], np.linalg.solve(good, np.ones(2)), rtol=1e-6)
    _, pivots, info = linalg.lu_factor_ex(SINGULAR)
    assert (info.tolist(), pivots.tolist()) == ([0, 2], [[1, 2], [2, 2]])
    indefinite = veem.stack([SINGULAR[0], veem.tensor([[1.0, 2.0], [2.0, 1.0]])])
    out, info = linalg.cholesky_ex(indefinite)
    assert info.tolist() == [0, 2] and out[1].isnan().all()
    np.testing.assert_allclose(out[0], np.linalg.cholesky(good), rtol=1e-6)
    for check in (
        lambda: linalg.inv_ex(SINGULAR, check_errors=True),
        lambda: linalg.solve_ex(SINGULAR, veem.ones(2, 2), check_errors=True),
        lambda: linalg.lu_factor_ex(SINGULAR, check_errors=True),
        lambda: linalg.cholesky_ex(indefinite, check_errors=True),
    ):
        with pytest.raises(RuntimeError, match=r"(?i)singular|positive definite"):
            check()


def test_gradients_of_those_that_do_not_fail():
    x = SINGULAR.clone().requires_grad_()
    linalg.inv_ex(x).inverse[0].sum().backward()
    y = SINGULAR[0].clone().requires_grad_()
    linalg.inv(y).sum().backward()
    np.testing.assert_allclose(x.grad[0], y.grad, rtol=1e-5)


def test_lu_without_exchanges():
    x = veem.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=veem.float64)
    P, L, U = linalg.lu(x, pivot=False)
    assert P.shape == (0,) and (L @ U).tolist() == x.tolist()
    packed, pivots = linalg.lu_factor(x)
    P, L, U = veem.lu_unpack(packed, pivots)
    assert (P @ L @ U).allclose(x)
    P, L, U = veem.lu_unpack(packed, pivots, unpack_pivots=False)
    assert P.shape == (0,) and L.shape == (2, 2)
    P, L, U = veem.lu_unpack(packed, pivots, unpack_data=False)
    assert P.shape == (2, 2) and L.shape == U.shape == (0,)
    assert (x @ veem.lu_solve(veem.ones(2, 1).double(), packed, pivots)).allclose(
        veem.ones(2, 1).double()
    )


def test_what_lu_refuses():
    packed, pivots = linalg.lu_factor(veem.eye(3))
    for wrong in (
        lambda: linalg.lu_solve(packed, pivots.long(), veem.ones(3, 1)),
        lambda: linalg.lu_solve(packed, pivots[:2], veem.ones(3, 1)),
        lambda: linalg.lu_solve(packed, pivots, veem.ones(2, 1)),
        lambda: linalg.lu_solve(packed[:2], pivots, veem.ones(3, 1)),
        lambda: veem.lu_unpack(packed, pivots.long()),
    ):
        with pytest.raises(RuntimeError, match="lu_"):
            wrong()


def test_large_lu():
    x = veem.tensor(np.random.default_rng(0).standard_normal((2, 60, 60)))
    P, L, U = linalg.lu(x)
    np.testing.assert_allclose(P @ L @ U, x, atol=1e-12)
    assert L.abs().max() == 1 and (L.triu(1) == 0).all() and (U.tril(-1) == 0).all()


def test_triangular_solve():
    a, b = veem.tensor([[2.0, 1.0], [5.0, 4.0]]), veem.tensor([[3.0], [8.0]])
    for upper in (True, False):
        for transpose in (False, True):
            x, copy = veem.triangular_solve(b, a, upper, transpose)
            half = np.triu(a) if upper else np.tril(a)
            np.testing.assert_allclose((half.T if transpose else half) @ x.numpy(), b)
            assert copy.tolist() == a.tolist() and copy is not a


@pytest.mark.parametrize("shape", [(20, 8), (8, 20), (3, 20, 8)])
def test_low_rank(shape):
    veem.manual_seed(0)
    rng = np.random.default_rng(0)
    *batch, m, n = shape
    x = rng.standard_normal((*batch, m, 3)) @ rng.standard_normal((*batch, 3, n))
    x = veem.tensor(x)
    U, S, V = veem.svd_lowrank(x, q=4)
    np.testing.assert_allclose((U * S.unsqueeze(-2)) @ V.mT, x, atol=1e-9)
    np.testing.assert_allclose(S, np.linalg.svd(x.numpy())[1][..., :4], atol=1e-9)
    assert (U.shape[-2:], V.shape[-2:]) == ((m, 4), (n, 4))
    U, S, V = veem.svd_lowrank(x, q=4, M=veem.ones(n, dtype=x.dtype))
    np.testing.assert_allclose((U * S.unsqueeze(-2)) @ V.mT, x - 1, atol=1e-9)
    U, S, V = veem.pca_lowrank(x, q=3)
    centered = x - x.mean(-2, keepdim=True)
    np.testing.assert_allclose((U * S.unsqueeze(-2)) @ V.mT, centered, atol=1e-9)
    for f in (veem.svd_lowrank, veem.pca_lowrank):
        with pytest.raises(ValueError, match="not greater than"):
            f(x, 9)


def test_exponentials():
    turn = veem.tensor([[0.0, -math.pi], [math.pi, 0.0]], dtype=veem.float64)
    np.testing.assert_allclose(veem.matrix_exp(turn), -np.eye(2), atol=1e-14)
    large = linalg.matrix_exp(veem.diag(veem.tensor([50.0, -50.0, 0.0]).double()))
    np.testing.assert_allclose(large.diag(), np.exp([50, -50, 0]), rtol=1e-12)
    assert linalg.matrix_exp(veem.zeros(0, 0)).shape == (0, 0)
    assert linalg.matrix_exp(veem.full((2, 2), math.nan)).isnan().all()


def test_frexp_of_what_is_no_usual_number():
    x = veem.tensor([0.0, -0.0, math.inf, -math.inf, math.nan, 1e-45, 3e38])
    mantissa, exponent = veem.frexp(x)
    expected = np.frexp(x.numpy())
    np.testing.assert_array_equal(mantissa, expected[0])
    assert exponent[[0, 1, 5, 6]].tolist() == expected[1][[0, 1, 5, 6]].tolist()
    assert exponent.dtype is veem.int32
    half = veem.tensor([3.0, 0.1], dtype=veem.bfloat16).frexp()
    assert (half.mantissa.dtype, half.exponent.tolist()) == (veem.bfloat16, [2, -3])
    out = veem.empty(1), veem.empty(1, dtype=veem.int32)
    veem.frexp(veem.tensor([8.0]), out=out)
    assert [o.item() for o in out] == [0.5, 4]


def test_copies_share_nothing():
    x = veem.arange(6.0).reshape(2, 3)
    for name in ("t", "detach", "alias", "squeeze"):
        copy = getattr(veem, name + "_copy")(x)
        copy.zero_()
    for part in (*veem.unbind_copy(x), *veem.unsafe_split(x, 1), *x.unsafe_chunk(2)):
        part.zero_()
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]
    out = veem.empty(3, 2)
    assert veem.t_copy(x, out=out) is out and out.tolist() == x.T.tolist()
