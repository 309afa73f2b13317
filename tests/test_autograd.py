"""The tape: accumulation, hooks, modes, in-place changes, memory, depth."""

import gc
import threading

import numpy as np
import pytest

import veem
from veem.autograd import Function, grad


def leaf(*values):
    return veem.tensor(list(values), requires_grad=True)


def test_gradients_accumulate_over_uses_and_over_backwards():
    x = leaf(2.0, 3.0)
    (x * x + x).sum().backward()
    assert x.grad.tolist() == [5.0, 7.0]
    (x * 3).sum().backward()
    assert x.grad.tolist() == [8.0, 10.0]


def test_two_leaves_never_share_a_gradient():
    a, b = leaf(1.0), leaf(2.0)
    (a + b).backward()
    a.grad.mul_(5)
    assert b.grad.tolist() == [1.0]


def test_user_gradient_is_not_kept():
    a, g = leaf(1.0), veem.ones(1)
    a.clone().backward(g)
    a.grad.mul_(5)
    assert g.tolist() == [1.0]


def test_second_backward_needs_retain_graph():
    x = leaf(2.0)
    y = x.exp().sum()
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(RuntimeError, match="second time.*retain_graph=True"):
        y.backward()


def test_nodes_that_saved_nothing_can_be_walked_again():
    x = leaf(2.0)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2.0]


def test_backward_of_a_non_scalar_needs_a_gradient():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="scalar outputs"):
        (x * 2).backward()
    with pytest.raises(RuntimeError, match="mismatch in shape"):
        (x * 2).backward(veem.ones(3))
    with pytest.raises(RuntimeError, match="does not require grad"):
        veem.ones(1).backward()


def test_grad_of_grad():
    x = leaf(2.0)
    (g,) = grad((x**4).sum(), [x], create_graph=True)
    (gg,) = grad(g.sum(), [x], create_graph=True)
    (ggg,) = grad(gg.sum(), [x])
    assert (g.item(), gg.item(), ggg.item()) == (32.0, 48.0, 48.0)
    assert x.grad is None


def test_saved_output_carries_history_in_double_backward():
    x = leaf(0.5)
    (g,) = grad(x.exp().sum(), [x], create_graph=True)
    (gg,) = grad(g.sum(), [x])
    assert gg.item() == pytest.approx(np.exp(0.5))


def test_grad_of_intermediate_and_unused():
    x, unused = leaf(3.0), leaf(1.0)
    y = x * 2
    z = (y * y).sum()
    gy, gx = grad(z, [y, x], retain_graph=True)
    assert (gy.item(), gx.item()) == (12.0, 24.0)
    with pytest.raises(RuntimeError, match="allow_unused"):
        grad(z, [unused], retain_graph=True)
    assert grad(z, [unused], retain_graph=True, allow_unused=True) == (None,)
    (zero,) = grad(z, [unused], materialize_grads=True)
    assert zero.tolist() == [0.0]


def test_backward_into_chosen_inputs_only():
    a, b = leaf(2.0), leaf(3.0)
    (a * b).backward(inputs=[a])
    assert a.grad.tolist() == [3.0]
    assert b.grad is None


def test_modes():
    x = leaf(1.0)
    with veem.no_grad():
        assert not (x * 2).requires_grad
        with veem.enable_grad():
            assert (x * 2).requires_grad
    assert (x * 2).requires_grad

    @veem.no_grad()
    def f(v):
        return v * 2

    assert not f(x).requires_grad
    veem.set_grad_enabled(False)
    assert not (x * 2).requires_grad
    veem.set_grad_enabled(True)
    with veem.set_grad_enabled(False):
        assert not veem.is_grad_enabled()
    assert veem.is_grad_enabled()
    with veem.inference_mode():
        assert not (x * 2).requires_grad


def test_mode_is_per_thread():
    seen = []
    with veem.no_grad():
        t = threading.Thread(target=lambda: seen.append(veem.is_grad_enabled()))
        t.start()
        t.join()
    assert seen == [True]


def test_generator_under_no_grad_leaves_its_user_alone():
    @veem.no_grad()
    def numbers():
        yield veem.is_grad_enabled()

    for inside in numbers():
        assert not inside
        assert veem.is_grad_enabled()


def test_hooks():
    x = leaf(1.0, 2.0)
    y = x * 3
    seen = []
    handle = y.register_hook(lambda g: seen.append(g.tolist()))
    y.register_hook(lambda g: g * 10)
    (y * y).sum().backward()
    assert seen == [[6.0, 12.0]]
    assert x.grad.tolist() == [180.0, 360.0]
    handle.remove()


def test_leaf_hook_sees_the_whole_gradient_once():
    x = leaf(1.0)
    seen = []
    x.register_hook(lambda g: seen.append(g.item()))
    (x * 2 + x * 3).backward()
    assert seen == [5.0]


def test_post_accumulate_hook():
    x = leaf(1.0)
    seen = []
    x.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.item()))
    (x * 2).backward()
    assert seen == [2.0]


def test_retain_grad():
    x = leaf(1.0)
    y = x * 2
    y.retain_grad()
    (y * 3).backward()
    assert y.grad.item() == 3.0


def test_detach_shares_memory_and_stops_gradients():
    x = leaf(1.0, 2.0)
    d = (x * 1).detach()
    assert not d.requires_grad
    y = x.detach()
    y.fill_(7)
    assert x.tolist() == [7.0, 7.0]


