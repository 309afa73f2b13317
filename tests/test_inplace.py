"""Views and changes in place, as autograd sees them."""

import copy

import numpy as np
import pytest

import veem
from veem.autograd import gradcheck, gradgradcheck

# ---- changes through views -----------------------------------------------------------


every_device = pytest.mark.parametrize("device", veem._core.devices())


def base(n=4, device="cpu"):
    x = veem.arange(1.0, n + 1, device=device).requires_grad_()
    return x, x * 1


@every_device
def test_a_view_changed_in_place(device):
    x, y = base(device=device)
    v = y.view(2, 2)
    v.mul_(3)
    assert y.tolist() == [3, 6, 9, 12]
    assert [n.name() for n in (v.grad_fn, y.grad_fn)] == [
        "AsStridedBackward0",
        "CopySlices",
    ]
    (v.sum() + y.sum()).backward()
    assert x.grad.tolist() == [6, 6, 6, 6]


@every_device
def test_assignment_to_a_part(device):
    x, y = base(device=device)
    w = veem.tensor([5.0, 7.0], requires_grad=True, device=device)
    y[1:3] = w
    y[0].mul_(w[0])
    assert y.tolist() == [5, 5, 7, 4]
    (y * veem.arange(4.0, device=device)).sum().backward()
    assert x.grad.tolist() == [0, 0, 0, 3]
    assert w.grad.tolist() == [1, 2]


def test_a_base_without_history_gets_one():
    x, w = veem.zeros(4), veem.ones(2, requires_grad=True)
    v = x[:2]
    v.add_(w)
    assert x.requires_grad and not x.is_leaf and v.requires_grad
    (x * 5).sum().backward()
    assert w.grad.tolist() == [5, 5]


@every_device
def test_views_of_views_share_one_history(device):
    x, y = base(6, device)
    a = y.view(2, 3)
    b = a.t()[1:]  # columns 1 and 2
    c = y[3:]
    b.mul_(10)
    c.mul_(a[0].clone())
    assert y.tolist() == [1, 20, 30, 4, 50 * 20, 60 * 30]
    (a.sum() + b.sum() + c.sum()).backward()
    y0 = np.arange(1.0, 7)

    def total(z):
        z = z.copy()
        z[[1, 2, 4, 5]] *= 10
        z[3:] = z[3:] * z[:3]
        return z.sum() + z[[1, 2, 4, 5]].sum() + z[3:].sum()

    eye = np.eye(6) * 1e-3
    expected = [(total(y0 + e) - total(y0 - e)) / 2e-3 for e in eye]
    np.testing.assert_allclose(x.grad.cpu().numpy(), expected, rtol=1e-4)


@every_device
def test_a_view_made_before_its_base_was_changed(device):
    x, y = base(device=device)
    v, w = y[:2], y[2:]
    y.mul_(2)
    w.mul_(3)
    assert v.tolist() == [2, 4] and w.tolist() == [18, 24]
    (v * w).sum().backward()
    assert x.grad.tolist() == [36, 48, 12, 24]


@every_device
def test_a_base_that_is_not_contiguous(device):
    x = veem.arange(6.0, device=device).view(2, 3).requires_grad_()
    y = x.t() * 1
    y.detach()  # whatever layout it has, views of it work
    y[1].mul_(5)
    y[:, 1].add_(y[:, 0])
    (y * y).sum().backward()
    z = x.detach().cpu().numpy().T.copy()
    z[1] *= 5
    z[:, 1] += z[:, 0]
    g = 2 * z
    g[:, 0] += g[:, 1]
    g[1] *= 5
    assert x.grad.tolist() == g.T.tolist()


@every_device
def test_changes_through_parts_with_gaps(device):
    memory = veem.zeros(3, 4, device=device)
    y = memory[:, 1:3].detach()  # no view for autograd, but with gaps in memory
    w = veem.ones(3, device=device, requires_grad=True)
    y.mul_(w.view(3, 1) + 1)
    y[:, 0] += w
    y.t()[1] = w * 2
    (y * y).sum().backward()
    assert y.tolist() == [[1, 2]] * 3
    assert w.grad.tolist() == [2 * 1 + 2 * 2 * 2] * 3
    assert memory.tolist() == [[0, 1, 2, 0]] * 3


@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_of_every_order(order):
    def f(x, w):
        y = x * 3
        v = y[1:3]
        v.mul_(w)
        y.view(2, 2).t()[0].mul_(y[2].clone())
        y[3] = (w * w).sum()
        return y**3

    x = veem.randn(4, dtype=veem.float64, requires_grad=True)
    w = veem.randn(2, dtype=veem.float64, requires_grad=True)
    assert [gradcheck, gradgradcheck][order - 1](f, (x, w))


def test_an_inplace_op_that_saves_what_it_overwrites_has_second_derivatives():
    def f(x, w):
        y = x * 2
        y.mul_(w)  # the gradient of w is the old y
        return y.pow_(3)

    x = veem.randn(3, dtype=veem.float64, requires_grad=True)
    w = veem.randn(3, dtype=veem.float64, requires_grad=True)
    assert gradgradcheck(f, (x, w))


