"""Dropout inside attention: PyTorch's numbers from the same seed."""

import numpy as np
import pytest

import veem

torch = pytest.importorskip("torch", reason="PyTorch is the reference here")

HOW = [
    ((2, 3, 70, 8), (2, 3, 150, 8), {}),
    ((2, 4, 90, 5), (2, 4, 90, 5), {"is_causal": True}),
    ((2, 6, 17, 8), (2, 2, 40, 8), {"enable_gqa": True}),
    ((17, 200), (40, 200), {}),
]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("q", "k", "how"), HOW)
def test_dropout(q, k, how, masked):
    if masked and how.get("is_causal"):
        pytest.skip("either of both")
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s) for s in (q, k, k, (q[-2], k[-2]))[: 3 + masked]]
    results = []
    for lib in (torch, veem):
        lib.manual_seed(3)
        leaves = [lib.tensor(a, requires_grad=True) for a in arrays]
        out = lib.nn.functional.scaled_dot_product_attention(
            *leaves, dropout_p=0.3, **how
        )
        grads = lib.autograd.grad((out * out).sum(), leaves)
        results.append([t.detach().numpy() for t in (out, *grads, lib.rand(3))])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("p", [1.0, 1.5])
def test_shares(p):
    results = []
    for lib in (torch, veem):
        x = lib.ones(2, 3)
        try:
            attend = lib.nn.functional.scaled_dot_product_attention
            results.append(attend(x, x, x, dropout_p=p).tolist())
        except RuntimeError as error:
            results.append(type(error))
    assert results[0] == results[1]
