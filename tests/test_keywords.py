"""Keywords of PyTorch's that veem takes: memory_format, layout, out, options."""

import pickle

import numpy as np
import pytest

import veem
from veem.nn import LinearCrossEntropyOptions
from veem.nn import functional as F


def test_memory_format_changes_nothing():
    x = veem.randn(3, 2).T
    for form in (veem.preserve_format, veem.contiguous_format):
        assert veem.equal(x.to(veem.float64, memory_format=form), x.double())
        assert veem.equal(veem.ones_like(x, memory_format=form), veem.ones(2, 3))
        assert pickle.loads(pickle.dumps(form)) is form
    for source in (x, x.contiguous()):  # a copy also where nothing has to move
        copy = source.clone(memory_format=veem.contiguous_format)
        assert copy.is_contiguous() and copy.equal(x)
        assert copy.data_ptr() != source.data_ptr()
    assert repr(veem.preserve_format) == "veem.preserve_format"
    for call in (x.clone, x.contiguous, x.half, x.to):
        with pytest.raises(NotImplementedError, match="memory_format"):
            call(memory_format="channels_last")


def test_layout_is_strided():
    assert veem.rand_like(veem.ones(2), layout=veem.strided).shape == (2,)
    with pytest.raises(NotImplementedError, match="sparse_coo"):
        veem.zeros_like(veem.ones(2), layout="sparse_coo")


def test_to_copies_when_told_by_position():
    x = veem.ones(2)
    assert x.to(veem.float32, False, False) is x
    assert x.to(veem.float32, False, True).data_ptr() != x.data_ptr()
    assert x.to(x, True, True).data_ptr() != x.data_ptr()


def test_inplace_functions():
    x = veem.tensor([1.0, -2.0])
    assert veem.clamp_(x, min=0) is x and x.tolist() == [1, 0]
    assert veem.zero_(x) is x and x.tolist() == [0, 0]
    assert veem.resize_as_(x, veem.ones(2, 1)).shape == (2, 1)


@pytest.mark.parametrize(
    "name, args",
    [
        ("gather", (1, veem.tensor([[0, 2]]))),
        ("index_select", (1, veem.tensor([2, 0]))),
        ("masked_select", (veem.tensor([True, False, True]),)),
        ("take", (veem.tensor([3, 0]),)),
        ("amax", (1,)),
        ("kthvalue", (2,)),
    ],
)
def test_out(name, args):
    f, x = getattr(veem, name), veem.arange(6.0).reshape(2, 3)
    expected = f(x, *args)
    several = isinstance(expected, tuple)
    empty = [t.new_empty(0) for t in (expected if several else [expected])]
    got = f(x, *args, out=tuple(empty) if several else empty[0])
    assert type(got) is type(expected)
    for out, g, e in zip(empty, *([got, expected] if several else [[got], [expected]])):
        assert g is out and veem.equal(out, e)
    with pytest.raises(RuntimeError, match="out="):
        f(x.requires_grad_(), *args, out=tuple(empty) if several else empty[0])


def test_windows_of_bool():
    x = veem.tensor([[[[True, False], [False, True]]]])
    out = F.unfold(x, 2)
    assert out.dtype == veem.bool
    assert out.flatten().tolist() == [True, False, False, True]


def test_square_of_bool():
    out = veem.square(veem.tensor([True, False]))
    assert out.dtype == veem.int64 and out.tolist() == [1, 0]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("rows", [1, 3, 7, None])
def test_linear_cross_entropy_in_chunks(reduction, weighted, rows):
    veem.manual_seed(0)
    x, w = veem.randn(7, 4).double(), veem.randn(5, 4).double()
    bias, y = veem.randn(5).double(), veem.tensor([0, 4, 2, 1, 2, 3, 2])
    weight = veem.rand(5).double() if weighted else None
    found = []
    for options in (None, LinearCrossEntropyOptions(batch_chunk_size=rows)):
        leaves = [t.detach().requires_grad_() for t in (x, w, bias)]
        loss = F.linear_cross_entropy(
            *leaves[:2],
            y,
            linear_bias=leaves[2],
            weight=weight,
            reduction=reduction,
            ignore_index=2,
            options=options,
        )
        loss.sum().backward()
        found.append([loss.detach(), *[t.grad for t in leaves]])
    for whole, chunked in zip(*found):
        np.testing.assert_allclose(chunked.numpy(), whole.numpy(), rtol=1e-12)


def test_options_of_chunks():
    x = veem.ones(64, 8)
    assert LinearCrossEntropyOptions().rows(x, 64) == 4
    assert LinearCrossEntropyOptions(chunking_method="aspect_ratio").rows(x, 64) == 8
    assert LinearCrossEntropyOptions(chunking_method=None).rows(x, 64) == 64
    with pytest.raises(ValueError, match="pass only one"):
        LinearCrossEntropyOptions(False, 3, "aspect_ratio").rows(x, 64)
    for wrong in (
        {"acc_policy": "fast"},
        {"chunking_method": "aspect_ratio:0"},
        {"batch_chunk_size": 0},
        {"acc_dtype": veem.int64},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            LinearCrossEntropyOptions(**wrong)


def test_histogram_has_a_hundred_bins_unless_told():
    hist, edges = veem.histogram(veem.randn(50), density=True)
    assert hist.shape == (100,) and edges.shape == (101,)


# ---- functions whose result is named after their arguments ---------------------------

X = veem.arange(8.0).view(2, 4).requires_grad_()
NAMED = [
    (F.pad, {"input": X, "pad": (1, 1), "mode": "constant", "value": 0}, "ConstantPad"),
    (F.pad, {"input": X[None], "pad": (1, 1), "mode": "reflect"}, "ReflectionPad1D"),
    (F.cross_entropy, {"input": X, "target": veem.tensor([0, 1])}, "NllLoss"),
    (F.cross_entropy, {"target": X.detach(), "input": X, "reduction": "sum"}, "Neg"),
    (F.nll_loss, {"target": veem.tensor([0, 1]), "input": X}, "NllLoss"),
    (F.interpolate, {"input": X[None], "scale_factor": 2}, "UpsampleNearest1D"),
    (veem.masked_fill, {"input": X, "value": 0, "mask": X > 3}, "MaskedFillBackward0"),
    (veem.max, {"input": X}, "MaxBackward1"),
    (veem.diag, {"input": X}, "Diagonal"),
    (veem.median, {"dim": 1, "input": X}, "Median"),
    (veem.split, {"input": X, "split_size_or_sections": 1}, "Split"),
]


@pytest.mark.parametrize("function, arguments, name", NAMED)
def test_names_of_nodes_do_not_mind_keywords(function, arguments, name):
    out = function(**arguments)
    out = out[0] if isinstance(out, tuple) else out
    assert out.grad_fn.name().startswith(name)
