"""Arrays, buffers, numbers and DLPack: what PyTorch's tensors do with them."""

import math
import random
import warnings

import numpy as np
import pytest

import veem

torch = pytest.importorskip("torch", reason="PyTorch is the reference here")

# Expressions of a library t, tensors x i s m b g (which requires grad) bf (bfloat16),
# arrays n nf and a bytearray w.
SAME = """
np.sin(x); np.add(x, n); np.add(n, x); np.add(x, 1); np.add(x, i); np.sqrt(i)
np.add.reduce(x); np.frexp(x); np.divmod(x, 2); np.maximum(x, n); np.matmul(m, m.T)
np.argmax(x); np.cumsum(x); np.argsort(i); np.clip(x, 1, 2); np.round(x, 1)
np.transpose(m); np.reshape(m, -1); np.take(x, [0, 1]); np.repeat(x, 2); np.sin(g)
np.add(g, 1); np.add(1, 2, out=x); np.add.at(x, [0], 1); np.multiply(x, 2, out=n)
x + n; x - n; x * nf; x @ n; s * n; x * np.array(2.0); n == x; x == n; g * n; g == n
x + nf[0]; nf[0] + x; np.float64(2) * x; x * np.float64(2); np.float64(2) * i
np.int64(2) * x; np.int64(2) + i; np.int64(2) / i; np.float64(2) - x
np.float64(2) ** x; np.float64(2) < x; np.float64(2) * g; np.int64(7) % i
np.int64(7) // i; np.float64(3) == s; x + [1, 2, 3]; [1, 2, 3] + x; x == "a"
x == None; x != None; np.asarray(x); np.asarray(g); np.asarray(bf)
np.array(x, dtype=int); np.asarray(m.T); np.array([s, s]); np.concatenate([x, n])
np.stack([x, x]); np.dot(x, x); np.mean(x); np.sum(x); np.max(x); np.where(b, x, x)
np.allclose(x, x); np.linalg.norm(x); np.unique(i); np.tile(x, 2)
np.histogram(x, bins=2)[0]; np.zeros(i[1:2]); n[i % 3]; n[b]; n[i[0] % 2]
np.float32(s); x[np.array([0, 1])]; x[np.array([True, False, True])]; x[np.int64(1)]
x[np.array(1)]; len(x); len(s); iter(s); int(s); float(s); bool(s); complex(s); int(x)
float(x); complex(x); bool(x); bool(x[:0]); float(x[:0]); int(m[:1, :1]); int(s / 0)
int(0 * s / 0); i[0].__index__(); s.__index__(); i[:1].__index__(); b[0].__index__()
range(s); [1, 2, 3][i[1]]; 2.0 in x; 5 in x; x[0] in x; x in m; i in x; "a" in x
None in x; [1.0] in x; n in x; 1j in x; np.float64(2) in x
math.nan in t.tensor([math.nan]); 1 in x[:0]; 2.5 in s; True in b; list(reversed(x))
reversed(m); reversed(s); sum(x); sum(m); max(x); min(x); sorted(i); tuple(x)
round(s); math.sqrt(s); math.floor(s); math.ceil(s); math.trunc(s); math.floor(x)
divmod(x, 2); abs(x); pow(2, x); f"{s:.2f}"; f"{i[0]:03d}"; f"{x:.2f}"; f"{s:>10}"
f"{b[0]:d}"; format(i[0]); "%d" % i[0]; "%.2f" % s; all(b); any(b)
list(map(float, x)); max([s, i[0]]); x.tolist(); bf.tolist(); g.tolist(); b.tolist()
s.tolist(); m[:0].tolist(); random.choice([x]); x.numpy(); g.numpy()
g.numpy(force=True); bf.numpy(); b.numpy(); s.numpy()
m.T.numpy().strides; m[:, 1].numpy().strides; m[:0].numpy(); x.half().numpy()
x.expand(2, 3).numpy().strides; x.__array__(np.float64); g.__array__()
x.__array_wrap__(n); x.__array_priority__; x.data_ptr() == x.numpy().ctypes.data
t.from_numpy(n); t.from_numpy(n[::-1]); t.from_numpy(n[::2])
t.from_numpy(np.array(1.0)); t.from_numpy(np.float64(1)); t.from_numpy([1])
t.from_numpy(np.zeros((0, 3))); t.from_numpy(np.array(["a"]))
t.from_numpy(np.array([1], ">f4")); t.from_numpy(np.array([None]))
t.from_numpy(np.ones(2, [("a", "f4"), ("b", "i1")])["a"])
t.from_numpy(np.array([1], "longlong")); t.tensor(np.float32(1.5))
t.tensor(np.int8(1)); t.tensor(np.bool_(True)); t.tensor([nf[0]]); t.tensor([n[0]])
t.tensor([n[0], 2.0]); t.tensor([nf[0], 2.0]); t.tensor([np.int8(1), 2])
t.tensor([n, n]); t.tensor([x[0], x[1]]); t.tensor([x, x]); t.tensor([x[:1], x[1:2]])
t.tensor([s.double(), 2.0]); t.tensor([i[0].char(), True]); t.tensor([True, 1])
t.tensor([1, 2.0]); t.tensor(range(3)); t.tensor([]); t.tensor([[]]); t.tensor("a")
t.tensor(None); t.tensor([None]); t.tensor([[1], [1, 2]]); t.tensor({1: 2})
t.tensor({1}); t.tensor(iter([1])); t.tensor([1, "a"]); t.tensor(memoryview(n))
t.tensor(bytearray(b"ab")); t.tensor(b"ab"); t.tensor(2**63); t.tensor(2**70)
t.tensor(-(2**63)); t.tensor([1e400]); t.tensor(3.7, dtype=t.int64)
t.tensor([300], dtype=t.uint8); t.tensor([-1], dtype=t.uint8)
t.tensor([-300], dtype=t.uint8); t.tensor([200], dtype=t.int8)
t.tensor([1.5], dtype=t.bool); t.tensor(2**63, dtype=t.float64)
t.tensor(math.nan, dtype=t.int64); t.tensor(1e300, dtype=t.float16)
t.tensor(x, dtype=t.float64); t.tensor(10**400, dtype=t.float32)
t.tensor(np.ma.masked_array([1, 2])); t.tensor(np.array(["1"])); t.as_tensor(n)
t.as_tensor([1, 2]); t.as_tensor(x) is x; t.as_tensor(n, dtype=t.float32)
t.as_tensor(n[::-1]); t.as_tensor(bytearray(b"ab")); t.asarray(n); t.asarray(x) is x
t.asarray(n, dtype=t.float32, copy=False); t.asarray([1, 2], copy=False)
t.asarray(g) is g; t.asarray(g, requires_grad=False); t.asarray(g, requires_grad=True)
t.asarray(n, requires_grad=True); t.asarray(g * 2, requires_grad=True)
t.asarray(x, requires_grad=True) is x; t.asarray(i, requires_grad=True)
t.asarray(bytearray(4)); t.asarray(3); t.asarray(np.float64(2))
t.asarray(bytearray(4), dtype=t.uint8); t.asarray(memoryview(n), dtype=t.float64)
t.frombuffer(w, dtype=t.uint8); t.frombuffer(w, dtype=t.int16, offset=2)
t.frombuffer(w, dtype=t.uint8, count=2)
t.frombuffer(w, dtype=t.uint8, count=2, offset=1)
t.frombuffer(w, dtype=t.uint8, count=0); t.frombuffer(w, dtype=t.uint8, count=-2)
t.frombuffer(w, dtype=t.uint8, offset=4); t.frombuffer(w, dtype=t.uint8, offset=-1)
t.frombuffer(w, dtype=t.uint8, count=5); t.frombuffer(w[:3], dtype=t.int16)
t.frombuffer(w[:0], dtype=t.uint8); t.frombuffer(w); t.frombuffer([1], dtype=t.uint8)
t.frombuffer(w, dtype=t.float32, requires_grad=True)
t.frombuffer(n[::2], dtype=t.float64)
t.frombuffer(w, dtype=t.int32, requires_grad=True); t.frombuffer(n, dtype=t.float64)
t.frombuffer(w, dtype=t.bool); t.frombuffer(w, dtype=t.bfloat16); bytes(i.byte())
bytes(i); bytes(b); bytes(i[:1]); bytes(i[0])
bytes(x); bytes(m.byte())
bytearray(i.byte()); x.__dlpack_device__(); g.__dlpack__(); x.__dlpack__(stream=1)
np.from_dlpack(x); np.from_dlpack(m.T); np.from_dlpack(b); np.from_dlpack(s)
np.from_dlpack(m[:0]); np.from_dlpack(bf); np.from_dlpack(g); t.from_dlpack(n)
t.from_dlpack(np.zeros((0, 3))); t.from_dlpack(np.array(1.0)); t.from_dlpack(b)
t.from_dlpack(m[:, 1]); t.from_dlpack(g); t.from_dlpack(x.__dlpack__())
t.from_dlpack(3); t.from_dlpack(n, device="cpu", copy=True)
t.utils.dlpack.from_dlpack(t.utils.dlpack.to_dlpack(g))
t.utils.dlpack.DLDeviceType.kDLMetal; x[:] == n; x.__setitem__(slice(None), n)
x.__setitem__(0, np.float64(3)); x.add(n); t.sin(n); t.cat([n, n])
x.mul(np.float64(2)); x.copy_(n); n.__setitem__(slice(None), x); t.where(b, n, x)
"""

