"""Comparing results: assert_close."""

import numbers
from collections.abc import Mapping

import numpy as np

import veem

# rtol and atol by dtype; the looser one counts where two dtypes meet.
_TOLERANCES = {
    veem.float16: (1e-3, 1e-5),
    veem.bfloat16: (1.6e-2, 1e-5),
    veem.float32: (1.3e-6, 1e-5),
    veem.float64: (1e-7, 1e-7),
}


def assert_close(
    actual,
    expected,
    *,
    allow_subclasses=True,
    rtol=None,
    atol=None,
    equal_nan=False,
    check_device=True,
    check_dtype=True,
    check_layout=True,
    check_stride=False,
    msg=None,
):
    """AssertionError unless |actual - expected| <= atol + rtol |expected| everywhere.

    Tensors, arrays, numbers, and lists, tuples and mappings of them. Without tolerances
    those of the dtype: of float32 rtol 1.3e-6 and atol 1e-5, of integers 0.
    """
    if (rtol is None) != (atol is None):
        raise ValueError("rtol and atol must both be specified or both be unspecified")
    facts = {"device": check_device, "dtype": check_dtype}
    facts = [name for name, checked in facts.items() if checked]
    facts += ["strides"] * check_stride
    try:
        _compare(actual, expected, rtol, atol, equal_nan, facts, "")
    except AssertionError as error:
        if msg is None:
            raise
        text = msg(str(error)) if callable(msg) else msg
        raise AssertionError(text) from None


def _compare(actual, expected, rtol, atol, equal_nan, facts, where):
    again = (rtol, atol, equal_nan, facts)  # for the parts
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        if actual.keys() != expected.keys():
            raise AssertionError(f"The keys of the mappings do not match{where}")
        for key in actual:
            _compare(actual[key], expected[key], *again, f"{where}[{key!r}]")
        return
    if isinstance(actual, (list, tuple)) and isinstance(expected, (list, tuple)):
        if len(actual) != len(expected):
            raise AssertionError(
                f"The length of the sequences mismatch: {len(actual)} != "
                f"{len(expected)}{where}"
            )
        for i, pair in enumerate(zip(actual, expected)):
            _compare(*pair, *again, f"{where}[{i}]")
        return
    a, b = _tensors(actual, expected)
    _compare_tensors(a, b, rtol, atol, equal_nan, facts, where)


def _tensors(actual, expected):
    for kind in (veem.Tensor, np.ndarray, numbers.Number):
        if isinstance(actual, kind) and isinstance(expected, kind):
            return [_tensor(x) for x in (actual, expected)]
    raise TypeError(
        "assert_close compares tensors, arrays, numbers, lists, tuples and mappings "
        f"with their like, got {type(actual).__name__} and {type(expected).__name__}"
    )


def _tensor(x):
    if isinstance(x, veem.Tensor):
        return x.detach()
    return veem.tensor(x, dtype=veem.float64 if isinstance(x, float) else None)


def _facts(x):
    return {"device": x.device, "dtype": x.dtype, "strides": x.stride()}


def _compare_tensors(a, b, rtol, atol, equal_nan, facts, where):
    at = f" (at {where})" if where else ""
    if a.shape != b.shape:
        raise AssertionError(
            "The values for attribute 'shape' do not match: "
            f"{tuple(a.shape)} != {tuple(b.shape)}{at}"
        )
    for name in facts:
        left, right = _facts(a)[name], _facts(b)[name]
        if left != right:
            raise AssertionError(
                f"The values for attribute '{name}' do not match: {left} != {right}{at}"
            )
    if rtol is None:
        both = [_TOLERANCES.get(x.dtype, (0.0, 0.0)) for x in (a, b)]
        rtol, atol = (max(pair) for pair in zip(*both))
    dtype = veem.promote_types(a.dtype, b.dtype)
    a, b = a.to("cpu", dtype), b.to("cpu", dtype)
    wrong = ~veem.isclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)
    if wrong.any():
        raise AssertionError(_report(a, b, wrong, rtol, atol, at))


def _report(a, b, wrong, rtol, atol, at):
    count = int(wrong.sum())
    kind = "Scalars" if a.ndim == 0 else "Tensor-likes"
    off = (a.double() - b.double()).abs()
    relative = off / b.double().abs()
    return (
        f"{kind} are not {'equal' if rtol == atol == 0 else 'close'}!{at}\n\n"
        f"Mismatched elements: {count} / {a.numel()} "
        f"({100 * count / max(a.numel(), 1):.1f}%)\n"
        f"Greatest absolute difference: {off[wrong].max().item()} "
        f"(up to {atol} allowed)\n"
        f"Greatest relative difference: {relative[wrong].max().item()} "
        f"(up to {rtol} allowed)"
    )
