"""out=: results that are written into tensors that are already there."""

import numpy as np
import pytest
from opinfo import all_rows, tensors

import veem

NAMES = sorted(
    [*veem.functions.WITH_OUT.split(), *veem.linalg.names.WITH_OUT.split()]
    + ["linalg." + name for name in veem.linalg.WITH_OUT.split()]
)
M, S = np.arange(6.0).reshape(2, 3), np.array([[4.0, 1.0], [1.0, 3.0]])
LU = np.array([[4.0, 1.0], [0.25, 2.75]]), np.array([1, 2], np.int32)
# Where no row has the function itself, or one whose samples have no signs of their own.
CALLS = {
    "cholesky": (S,),
    "geqrf": (M,),
    "inverse": (S,),
    "linalg.cholesky": (S,),
    "linalg.eigh": (S,),
    "linalg.eigvalsh": (S,),
    "linalg.householder_product": (M.T, np.ones(2)),
    "linalg.lstsq": (M.T, M.T),
    "linalg.lu_factor": (M,),
    "linalg.lu_factor_ex": (M,),
    "linalg.lu_solve": (*LU, M),
    "linalg.cholesky_ex": (S,),
    "linalg.qr": (M,),
    "linalg.svd": (S,),
    "linalg.vector_norm": (M,),
    "cholesky_inverse": (S,),
    "cholesky_solve": (M, S),
    "lu_solve": (M, *LU),
    "lu_unpack": LU,
    "ormqr": (M.T, np.ones(2), M.T),
    "qr": (M,),
    "row_stack": ([M, M],),
    "svd": (S,),
    "triangular_solve": (M, S),
}


def function(name):
    return getattr(
        veem.linalg if name.startswith("linalg.") else veem, name.split(".")[-1]
    )


def call_of(name):
    """Arguments for a function: those here, or of the first sample of its row."""
    if name in CALLS:
        return tensors(CALLS[name]), {}
    row = next(r for r in all_rows() if r.name == name)
    sample = next(s for s in row.samples_of(row.dtypes[0]) if s.args)
    return tensors(sample.args), sample.kwargs


def several(result):
    return list(result) if isinstance(result, tuple) else [result]


@pytest.mark.parametrize("name", NAMES)
def test_out(name):
    f, (args, kwargs) = function(name), call_of(name)
    expected = f(*args, **kwargs)
    for shape in (None, (0,)):  # as it shall be, and to be made so
        outs = [veem.empty(shape or e.shape, dtype=e.dtype) for e in several(expected)]
        given = tuple(outs) if isinstance(expected, tuple) else outs[0]
        result = f(*args, **kwargs, out=given)
        assert type(result) is type(expected)
        for r, o, e in zip(several(result), outs, several(expected)):
            assert r is o and o.shape == e.shape
            np.testing.assert_array_equal(o, e)


@pytest.mark.parametrize("name", ["mm", "softmax", "stack", "linalg.inv"])
def test_out_is_not_recorded(name):
    x = veem.eye(2).requires_grad_()
    args = {"mm": (x, x), "softmax": (x, 0), "stack": ([x, x],)}.get(name, (x,))
    with veem.no_grad():
        function(name)(*args, out=veem.empty(0))
    with pytest.raises(RuntimeError, match="don't support automatic"):
        function(name)(*args, out=veem.empty(0))


def test_new_numbers_in_tensors_that_are_there():
    for make, args, expected in [
        (veem.arange, (3,), [0, 1, 2]),
        (veem.range, (0, 2), [0, 1, 2]),
        (veem.linspace, (0, 1, 3), [0, 0.5, 1]),
        (veem.logspace, (0, 2, 3), [1, 10, 100]),
        (veem.eye, (2,), [[1, 0], [0, 1]]),
        (veem.zeros, (2,), [0, 0]),
        (veem.full, ((2,), 7), [7, 7]),
    ]:
        out = veem.empty(0, dtype=veem.float64)
        assert make(*args, out=out) is out and out.tolist() == expected
        part = veem.empty(np.shape(expected), dtype=veem.float64).t()
        assert make(*args, out=part).tolist() == expected
        with pytest.raises(RuntimeError, match="does not match dtype of out"):
            make(*args, out=out, dtype=veem.float32)
        assert make(*args, layout=veem.strided, pin_memory=False).tolist() == expected
    assert veem.arange(3, out=veem.empty(0, dtype=veem.int64)).dtype is veem.int64
