"""checkpoint: the gradients of a plain call, with less memory."""

import pytest

import veem
from veem import nn
from veem.utils.checkpoint import checkpoint, checkpoint_sequential


def gradients(model, run, x):
    model.zero_grad()
    x.grad = None
    veem.manual_seed(3)
    loss = run(x)
    loss.backward()
    return [loss, x.grad, *(p.grad for p in model.parameters())]


def same(a, b):
    return len(a) == len(b) and all(veem.equal(p, q) for p, q in zip(a, b))


@pytest.fixture
def model():
    veem.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 2))


@pytest.fixture
def x():
    return veem.randn(5, 4, requires_grad=True)


def test_gradients_and_dropout_are_those_of_a_plain_call(model, x):
    plain = gradients(model, lambda x: model(x).square().sum(), x)
    for reentrant in (True, False):
        again = gradients(
            model,
            lambda x, r=reentrant: checkpoint(model, x, use_reentrant=r).square().sum(),
            x,
        )
        assert same(plain, again)
    split = lambda x: checkpoint_sequential(model, 2, x).square().sum()
    assert same(plain, gradients(model, split, x))


def test_parameters_get_gradients_though_the_input_needs_none(model, x):
    checkpoint(model, x.detach()).sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_autograd_grad_and_second_derivatives(x):
    f = lambda x: (x**3 * x.sum()).sum()
    (first,) = veem.autograd.grad(checkpoint(f, x), x, create_graph=True)
    (second,) = veem.autograd.grad(first.square().sum(), x)
    (plain,) = veem.autograd.grad(f(x), x, create_graph=True)
    (expected,) = veem.autograd.grad(plain.square().sum(), x)
    assert veem.allclose(first, plain) and veem.allclose(second, expected)


def test_several_results_and_other_arguments(x):
    def f(x, word, scale=1.0):
        return x * scale, word, x.sum()

    y, word, total = checkpoint(f, x, "word", scale=2.0)
    assert word == "word"
    (y.sum() + total).backward()
    assert veem.equal(x.grad, veem.full_like(x, 3.0))


def test_hooks_run_once(model, x):
    seen = []
    h = x * 1
    h.register_hook(lambda g: seen.append("h"))
    model[0].weight.register_hook(lambda g: seen.append("w"))
    checkpoint(model, h).sum().backward()
    assert sorted(seen) == ["h", "w"]


def test_it_keeps_no_inner_values(x):
    def deep(x):
        for _ in range(20):
            x = (x * 1.5).tanh()
        return x

    wide = x.repeat(1000, 1).detach().requires_grad_()
    live = lambda: veem._core.memory_stats("cpu")["live"]
    before = live()
    plain = deep(wide)
    kept = live() - before
    del plain
    out = checkpoint(deep, wide)
    assert live() - before < kept / 10
    out.sum().backward()


def test_without_gradients_it_is_a_call(model, x):
    with veem.no_grad():
        assert checkpoint(model, x).grad_fn is None
    assert not checkpoint(lambda x: x * 2, x.detach()).requires_grad


def test_what_it_cannot_do_is_refused(x):
    computed = x * 2
    with pytest.raises(RuntimeError, match="not among its arguments"):
        checkpoint(lambda x: x * computed, x)
    a, b = x.split(3)
    with pytest.raises(RuntimeError, match="not among its arguments"):
        checkpoint(lambda a: a.sum() + b.sum(), a)
    with pytest.raises(NotImplementedError, match="context_fn"):
        checkpoint(lambda x: x, x, context_fn=print)
    out = checkpoint(lambda x: x.exp(), x).sum()
    out.backward()
    with pytest.raises(RuntimeError, match="a second time"):
        out.backward()
