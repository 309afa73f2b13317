"""Values and result shapes of every op against NumPy, in every layout and dtype."""

import numpy as np
import pytest
from opinfo import HALVES, all_rows, tensors

import veem

DEVICES = veem._core.devices()
CASES = [
    pytest.param(row, dtype, id=f"{row.name}-{dtype}")
    for row in all_rows()
    for dtype in row.all_dtypes()
]
ON_DEVICES = [
    pytest.param(*case.values, device, id=f"{case.id}-{device}")
    for case in CASES
    for device in DEVICES
    if (case.values[1], device) != ("float64", "metal")  # which Apple's GPUs lack
    and device in (case.values[0].devices or DEVICES)
]


def wide(x):
    """Arrays in float64 for the reference, which so has no rounding of its own."""
    if isinstance(x, list):
        return [wide(v) for v in x]
    is_float = isinstance(x, np.ndarray) and x.dtype.kind == "f"
    return x.astype(np.float64) if is_float else x


def outputs(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def error_of(row, dtype):
    """What results may be off by, of themselves or near 0."""
    if dtype in HALVES:
        return row.halves * HALVES[dtype]
    return row.tolerance if dtype == "float32" else 1e-12


def check(result, expected, eps, where):
    expected = outputs(expected)
    result = outputs(result)
    assert len(result) == len(expected), where
    for r, e in zip(result, expected):
        r = r.numpy(force=True) if isinstance(r, veem.Tensor) else np.asarray(r)
        assert r.shape == np.shape(e), where
        with np.errstate(all="ignore"):
            e = np.asarray(e).astype(r.dtype)
        np.testing.assert_allclose(r, e, rtol=eps, atol=eps, err_msg=where)


@pytest.mark.parametrize(("row", "dtype", "device"), ON_DEVICES)
def test_values(row, dtype, device):
    for s in row.samples_of(dtype):
        with np.errstate(all="ignore"):
            expected = row.reference(*map(wide, s.args), **s.kwargs)
        result = row.call(*tensors(s.args, device), **s.kwargs)
        check(result, expected, error_of(row, dtype), f"{row.name}{s}")


# ---- layouts: the same numbers, lying in memory in another way -----------------------


def transposed(x):
    return x.T.contiguous().T


def sliced(x):
    """Every second element of a larger tensor, from an offset on."""
    if x.ndim == 0:
        return veem.stack([x, x, x]).select(0, 1)
    big = veem.empty((x.shape[0] * 2 + 1, *x.shape[1:]), dtype=x.dtype, device=x.device)
    view = veem._core.ops.slice(big, 0, 1, 2 * x.shape[0] + 1, 2)
    view.copy_(x)
    return view


LAYOUTS = {"transposed": transposed, "sliced": sliced}


def relaid(args, layout):
    return tuple(
        layout(a)
        if isinstance(a, veem.Tensor)
        else list(relaid(a, layout))
        if isinstance(a, list)
        else a
        for a in args
    )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("row", "dtype", "device"), ON_DEVICES)
def test_layouts(row, dtype, layout, device):
    for s in row.samples_of(dtype):
        args = tensors(s.args, device)
        expected = outputs(row.call(*args, **s.kwargs))
        result = outputs(row.call(*relaid(args, LAYOUTS[layout]), **s.kwargs))
        for r, e in zip(result, expected):
            if isinstance(e, veem.Tensor):
                r, e = r.numpy(force=True), e.numpy(force=True)
            # The order of a sum may follow the layout.
            eps = max(1e-6, row.tolerance, error_of(row, dtype))
            np.testing.assert_allclose(
                r, e, rtol=eps, atol=eps, err_msg=f"{row.name}{s}"
            )


EXPANDING = [
    pytest.param(row, device, id=f"{row.name}-{device}")
    for row in all_rows()
    for device in row.devices or DEVICES
    if "float32" in row.dtypes and row.expands and device in DEVICES
]


@pytest.mark.parametrize(("row", "device"), EXPANDING)
def test_expanded(row, device):
    """Operands with strides of 0 give what their copies give."""
    for s in row.samples_of("float32"):
        args = tensors(s.args, device)
        if not isinstance(args[0], veem.Tensor) or args[0].ndim == 0:
            continue
        first = args[0].narrow(0, 0, min(1, len(args[0])))
        view = first.expand(args[0].shape) if len(first) else first
        copy = view.clone()
        results = [outputs(row.call(x, *args[1:], **s.kwargs)) for x in (view, copy)]
        for r, e in zip(*results):
            if isinstance(e, veem.Tensor):
                r, e = r.numpy(force=True), e.numpy(force=True)
            eps = max(1e-6, row.tolerance)  # the order of a sum may follow the layout
            np.testing.assert_allclose(
                r, e, rtol=eps, atol=eps, err_msg=f"{row.name}{s}"
            )


@pytest.mark.parametrize("row", all_rows(), ids=repr)
def test_wrong_inputs(row):
    for w in row.wrong:
        with pytest.raises(w.error, match=w.match):
            row.call(*tensors(w.args), **w.kwargs)


@pytest.mark.parametrize(("row", "dtype"), CASES)
def test_same_for_any_number_of_threads(row, dtype):
    before = veem.get_num_threads()
    try:
        for s in row.samples_of(dtype):
            results = []
            for threads in (1, 2):
                veem.set_num_threads(threads)
                results.append(outputs(row.call(*tensors(s.args), **s.kwargs)))
            for a, b in zip(*results):
                if isinstance(a, veem.Tensor):
                    assert (
                        a.numpy(force=True).tobytes() == b.numpy(force=True).tobytes()
                    )
    finally:
        veem.set_num_threads(before)
