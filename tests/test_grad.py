"""Gradients of every op against finite differences, to the order its row states."""

import numpy as np
import pytest
from opinfo import all_rows, tensors

import veem
from veem.autograd import gradcheck, gradgradcheck


def cases(order):
    return [r for r in all_rows() if r.order >= order and "float64" in r.dtypes]


def leaves(row, args):
    """The arguments with those to differentiate marked, and a function of these."""
    args = list(tensors(args))
    flat = []
    for i, a in enumerate(args):
        if row.diff is not None and i not in row.diff:
            continue
        for x in a if isinstance(a, list) else [a]:
            if isinstance(x, veem.Tensor) and x.is_floating_point():
                flat.append(x.requires_grad_())
    return args, flat


def rebuild(args, flat, values):
    swap = {id(x): v for x, v in zip(flat, values)}
    return [
        [swap.get(id(x), x) for x in a] if isinstance(a, list) else swap.get(id(a), a)
        for a in args
    ]


def function(row, sample, args, flat):
    def f(*values):
        out = row.call(*rebuild(args, flat, values), **sample.kwargs)
        return (
            tuple(o for o in out if o.is_floating_point())
            if isinstance(out, (tuple, list))
            else out
        )

    return f


def check(row, checker):
    rng = np.random.default_rng(3)
    for s in row.gradient_samples(rng, "float64"):
        args, flat = leaves(row, s.args)
        if flat and all(x.numel() for x in flat):
            assert checker(function(row, s, args, flat), flat), f"{row.name}{s}"


@pytest.mark.parametrize("row", cases(1), ids=repr)
def test_first_derivatives(row):
    check(row, gradcheck)


@pytest.mark.parametrize("row", cases(2), ids=repr)
def test_second_derivatives(row):
    check(row, gradgradcheck)


@pytest.mark.parametrize("row", cases(1), ids=repr)
def test_gradient_has_shape_and_dtype_of_its_input(row):
    for s in row.gradient_samples(np.random.default_rng(5), "float64"):
        args, flat = leaves(row, s.args)
        if not flat:
            continue
        out = function(row, s, args, flat)(*flat)
        for o in out if isinstance(out, (tuple, list)) else [out]:
            if o.requires_grad:
                o.backward(veem.ones_like(o), retain_graph=True)
        for x in flat:
            assert x.grad is not None, row.name
            assert x.grad.shape == x.shape, row.name
            assert x.grad.dtype == x.dtype, row.name


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("row", cases(1), ids=repr)
def test_fused_gradients_equal_plain_ones(row, dtype):
    """Recorded gradients run the plain formulas, others the fused kernels."""
    for s in row.gradient_samples(np.random.default_rng(9), dtype):
        args, flat = leaves(row, s.args)
        if not flat:
            continue
        out = function(row, s, args, flat)(*flat)
        outs = [
            o for o in (out if isinstance(out, tuple) else [out]) if o.requires_grad
        ]
        seeds = [veem.ones_like(o) * 0.7 for o in outs]
        pairs = [
            veem.autograd.grad(
                outs,
                flat,
                seeds,
                retain_graph=True,
                create_graph=recorded,
                allow_unused=True,
            )
            for recorded in (False, True)
        ]
        eps = 1e-10 if dtype == "float64" else 1e-4
        for fused, plain in zip(*pairs):
            if fused is not None:
                np.testing.assert_allclose(
                    fused.numpy(),
                    plain.detach().numpy(),
                    rtol=eps,
                    atol=eps,
                    err_msg=row.name,
                )
