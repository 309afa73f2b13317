"""Views show the memory that they are views of, however large they are."""

import numpy as np
import pytest

import veem

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
DEVICES = veem._core.devices()

VIEWS = {
    "view": lambda x: x.view(6, 4),
    "reshape": lambda x: x.reshape(-1, 2),
    "view of a dtype": lambda x: x.view(veem.int32),
    "flatten": lambda x: x.flatten(),
    "unflatten": lambda x: x.unflatten(2, (2, 2)),
    "ravel": lambda x: x.ravel(),
    "transpose": lambda x: x.transpose(0, 2),
    "permute": lambda x: x.permute(2, 0, 1),
    "movedim": lambda x: x.movedim(0, -1),
    "adjoint": lambda x: x.adjoint(),
    "T": lambda x: x[0].T,
    "t": lambda x: x[0].t(),
    "mT": lambda x: x.mT,
    "H": lambda x: x[0].H,
    "mH": lambda x: x.mH,
    "squeeze": lambda x: x[:1].squeeze(),
    "unsqueeze": lambda x: x.unsqueeze(1),
    "expand": lambda x: x[:1].expand(5, 3, 4),
    "broadcast_to": lambda x: veem.broadcast_to(x, (2, 2, 3, 4)),
    "broadcast_tensors": lambda x: veem.broadcast_tensors(x, veem.ones(2, 1, 1, 1))[0],
    "atleast_3d": lambda x: veem.atleast_3d(x[0]),
    "narrow": lambda x: x.narrow(1, 1, 2),
    "select": lambda x: x.select(1, 2),
    "split": lambda x: x.split(2, 1)[1],
    "chunk": lambda x: x.chunk(2, 2)[1],
    "tensor_split": lambda x: x.tensor_split(2, 1)[1],
    "hsplit": lambda x: x.hsplit(3)[2],
    "unbind": lambda x: x.unbind(1)[2],
    "diagonal": lambda x: x.diagonal(1, 1, 2),
    "unfold": lambda x: x.unfold(2, 2, 1),
    "as_strided": lambda x: x.as_strided((3, 3), (2, 1), 4),
    "detach": lambda x: x.detach(),
    "meshgrid": lambda x: veem.meshgrid(x[0, 0], x[0, 1], indexing="ij")[1],
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "getitem": lambda x: x[..., None, 1:3],
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_shows_changes(name):
    x = veem.tensor(X)
    view = VIEWS[name](x)
    assert view._base is x or name == "detach"
    copy = view.clone()
    x.add_(1)
    assert view._version == x._version
    expected = VIEWS[name](veem.tensor(X + 1))
    assert view.tolist() == expected.tolist() != copy.tolist()


COPIES = {
    "contiguous": lambda x: x.mT.contiguous(),
    "reshape": lambda x: x.mT.reshape(-1),
    "narrow_copy": lambda x: x.narrow_copy(0, 0, 1),
    "diag": lambda x: x[0].diag(),
    "flip": lambda x: x.flip(0),
    "repeat": lambda x: x.repeat(1, 1, 1),
    "tile": lambda x: x.tile(1),
    "rot90": lambda x: x.rot90(4),
    "tril": lambda x: x.tril(5),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_does_not(name):
    x = veem.tensor(X)
    copy = COPIES[name](x)
    before = copy.tolist()
    x.add_(1)
    assert copy.tolist() == before


@pytest.mark.parametrize("name", ["squeeze", "unsqueeze", "transpose", "t"])
def test_views_in_place(name):
    args = {"unsqueeze": (1,), "transpose": (0, 1)}.get(name, ())
    x = veem.tensor(X[0, :1], requires_grad=True)
    y = x * 2
    same = getattr(y, name + "_")(*args)
    expected = getattr(x * 2, name)(*args)
    assert same is y
    assert (y.shape, y.tolist()) == (expected.shape, expected.tolist())
    (y * y).sum().backward()
    assert x.grad.tolist() == (8 * x).tolist()
    with pytest.raises(RuntimeError, match="leaf"):
        getattr(x, name + "_")(*args)


# ---- more than 2^31 elements ---------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
def test_views_of_more_than_2_to_31_elements(device):
    rows, columns = 1 << 20, 1 << 13
    one = veem.tensor([[3.0]], device=device)
    x = one.expand(rows, columns)
    assert (x.numel(), x.stride()) == (rows * columns, (0, 0))
    y = x.t().unsqueeze(0).transpose(0, 2)
    assert (y.shape, y.stride()) == ((rows, columns, 1), (0, 0, 0))
    for part in (
        y[-1, -1],
        x.select(0, rows - 1)[columns - 1 :],
        x.narrow(1, columns - 1, 1)[5],
        x.diagonal()[-1:],
        x.unfold(1, 3, 2)[7, -1, :1],
        x.chunk(4, 0)[3][0, :1],
        x.movedim(0, 1)[-1, :1],
        x.unflatten(0, (1 << 10, -1))[3, 3, :1],
        x.view(rows * 2, columns // 2)[-1, :1],
        x.flatten()[-1:],
        x.expand(4, rows, columns)[3, 0, :1],
        x.as_strided((rows, columns), (0, 0))[9, :1],
        x[::3, 1::2][-1, :1],
    ):
        assert part.tolist() == [3.0]


def test_sizes_that_do_not_fit_are_refused():
    one = veem.ones(1)
    with pytest.raises(RuntimeError, match="63 bits"):
        one.expand(1 << 32, 1 << 32)
    with pytest.raises(RuntimeError, match="invalid for input of size"):
        one.expand(1 << 40).view(1 << 20, 1 << 19)


# ---- other dtypes over the same bytes ------------------------------------------------


def test_view_of_a_dtype():
    x = veem.arange(6, dtype=veem.int32).view(2, 3)
    assert x.view(veem.int32) is x
    bits = x.numpy()
    for dtype in ("float32", "uint8"):
        ours = x.view(getattr(veem, dtype))
        np.testing.assert_array_equal(ours.numpy(), bits.view(dtype))
    wide = veem.arange(8, dtype=veem.int32).view(2, 4)[:, 2:].view(veem.int64)
    assert wide.tolist() == [[2 + (3 << 32)], [6 + (7 << 32)]]
    assert wide.view(dtype=veem.uint8).shape == (2, 8)


@pytest.mark.parametrize(
    ("x", "match"),
    [
        (veem.tensor(1.0), "0-dim"),
        (veem.ones(2, 2).t(), "last stride"),
        (veem.ones(2, 3), "no whole number"),
        (veem.ones(2, 4)[:, 1:3], "an offset of 1"),
        (veem.ones(3, 3)[:, :2], "a stride of 3"),
    ],
)
def test_view_of_a_dtype_refuses(x, match):
    with pytest.raises(RuntimeError, match=match):
        x.view(veem.float64)


# ---- resize_, and what a tensor says of itself ---------------------------------------


def test_resize():
    x = veem.arange(6)
    assert x.resize_(2, 2) is x
    assert x.tolist() == [[0, 1], [2, 3]]
    assert x.resize_((3, 2)).tolist() == [[0, 1], [2, 3], [4, 5]]  # still there
    assert veem.arange(3)[1:].resize_(4).tolist()[:2] == [1, 2]
    assert veem.arange(4).resize_as_(veem.ones(2, 2)).shape == (2, 2)
    with pytest.raises(RuntimeError, match="require grad"):
        veem.ones(2, requires_grad=True).resize_(3)
    with pytest.raises(RuntimeError, match="negative"):
        x.resize_(-1)


def test_facts():
    x = veem.ones(2, 3, 4).permute(2, 0, 1)
    assert veem.is_tensor(x) and not veem.is_tensor(x.numpy())
    assert veem.is_floating_point(x) and not veem.is_complex(x) and x.is_signed()
    assert x.dim_order() == (1, 2, 0)
    assert x.ndimension() == 3
    assert x.real is x.conj() is x.resolve_conj() is x.resolve_neg() is x
    assert x.is_set_to(x.detach()) and not x.is_set_to(x.clone())
    assert veem.is_same_size(x, veem.zeros(4, 2, 3))
    assert veem.is_nonzero(veem.tensor([[2]])) and not veem.is_nonzero(veem.zeros(()))
    assert not (x.is_sparse or x.is_conj() or x.is_neg() or x.is_meta or x.is_xpu)
    with pytest.raises(RuntimeError, match="more than one value"):
        veem.is_nonzero(x)
    with pytest.raises(RuntimeError, match="non-complex"):
        _ = x.imag


def test_a_device_as_context_is_the_cpu():
    with veem.device("cpu") as place:
        assert veem.zeros(1).device == place
    with pytest.raises(NotImplementedError, match="made on the CPU"):
        with veem.device("cuda"):
            pass
