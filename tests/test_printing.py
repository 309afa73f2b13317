"""What is printed, against what PyTorch printed when asked, written down here.

PyTorch itself is asked in reference/test_printing_reference.py.
"""

import math
import pickle

import pytest

import veem

PRINTED = {
    "tensor(3.5000)": lambda: veem.tensor(3.5),
    "tensor(7)": lambda: veem.tensor(7),
    "tensor([1., 2., 3.])": lambda: veem.tensor([1.0, 2, 3]),
    "tensor([-0., 0.])": lambda: veem.tensor([-0.0, 0.0]),
    "tensor([nan, inf, -inf])": lambda: veem.tensor([math.nan, math.inf, -math.inf]),
    "tensor([nan, 1.])": lambda: veem.tensor([math.nan, 1.0]),
    "tensor([   nan, 0.5000])": lambda: veem.tensor([math.nan, 0.5]),
    "tensor([1.0000e-05, 1.0000e+00])": lambda: veem.tensor([1e-5, 1]),
    "tensor([1.0000e+00, 1.0000e+09])": lambda: veem.tensor([1, 1e9]),
    "tensor([ True, False])": lambda: veem.tensor([True, False]),
    "tensor([[ 1, 20],\n        [-3,  4]])": lambda: veem.tensor([[1, 20], [-3, 4]]),
    "tensor([])": lambda: veem.zeros(0),
    "tensor([], size=(0, 3))": lambda: veem.zeros(0, 3),
    "tensor([], dtype=veem.int64)": lambda: veem.zeros(0).long(),
    "tensor([1., 1.], dtype=veem.float16)": lambda: veem.ones(2).half(),
    "tensor([0, 1], dtype=veem.uint8)": lambda: veem.arange(2).byte(),
    "tensor([1.], requires_grad=True)": lambda: veem.ones(1, requires_grad=True),
    "tensor([2.], grad_fn=<AddBackward0>)": lambda: (
        veem.ones(1, requires_grad=True) + 1
    ),
    "tensor([   0,    1,    2,  ..., 1998, 1999, 2000])": lambda: veem.arange(2001),
    "tensor([[[1., 1.]],\n\n        [[1., 1.]]])": lambda: veem.ones(2, 1, 2),
    "Parameter containing:\ntensor([1., 1.], requires_grad=True)": lambda: (
        veem.nn.Parameter(veem.ones(2))
    ),
    "veem.Size([2, 3])": lambda: veem.ones(2, 3).shape,
    "device(type='cpu')": lambda: veem.ones(1).device,
    "device(type='cuda', index=1)": lambda: veem.device("cuda:1"),
    "veem.float32": lambda: veem.float,
}


@pytest.mark.parametrize("text", PRINTED)
def test_printed(text):
    assert repr(PRINTED[text]()) == text


@pytest.fixture(autouse=True)
def _usual_options():
    yield
    veem.set_printoptions(profile="default")


def test_long_rows_wrap():
    lines = repr(veem.arange(40) / 3).splitlines()
    assert [line.count(".") for line in lines] == [8] * 5
    assert lines[1].startswith(" " * 8 + " 2.6667, ")
    veem.set_printoptions(linewidth=40)
    assert max(map(len, repr(veem.arange(40) / 3).splitlines())) <= 40


def test_options():
    x = veem.tensor([0.123456, 1000.5])
    veem.set_printoptions(precision=2)
    assert repr(x) == "tensor([1.23e-01, 1.00e+03])"
    veem.set_printoptions(sci_mode=False)
    assert repr(x) == "tensor([   0.12, 1000.50])"
    veem.set_printoptions(threshold=3, edgeitems=1)
    assert repr(veem.arange(9)) == "tensor([0,  ..., 8])"
    veem.set_printoptions(edgeitems=0)
    assert repr(veem.arange(9)) == "tensor([...], size=(9,))"
    veem.set_printoptions(profile="short")
    assert repr(x[:1]) == "tensor([0.12])"
    veem.set_printoptions(profile="full")
    assert "..." not in repr(veem.arange(2000))
    assert veem.printing.get_printoptions()["threshold"] == math.inf


def test_options_within():
    with pytest.raises(ZeroDivisionError), veem.printing.printoptions(precision=1):
        raise ZeroDivisionError(repr(veem.tensor(0.25)) == "tensor(0.2)")
    assert repr(veem.tensor(0.25)) == "tensor(0.2500)"