def test_data_is_not_followed():
    w = veem.ones(2, requires_grad=True)
    y, version = w * w, w._version
    w.data.add_(1)
    w.data[0] = 5
    y.sum().backward()
    assert w.tolist() == [5, 2] and w._version == version
    assert w.grad.tolist() == [10, 4]  # of what is there now, in silence, as in PyTorch


def test_retain_grad_goes_with_the_tensor_and_hooks_with_the_value():
    _, y = base(2)
    v, seen = y[:1], []
    for t in (y, v):
        t.retain_grad()
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.mul_(3)
    (y * 2).sum().backward(retain_graph=True)
    assert y.grad.tolist() == [2, 2] and seen == [[6, 6]]
    v.sum().backward()
    assert v.grad.tolist() == [1]


def test_custom_function_that_changes_a_view():
    class Double(veem.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x, y = base()
    assert Double.apply(y[:2]).tolist() == [2, 4]
    y.sum().backward()
    assert x.grad.tolist() == [2, 2, 1, 1]
    with pytest.raises(RuntimeError, match="leaf"):
        Double.apply(x)


class Same(veem.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x

    @staticmethod
    def backward(ctx, g):
        return g * 10


def test_a_function_that_returns_its_input():
    x, y = base(2)
    z = Same.apply(y)
    assert z is not y and z.grad_fn.name() == "SameBackward"
    (z + y).sum().backward()
    assert x.grad.tolist() == [11, 11]


# ---- what is refused -----------------------------------------------------------------


def leaf(x, y):
    x.mul_(2)


def view_of_a_leaf(x, y):
    x[:2] = 1


def view_made_unrecorded(x, y):
    with veem.no_grad():
        v = y[:2]
    v.mul_(2)


def read_after_a_change(x, y):
    with veem.no_grad():
        v = x[:2]
        x.mul_(2)
    _ = v.grad_fn


def several_elements_in_one_place(x, y):
    y.view(4, 1).expand(4, 2).mul_(2)


def windows_that_overlap(x, y):
    y.unfold(0, 2, 1).mul_(2)


def result_that_is_the_input(x, y):
    Same.apply(y).mul_(2)


def detach_a_view(x, y):
    y[:2].detach_()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (leaf, "mul_: a leaf Variable that requires grad"),
        (view_of_a_leaf, "setitem_: a view of a leaf|setitem_: a leaf"),
        (view_made_unrecorded, "created in no_grad mode and is being modified"),
        (read_after_a_change, "created in no_grad mode and its base"),
        (several_elements_in_one_place, "single memory location"),
        (windows_that_overlap, "single memory location"),
        (result_that_is_the_input, "created in no_grad mode"),
        (detach_a_view, "views in-place"),
    ],
)
def test_refuses(change, match):
    x, y = base()
    before = x.tolist(), y.tolist()
    with pytest.raises(RuntimeError, match=match):
        change(x, y)
    if change is not read_after_a_change:
        assert (x.tolist(), y.tolist()) == before


def test_memory_is_freed():
    before = veem._core.memory_stats("cpu")["live"]
    for _ in range(3):
        x, y = base(1000)
        v = y.view(10, 100)
        v.mul_(2)
        (v.sum() + y[:3].sum()).backward()
        del x, y, v
    assert veem._core.memory_stats("cpu")["live"] == before


# ---- hooks and the graph -------------------------------------------------------------


def test_hooks_change_gradients_or_are_refused():
    x, y = base(2)
    handle = y.register_hook(lambda g: g * 10)
    y.sum().backward(retain_graph=True)
    assert x.grad.tolist() == [10, 10]
    handle.remove()
    for wrong, error in [(3, TypeError), (veem.ones(3), RuntimeError)]:
        with y.register_hook(lambda g, wrong=wrong: wrong), pytest.raises(error):
            y.sum().backward(retain_graph=True)


def test_prehooks_of_a_node():
    x, y = base(2)
    y.grad_fn.register_prehook(lambda grads: (grads[0] * 3,))
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_next_functions():
    x, y = base(2)
    ((end, nr),) = (y + 0).grad_fn.next_functions
    assert end is y.grad_fn and nr == 0
    (leaf, _), *rest = (x + veem.ones(2)).grad_fn.next_functions
    assert leaf.variable is x and leaf.name() == "AccumulateGrad"
    assert rest == [(None, 0)]
    assert leaf == (x * 2).grad_fn.next_functions[0][0]


def test_once_differentiable():
    class Square(veem.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @veem.autograd.function.once_differentiable
        def backward(ctx, g):
            return 2 * g * ctx.saved_tensors[0]

    x = veem.ones(2, requires_grad=True)
    (g,) = veem.autograd.grad((Square.apply(x) * x).sum(), x, create_graph=True)
    assert g.tolist() == [3, 3]
    with pytest.raises(RuntimeError, match="once_differentiable"):
        g.sum().backward()


def test_copies_of_views_are_tensors_of_their_own():
    x = veem.arange(4.0)
    v = copy.deepcopy(x[1:3])
    v.add_(1)
    assert v._base is None and x.tolist() == [0, 1, 2, 3]
