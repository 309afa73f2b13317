"""The random stream beside PyTorch's: numbers, and where it stands afterwards."""

import numpy as np
import pytest
from streams import STREAMS, is_exact

import veem

torch = pytest.importorskip("torch", reason="PyTorch is the reference here")


def vendor_stream():
    """On Intel processors PyTorch may take one word and leave the rest to MKL."""
    torch.manual_seed(0)
    torch.empty(100).bernoulli_(0.5)
    left = torch.get_rng_state()
    torch.manual_seed(0)
    torch.rand(200)
    return not torch.equal(left, torch.get_rng_state())


def same(a, b, exact):
    a, b = a.numpy(), b.numpy()
    assert a.dtype == b.dtype and a.shape == b.shape
    if exact:
        assert np.array_equal(a, b)
    else:
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("seed", [0, 42, 2**32 + 5, -1])
def test_same_numbers(name, seed):
    if name.startswith("bernoulli_") and "tensor" not in name and vendor_stream():
        pytest.skip("PyTorch draws these with MKL on this processor")
    veem.manual_seed(seed)
    torch.manual_seed(seed)
    veem.rand(5), torch.rand(5)
    same(STREAMS[name](veem), STREAMS[name](torch), is_exact(name))
    same(veem.get_rng_state(), torch.get_rng_state(), name != "randn after randn")


def test_state_travels():
    torch.manual_seed(9)
    torch.randn(3), torch.rand(700)
    veem.set_rng_state(veem.from_numpy(torch.get_rng_state().numpy()))
    same(veem.randn(5), torch.randn(5), False)
    torch.set_rng_state(torch.from_numpy(veem.get_rng_state().numpy()))
    same(veem.rand(700), torch.rand(700), True)


LAYOUTS = {
    "contiguous": lambda v, n, t: v.empty(n, 3, dtype=t),
    "transposed": lambda v, n, t: v.empty(n, 3, dtype=t).t(),
    "sliced": lambda v, n, t: v.empty(n, 3, 2, dtype=t).select(2, 0),
    "permuted": lambda v, n, t: v.empty(2, n, 3, dtype=t).permute(2, 0, 1),
    "all": lambda v, n, t: v.empty(4, n, 5, dtype=t).narrow(2, 2, 1).permute(1, 2, 0),
    "0-d": lambda v, n, t: v.empty((), dtype=t),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [0, 1, 5, 6, 17, 209])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_layout(layout, n, dtype):
    veem.manual_seed(n)
    torch.manual_seed(n)
    fills = [
        (True, lambda x: x.uniform_(-1, 2)),
        (True, lambda x: x.random_(2**24)),
        (False, lambda x: x.normal_(2, 0.5)),
    ]
    for exact, fill in fills:
        a = fill(LAYOUTS[layout](veem, n, getattr(veem, dtype)))
        b = fill(LAYOUTS[layout](torch, n, getattr(torch, dtype)))
        same(a, b, exact)
    assert veem.rand(1).item() == torch.rand(1).item()