# PyTorch raises here, or gives what nobody means: arrays on the left, comparisons,
# bools of NumPy's predicates. tests/test_numpy.py says what veem gives.
BETTER = """
n + x; n * x; n @ x; n**x; n * s; n < x; x < n; x != n; n != x; np.isnan(x)
np.greater(x, n); np.bool_(True) & b; np.add.outer(x, x); memoryview(x)
bf.numpy(force=True)
"""


def lines(text):
    return [
        e.strip() for line in text.split("\n") for e in line.split(";") if e.strip()
    ]


def result(t, expression):
    """What it gives, in words that both libraries share."""
    x = t.tensor([1.0, 2.0, 3.0])
    scope = {
        "t": t,
        "x": x,
        "i": t.tensor([3, 1, 2]),
        "s": t.tensor(2.5),
        "bf": x.bfloat16(),
    }
    scope |= {"np": np, "math": math, "random": random, "w": bytearray(b"abcd")}
    scope |= {"m": t.arange(6.0).reshape(2, 3), "b": t.tensor([True, False, True])}
    scope["g"] = t.tensor([1.0, 2.0, 3.0], requires_grad=True)
    n = scope["n"] = np.array([10.0, 20.0, 30.0])
    scope["nf"] = n.astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(eval(expression, scope))
        except Exception as error:
            return type(error)


