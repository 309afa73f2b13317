"""Every row of tests/opinfo beside PyTorch: values, dtypes, gradients, exceptions."""

import functools
import re

import numpy as np
import pytest
from opinfo import HALVES, all_rows, tensor_of

import veem

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # those of PyTorch


def peer(row):
    if row.torch is None:
        return None
    path = row.name if row.torch == "same" else row.torch
    if path == row.name and not hasattr(torch, path):
        return getattr(torch.Tensor, path, None)
    return functools.reduce(getattr, path.split("."), torch)


ROWS = [r for r in all_rows() if peer(r) is not None]
CASES = [pytest.param(r, d, id=f"{r.name}-{d}") for r in ROWS for d in r.all_dtypes()]


def given(lib, args, row=None):
    """The arguments as tensors of one library; those that `row` says need gradients."""

    def convert(a, needs_grad):
        if isinstance(a, np.ndarray):
            x = tensor_of(lib, a)
            return x.requires_grad_() if needs_grad and x.is_floating_point() else x
        if isinstance(a, list) and any(isinstance(x, np.ndarray) for x in a):
            return [convert(x, needs_grad) for x in a]
        return a

    wanted = lambda i: row is not None and (row.diff is None or i in row.diff)
    return [convert(a, wanted(i)) for i, a in enumerate(args)]


def outputs(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def same(ours, theirs, tolerance, where):
    assert list(ours.shape) == list(theirs.shape), where
    assert str(ours.dtype) == str(theirs.dtype).replace("torch", "veem"), where
    if tolerance == np.inf:
        return
    np.testing.assert_allclose(
        ours.numpy(force=True),
        theirs.numpy(force=True),
        rtol=tolerance,
        atol=tolerance,
        err_msg=where,
    )


@pytest.mark.parametrize(("row", "dtype"), CASES)
def test_values_and_dtypes(row, dtype):
    eps = 4 * row.tolerance if dtype == "float32" else 1e-10
    if dtype in HALVES:
        eps = np.inf  # PyTorch rounds more often; test_ops.py holds ours to NumPy's
    for s in row.samples_of(dtype):
        ours = outputs(row.call(*given(veem, s.args), **s.kwargs))
        try:
            theirs = outputs(peer(row)(*given(torch, s.args), **s.kwargs))
        except NotImplementedError:
            assert dtype in HALVES  # some of which PyTorch lacks on the CPU
            continue
        for a, b in zip(ours, theirs):
            same(a, b, max(eps, row.peer_error), f"{row.name}{s}")


# What PyTorch lacks: gradients of scatter for a src larger than its index, of vander
# (which writes into what it has saved), dist for p = 0, batch_norm's statistics.
LACKING = "invalid gradient|inplace operation|undefined Tensor|not differentiable with"


@pytest.mark.parametrize(
    "row", [r for r in ROWS if r.order and "float64" in r.dtypes], ids=repr
)
def test_gradients(row):
    for s in row.samples(np.random.default_rng(11), "float64"):
        grads = []
        for lib, call in ((veem, row.call), (torch, peer(row))):
            args = given(lib, s.args, row)
            leaves = [a for x in args for a in (x if isinstance(x, list) else [x])]
            leaves = [a for a in leaves if getattr(a, "requires_grad", False)]
            try:
                outs = [o for o in outputs(call(*args, **s.kwargs)) if o.requires_grad]
                if not leaves or not outs:
                    break
                seeds = [lib.ones_like(o) for o in outs]
                grads.append(lib.autograd.grad(outs, leaves, seeds, allow_unused=True))
            except RuntimeError as error:
                assert lib is torch
                assert re.search(LACKING, str(error))
        for a, b in zip(*grads) if len(grads) == 2 else ():
            if a is None and b is None:
                continue
            b = torch.zeros(tuple(a.shape), dtype=torch.float64) if b is None else b
            a = veem.zeros(tuple(b.shape), dtype=veem.float64) if a is None else a
            same(a, b, row.peer_error, f"{row.name}{s}")


@pytest.mark.parametrize("row", [r for r in ROWS if r.wrong], ids=repr)
def test_exceptions(row):
    for w in row.wrong:
        with pytest.raises(Exception) as theirs:  # noqa: PT011
            peer(row)(*given(torch, w.args), **w.kwargs)
        with pytest.raises(Exception) as ours:  # noqa: PT011
            row.call(*given(veem, w.args), **w.kwargs)
        kind = type(theirs.value)
        if w.peer is not None:
            assert kind is w.peer, row.name
            continue
        assert issubclass(ours.type, kind) or issubclass(kind, ours.type), (
            row.name,
            kind,
            ours,
        )