def test_formats():
    x = veem.tensor(3.14159, requires_grad=True)
    assert f"{x:.2f} {veem.tensor(7):3d}" == "3.14   7"
    assert f"{veem.tensor(2.5)}" == "2.5"
    assert str(veem.tensor(2.5)) == "tensor(2.5000)"
    assert f"{veem.ones(2)}" == "tensor([1., 1.])"
    for many in (veem.ones(2), veem.nn.Parameter(veem.tensor(1.0))):
        with pytest.raises(TypeError, match="unsupported format string"):
            format(many, ".2f")


def test_a_default_dtype_is_not_named():
    try:
        veem.set_default_dtype(veem.float64)
        assert repr(veem.ones(1)) == "tensor([1.])"
        assert repr(veem.ones(1).float()) == "tensor([1.], dtype=veem.float32)"
    finally:
        veem.set_default_dtype(veem.float32)


def test_results_of_several():
    x = veem.tensor([[1.0, 3.0], [4.0, 2.0]])
    assert repr(x.max(0)) == (
        "veem.return_types.max(\nvalues=tensor([4., 3.]),\nindices=tensor([1, 0]))"
    )
    results = [x.sort(), x.topk(1), x.aminmax(), veem.linalg.qr(x), veem.svd(x)]
    names = [type(r).__name__ for r in results]
    assert names == ["sort", "topk", "aminmax", "linalg_qr", "svd"]
    assert all(getattr(veem.return_types, name) for name in names)
    again = pickle.loads(pickle.dumps(x.max(0)))
    assert type(again) is veem.return_types.max and repr(again) == repr(x.max(0))


def test_old_names_of_types():
    assert veem.ones(1).type() == "veem.FloatTensor"
    assert veem.ones(1).long().type() == "veem.LongTensor"
    parameters = veem.nn.ParameterDict({"a": veem.nn.Parameter(veem.ones(2, 3))})
    assert "(a): Parameter containing: [veem.FloatTensor of size 2x3]" in repr(
        parameters
    )


m = veem.arange(12.0).reshape(3, 4).add(1).requires_grad_()
y = veem.zeros(3, dtype=veem.int64)
HISTORIES = {
    "AddBackward0": lambda: m + 1,
    "RsubBackward1": lambda: 1 - m,
    "PowBackward0": lambda: m**2,
    "PowBackward1": lambda: m**m,
    "PowBackward2": lambda: 2**m,
    "ClampBackward1": lambda: m.clamp(min=0),
    "SumBackward0": lambda: m.sum(),
    "SumBackward1": lambda: m.sum(0),
    "MeanBackward0": lambda: m.mean(),
    "MaxBackward0": lambda: m.max(0).values,
    "MaxBackward1": lambda: m.max(),
    "MaximumBackward0": lambda: veem.max(m, m),
    "StdBackward0": lambda: m.std(),
    "LinalgVectorNormBackward0": lambda: m.norm(),
    "ViewBackward0": lambda: m.view(-1),
    "UnsafeViewBackward0": lambda: m.T.reshape(-1),
    "TBackward0": lambda: m.t(),
    "CloneBackward0": lambda: m.T.contiguous(),
    "SelectBackward0": lambda: m[0],
    "SliceBackward0": lambda: m[:, 1:],
    "UnsqueezeBackward0": lambda: m[None],
    "IndexBackward0": lambda: m[m > 0],
    "ToCopyBackward0": lambda: m.double(),
    "StackBackward0": lambda: veem.stack([m, m]),
    "MmBackward0": lambda: m @ m.T,
    "MvBackward0": lambda: m @ m[0],
    "DotBackward0": lambda: m[0] @ m[0],
    "AddmmBackward0": lambda: veem.nn.Linear(4, 2)(m),
    "ReluBackward0": lambda: veem.relu(m),
    "MseLossBackward0": lambda: veem.nn.functional.mse_loss(m, m * 2),
    "NllLossBackward0": lambda: veem.nn.functional.cross_entropy(m, y),
    "GeometricBackward0": lambda: (m * 1).geometric_(0.5),
    "CopySlices": lambda: setitem(m * 1, 0, 1.0),
}


def setitem(x, index, value):
    x[index] = value
    return x


@pytest.mark.parametrize("name", HISTORIES)
def test_names_of_grad_fn(name):
    out = HISTORIES[name]()
    assert out.grad_fn.name() == name
    out.sum().backward()  # frees what was saved, but not the name
    assert f"grad_fn=<{name}>" in repr(out)


def test_names_stay_with_their_nodes():
    x = m * 2
    with veem.no_grad():
        x.zero_()
    assert x.grad_fn.name() == "MulBackward0"
    assert veem.nn.functional.dropout(x, training=False).grad_fn is x.grad_fn
