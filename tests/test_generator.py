"""Generators: their states, copies, seeds and threads."""

import contextlib
import copy
import hashlib
import pickle
import threading

import numpy as np
import pytest

import veem


def digest(state):
    return hashlib.sha256(state.numpy().tobytes()).hexdigest()[:16]


@pytest.mark.parametrize(
    "seed, fresh, later",
    [
        (0, "1ccf17250133dec5", "d9d9a48d711bfcac"),
        (42, "5feb54a46230d321", "f930deb4275be8aa"),
        (-1, "74c65bce05a4fcdd", "73380e1466f680f1"),
    ],
)
def test_state_is_laid_out_as_in_pytorch(seed, fresh, later):
    veem.manual_seed(seed)
    assert digest(veem.get_rng_state()) == fresh
    veem.randn(3), veem.rand(700)
    assert digest(veem.get_rng_state()) == later


def test_state_goes_on():
    g = veem.Generator().manual_seed(3)
    veem.randn(5, generator=g)
    state = g.get_state()
    first = [veem.randn(3, generator=g), veem.rand(900, generator=g)]
    other = veem.Generator()
    other.set_state(state)
    again = [veem.randn(3, generator=other), veem.rand(900, generator=other)]
    for a, b in zip(first, again):
        assert np.array_equal(a.numpy(), b.numpy())
    assert other.initial_seed() == 3


@pytest.mark.parametrize(
    "state, error, message",
    [
        (lambda: veem.zeros(10, dtype=veem.uint8), RuntimeError, "5056 bytes.* got 10"),
        (lambda: veem.zeros(5056), TypeError, "uint8"),
        (lambda: veem.zeros(5056, dtype=veem.uint8), RuntimeError, "not the state"),
        (lambda: [1, 2], TypeError, "a Tensor, not list"),
    ],
)
def test_bad_state(state, error, message):
    with pytest.raises(error, match=message):
        veem.Generator().set_state(state())


def test_seeds():
    g = veem.Generator()
    assert g.initial_seed() == 67280421310721 and str(g.device) == "cpu"
    assert g.manual_seed(-1) is g and g.initial_seed() == 2**64 - 1
    assert veem.manual_seed(2**64 - 1) is veem.default_generator
    assert veem.initial_seed() == 2**64 - 1
    for wrong in (2**64, -(2**63) - 1):
        with pytest.raises(ValueError, match="range"):
            veem.manual_seed(wrong)
    with pytest.raises(ValueError, match="invalid literal"):
        veem.manual_seed("seven")
    assert veem.seed() == veem.initial_seed() != veem.seed()
    with pytest.raises(RuntimeError, match="cuda"):
        veem.Generator("cuda")


def test_generators_do_not_mix():
    veem.manual_seed(1)
    expected = veem.rand(4).tolist()
    veem.manual_seed(1)
    g = veem.Generator().manual_seed(1)
    first = veem.rand(2).tolist()
    assert veem.rand(4, generator=g).tolist() == expected
    assert first + veem.rand(2).tolist() == expected
    with pytest.raises(TypeError, match="Generator"):
        veem.rand(2, generator=7)


def test_generators_are_made_from_devices():
    for device in ("cpu", veem.device("cpu"), None):
        g = veem.Generator(device)
        assert g.device == veem.device("cpu")
        assert g.set_state(g.get_state()) is g
    with pytest.raises(RuntimeError, match="tpu"):
        veem.Generator("tpu")


def test_fork_rng():
    veem.manual_seed(1)
    expected = veem.rand(2).tolist()
    veem.manual_seed(1)
    for devices in (None, [], ["cpu"]):
        with veem.random.fork_rng(devices):
            veem.rand(5)
    with contextlib.suppress(KeyError), veem.random.fork_rng():
        veem.rand(5)
        raise KeyError
    assert veem.rand(2).tolist() == expected
    with veem.random.fork_rng(enabled=False):
        veem.manual_seed(1)
    assert veem.rand(2).tolist() == expected


def test_a_copy_goes_its_own_way():
    g = veem.Generator().manual_seed(5)
    veem.randn(3, generator=g)
    for other in (copy.deepcopy(g), pickle.loads(pickle.dumps(g)), g.clone_state()):
        assert digest(other.get_state()) == digest(g.get_state())
        veem.rand(1, generator=other)
        assert digest(other.get_state()) != digest(g.get_state())


def test_threads_share_one_stream():
    g = veem.Generator().manual_seed(0)
    drawn = []
    draw = lambda: drawn.extend(veem.rand(50_000, generator=g) for _ in range(8))
    threads = [threading.Thread(target=draw) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    whole = veem.rand(32 * 50_000, generator=veem.Generator().manual_seed(0)).numpy()
    parts = np.sort([part.numpy()[0] for part in drawn])
    assert np.array_equal(parts, np.sort(whole[::50_000]))
