"""einsum over any equation: against NumPy, and its gradients."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import veem
from veem.autograd import gradcheck


@st.composite
def equations(draw):
    """An equation and operands for it, with repeated letters, sizes of 1, ellipses."""
    letters = "abcAB"
    sizes = {x: draw(st.integers(1, 3)) for x in letters}
    hidden = draw(st.lists(st.integers(1, 2), max_size=2))
    subscripts, shapes = [], []
    for _ in range(draw(st.integers(1, 3))):
        labels = draw(st.text(letters, max_size=3))
        shape = [sizes[x] for x in labels]
        if hidden and draw(st.booleans()):
            at = draw(st.integers(0, len(labels)))
            some = hidden[draw(st.integers(0, len(hidden))) :]
            labels = labels[:at] + "..." + labels[at:]
            shape[at:at] = some
        subscripts.append(labels)
        shapes.append(shape)
    equation = ",".join(subscripts)
    if draw(st.booleans()):
        known = sorted(set(equation) - {",", "."})
        output = draw(st.permutations(known))[: draw(st.integers(0, len(known)))]
        dots = "..." if "..." in equation else ""
        at = draw(st.integers(0, len(output)))
        equation += "->" + "".join(output[:at]) + dots + "".join(output[at:])
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return equation, [np.asarray(rng.normal(size=s)) for s in shapes]


@given(equations())
@settings(max_examples=200, deadline=None)
def test_values(case):
    equation, arrays = case
    result = veem.einsum(equation, *map(veem.tensor, arrays))
    expected = np.einsum(equation, *arrays)
    assert result.shape == np.shape(expected)
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-12)


@given(equations())
@settings(max_examples=30, deadline=None)
def test_gradients(case):
    equation, arrays = case
    xs = [veem.tensor(a, requires_grad=True) for a in arrays]
    assert gradcheck(lambda *x: veem.einsum(equation, *x), xs)


def test_lists_of_labels():
    x, y = veem.arange(6.0).view(2, 3), veem.arange(12.0).view(3, 4)
    expected = (x @ y).tolist()
    assert veem.einsum(x, [0, 1], y, [1, 2]).tolist() == expected
    assert veem.einsum(x, [0, 1], y, [1, 2], [2, 0]).T.tolist() == expected
    assert veem.einsum(x, [..., 1], y, [1, 2], [..., 2]).tolist() == expected
    assert veem.einsum("ij, jk", [x, y]).tolist() == expected