def test_function():
    class Cube(Function):
        @staticmethod
        def forward(ctx, x, power):
            ctx.save_for_backward(x)
            ctx.power = power
            return x**power

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * ctx.power * x ** (ctx.power - 1), None

    x = leaf(2.0)
    y = Cube.apply(x, 3)
    assert "CubeBackward" in repr(y.grad_fn)
    (g,) = grad(y, [x], create_graph=True)
    assert g.item() == 12.0
    (gg,) = grad(g, [x])
    assert gg.item() == 12.0
    with pytest.raises(RuntimeError, match="apply"):
        Cube()


def test_function_with_wrong_number_of_gradients():
    class Bad(Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(RuntimeError, match="expected 2, got 1"):
        Bad.apply(leaf(1.0), leaf(1.0)).backward()


# ---- in-place ------------------------------------------------------------------------


def test_inplace_on_an_intermediate_is_recorded():
    x = leaf(2.0)
    y = x * 3
    y.mul_(x)  # 3 x^2
    y += 1
    y.backward()
    assert x.grad.item() == 12.0


def test_inplace_activation_keeps_what_it_needs():
    x = leaf(-1.0, 2.0)
    y = (x * 2).relu_()
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 2.0]


def test_inplace_on_a_leaf_is_refused():
    x = leaf(1.0)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        x.add_(1)
    with pytest.raises(RuntimeError, match="view of a leaf"):
        x.view(1).add_(1)
    with veem.no_grad():
        x.add_(1)
    assert x.item() == 2.0


def test_overwritten_saved_value_is_noticed():
    x = leaf(2.0)
    y = x * 1
    z = y * y
    y.add_(1)
    with pytest.raises(
        RuntimeError, match="mul.*version 0.*version 1|inplace operation"
    ):
        z.backward()


def test_change_through_a_view_or_detach_is_noticed():
    for change in (lambda t: t.view(-1), lambda t: t.detach()):
        x = leaf(2.0)
        y = x * 1
        z = y.exp()
        w = z * 2
        with veem.no_grad():
            change(z).add_(1)
        with pytest.raises(RuntimeError, match="inplace operation"):
            w.backward()


def test_change_of_data_goes_unseen():
    x = leaf(2.0)
    y = (x * 1).exp()
    y.data.add_(1)
    y.backward()
    assert x.grad.item() == pytest.approx(np.exp(2) + 1)


# ---- depth and memory ----------------------------------------------------------------


def test_deep_graph():
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.backward()
    assert x.grad.item() == 1.0
    del y


def test_live_bytes_return_without_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        w = veem.ones(64, 64, requires_grad=True)
        x = veem.ones(8, 64)

        def step():
            h = (x @ w).relu_()
            loss = (h.exp() * h).sum() / 100
            loss.backward()
            w.grad = None

        step()
        before = veem._core.memory_stats("cpu")["live"]
        for _ in range(5):
            step()
        assert veem._core.memory_stats("cpu")["live"] == before
    finally:
        gc.enable()


def test_unused_graph_is_freed_without_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0)
        before = veem._core.memory_stats("cpu")["live"]
        y = x
        for _ in range(10):
            y = y.exp() * y
        del y
        assert veem._core.memory_stats("cpu")["live"] == before
    finally:
        gc.enable()


# ---- derivatives of functions --------------------------------------------------------


def test_jacobian_and_hessian():
    f = veem.autograd.functional
    a = veem.tensor([[1.0, 2], [3, 4], [5, 6]])
    x, v = veem.tensor([0.5, -1.0]), veem.tensor([2.0, 1.0])
    assert f.jacobian(lambda x: a @ x, x).tolist() == a.tolist()
    out, product = f.jvp(lambda x: a @ x, x, v)
    assert out.tolist() == (a @ x).tolist() and product.tolist() == (a @ v).tolist()
    assert f.vjp(lambda x: a @ x, x, veem.ones(3))[1].tolist() == [9, 12]
    cube = lambda x: (x**3).sum()
    assert f.hessian(cube, x).tolist() == [[3, 0], [0, -6]]
    assert f.hvp(cube, x, v)[1].tolist() == f.vhp(cube, x, v)[1].tolist() == [6, -6]
    (xx, xy), (yx, yy) = f.hessian(lambda x, y: (x * y).sum(), (x, v))
    assert (xx.tolist(), xy.tolist()) == ([[0, 0], [0, 0]], [[1, 0], [0, 1]])
    assert (yx.tolist(), yy.tolist()) == (xy.tolist(), xx.tolist())
    with pytest.raises(RuntimeError, match="single Tensor with a single element"):
        f.hessian(lambda x: x, x)
    with pytest.raises(RuntimeError, match="vjp: v has the shapes"):
        f.vjp(lambda x: a @ x, x, x)


def test_saved_outputs_without_gradient_need_none():
    class Sorted(veem.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            values, order = x.sort()
            ctx.mark_non_differentiable(order)
            ctx.save_for_backward(values, order)
            return values, order

        @staticmethod
        def backward(ctx, g, _):
            values, order = ctx.saved_tensors
            assert values.requires_grad and not order.requires_grad
            return veem.zeros_like(g).scatter(0, order, g)

    x = veem.tensor([3.0, 1.0, 2.0], requires_grad=True)
    values, order = Sorted.apply(x)
    assert values.requires_grad and not order.requires_grad
    (values * veem.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [100, 1, 10]