def plain(value):
    if isinstance(value, (torch.Tensor, veem.Tensor)):
        dtype = str(value.dtype).split(".")[1]
        return "Tensor", dtype, repr(value.tolist()), value.requires_grad
    if isinstance(value, (np.ndarray, np.generic)):
        return type(value), value.dtype, repr(value.tolist())
    if isinstance(value, (list, tuple)):
        return type(value), [plain(v) for v in value]
    return repr(value).replace("torch", "veem")


@pytest.mark.parametrize("expression", lines(SAME))
def test_same(expression):
    assert result(veem, expression) == result(torch, expression)


@pytest.mark.parametrize("expression", lines(BETTER))
def test_better(expression):
    ours, theirs = result(veem, expression), result(torch, expression)
    assert ours != theirs and not isinstance(ours, type)


# ---- DLPack --------------------------------------------------------------------------

LAYOUTS = {
    "whole": lambda x: x,
    "transposed": lambda x: x.T,
    "sliced": lambda x: x[1:, ::2],
    "expanded": lambda x: x[:1].expand(4, 4),
    "0-d": lambda x: x[1, 1],
    "empty": lambda x: x[:0],
    "of one": lambda x: x[1:2],
}
DTYPES = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64".split()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_both_ways(dtype, layout):
    for ours, theirs in [(veem, torch), (torch, veem)]:
        x = LAYOUTS[layout](ours.arange(12).to(getattr(ours, dtype)).reshape(3, 4))
        for y in (
            theirs.from_dlpack(x),
            theirs.from_dlpack(x.__dlpack__()),
            theirs.from_dlpack(x.__dlpack__(max_version=(1, 0))),
            theirs.utils.dlpack.from_dlpack(ours.utils.dlpack.to_dlpack(x)),
        ):
            assert (tuple(y.shape), str(y.dtype).split(".")[1]) == (
                tuple(x.shape),
                dtype,
            )
            assert y.tolist() == x.tolist()
            if x.numel():
                assert y.data_ptr() == x.data_ptr()
        copy = theirs.from_dlpack(x, copy=True)
        assert copy.data_ptr() != x.data_ptr() or not x.numel()
        assert copy.tolist() == x.tolist()


def test_tensors_of_each_other():
    x = torch.arange(6.0).reshape(2, 3)
    assert veem.tensor(x).tolist() == x.tolist()
    assert veem.asarray(x).data_ptr() == x.data_ptr()
    assert torch.asarray(veem.asarray(x)).data_ptr() == x.data_ptr()
    assert torch.tensor(np.asarray(veem.asarray(x))).tolist() == x.tolist()
