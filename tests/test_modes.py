"""Inference mode, anomaly mode, and backward in several threads."""

import threading

import pytest

import veem

# ---- inference mode ------------------------------------------------------------------


def test_inference_mode():
    x = veem.ones(3, requires_grad=True)
    with veem.inference_mode():
        assert veem.is_inference_mode_enabled() and not veem.is_grad_enabled()
        y, v = x * 2, x.view(-1)
        with veem.enable_grad():
            assert not (x * 2).requires_grad
        with veem.inference_mode(False):
            assert (x * 2).requires_grad
        y.mul_(2)
    assert y.is_inference() and not v.is_inference() and not y.requires_grad
    assert y[:2].is_inference() and not (y + 1).is_inference()
    assert (x + y).requires_grad  # nothing of y is saved
    for refused, match in [
        (lambda: y.mul_(2), "Inplace update to inference tensor"),
        (lambda: y.requires_grad_(), "Setting requires_grad=True on inference"),
        (lambda: x * y, "cannot be saved for backward"),
        (lambda: y._version, "do not track version counter"),
        (lambda: v.mul_(2), "created in inference mode"),
    ]:
        with pytest.raises(RuntimeError, match=match):
            refused()
    assert not (x * y.clone()).is_inference()


def test_inference_mode_as_a_decorator():
    @veem.inference_mode()
    def f(x):
        return x * 2

    @veem.inference_mode
    def g(x):
        return f(x) * 2

    x = veem.ones(1, requires_grad=True)
    assert g(x).is_inference() and not veem.is_inference_mode_enabled()
    assert (x * 2).requires_grad


# ---- anomaly mode --------------------------------------------------------------------


def test_anomaly_mode_names_the_line_that_made_a_nan():
    x = veem.ones(3, requires_grad=True)
    with pytest.warns(UserWarning, match="should only be enabled for debugging"):
        mode = veem.autograd.detect_anomaly()
    with mode:
        y = (x - 1).sqrt() * 0  # the line
        with (
            pytest.warns(UserWarning, match="Error detected in SqrtBackward0"),
            pytest.raises(RuntimeError, match="returned nan values") as error,
        ):
            y.sum().backward()
    assert "test_modes.py" in str(error.value) and "# the line" in str(error.value)
    assert y.grad_fn.made_at is not None and (x * 1).grad_fn.made_at is None
    x.grad = None
    with veem.autograd.set_detect_anomaly(True, check_nan=False):
        (x.detach().requires_grad_() - 1).sqrt().sum().backward()


def test_anomaly_mode_names_both_lines_of_a_conflict():
    x = veem.ones(3, requires_grad=True)
    with veem.autograd.set_detect_anomaly(True):
        y = x.exp()  # saves its output
        y.view(-1).add_(1)  # changes it
        with (
            pytest.warns(UserWarning, match="ExpBackward0"),
            pytest.raises(RuntimeError, match="modified by an inplace") as error,
        ):
            y.sum().backward()
    text = str(error.value)
    assert "modified by an inplace operation" in text
    assert "# saves its output" in text and "# changes it" in text
    y = x.exp()
    y.add_(1)
    with pytest.raises(RuntimeError, match="set_detect_anomaly"):
        y.sum().backward()


def test_anomaly_mode_follows_a_derivative_to_its_cause():
    x = veem.zeros(1, requires_grad=True)
    with veem.autograd.set_detect_anomaly(True):
        y = x.abs().pow(1.5)  # its second derivative at 0 is infinite
        (g,) = veem.autograd.grad(y, x, create_graph=True)
        with (
            pytest.warns(UserWarning, match="PowBackward0") as record,
            pytest.raises(RuntimeError, match="nan"),
        ):
            (g * 0).backward()
    assert "second derivative at 0" in str(record[0].message)


# ---- threads -------------------------------------------------------------------------


def in_threads(n, f):
    errors = []

    def run():
        try:
            f()
        except BaseException as e:  # to the thread that looks
            errors.append(e)

    threads = [threading.Thread(target=run) for _ in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]


def test_grad_mode_is_of_one_thread():
    with veem.no_grad():
        seen = []
        in_threads(1, lambda: seen.append(veem.is_grad_enabled()))
    assert seen == [True]


def test_backward_from_several_threads():
    w = veem.ones(300, 300, requires_grad=True)
    shared = w * 2  # one graph below them all, whose node saves nothing

    def train():
        for _ in range(5):
            (shared * shared.detach()).sum().backward()
            (w * veem.ones(300, 300)).sum().backward()

    in_threads(6, train)
    assert veem.equal(w.grad, veem.full((300, 300), 6 * 5 * (2 * 2 + 1.0)))


def test_two_threads_may_retain_one_graph():
    x = veem.randn(50, requires_grad=True)
    y = x.exp().sin()
    (expected,) = veem.autograd.grad(y.sum(), x, retain_graph=True)

    def look():
        for _ in range(20):
            (g,) = veem.autograd.grad(y.sum(), x, retain_graph=True)
            assert veem.equal(g, expected)

    in_threads(4, look)
