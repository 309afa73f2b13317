"""Layers that pad, resize and shuffle planes, and their functions, beside PyTorch's."""

import inspect

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from side_by_side import same  # noqa: E402

import veem  # noqa: E402

SPACE = {1: (5,), 2: (4, 5), 3: (3, 4, 5)}
PADS = [
    f"{name}{dims}d"
    for name in ("ConstantPad", "ZeroPad", "ReflectionPad", "ReplicationPad")
    + ("CircularPad",)
    for dims in (1, 2, 3)
]


@pytest.mark.parametrize("name", PADS)
def test_padding(name):
    dims = int(name[-2])
    more = (1.5,) if name.startswith("Constant") else ()
    x = np.random.default_rng(1).standard_normal((2, 1, *SPACE[dims]))
    for padding in (1, (2, 1, 0, 1, 1, 2)[: 2 * dims]):
        for data in (x, x[0]):
            layers = [getattr(lib.nn, name)(padding, *more) for lib in (veem, torch)]
            outs, grads = [], []
            for lib, layer in zip((veem, torch), layers):
                leaf = lib.tensor(data).requires_grad_()
                out = layer(leaf)
                (out * out).sum().backward()
                outs.append(out.detach().numpy())
                grads.append(leaf.grad.numpy())
            np.testing.assert_allclose(*outs)
            np.testing.assert_allclose(*grads)
            assert repr(layers[0]) == repr(layers[1])


LAYERS = {
    "size": lambda nn: nn.Upsample(7),
    "sizes": lambda nn: nn.Upsample((7, 3), mode="bilinear"),
    "scales": lambda nn: nn.Upsample(None, (2, 1.5), "bicubic", True),
    "again": lambda nn: nn.Upsample(
        scale_factor=1.3, mode="bilinear", recompute_scale_factor=True
    ),
    "nearest": lambda nn: nn.UpsamplingNearest2d(scale_factor=2),
    "bilinear": lambda nn: nn.UpsamplingBilinear2d((5, 9)),
    "shuffle": lambda nn: nn.PixelShuffle(2),
    "unshuffle": lambda nn: nn.PixelUnshuffle(2),
    "channels": lambda nn: nn.ChannelShuffle(4),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    x = np.random.default_rng(1).standard_normal((2, 8, 6, 4)).astype("float32")
    ours, theirs = (LAYERS[name](lib.nn) for lib in (veem, torch))
    assert repr(ours) == repr(theirs)
    outs = [ours(veem.tensor(x)), theirs(torch.tensor(x))]
    np.testing.assert_allclose(*[o.numpy() for o in outs], rtol=2e-5, atol=2e-5)
    same(lambda lib: sorted(LAYERS[name](lib.nn).state_dict()))


NAMES = [*PADS, "Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d"]
NAMES += ["PixelShuffle", "PixelUnshuffle", "ChannelShuffle"]


@pytest.mark.parametrize("name", NAMES)
def test_signature(name):
    ours, theirs = (
        inspect.signature(getattr(lib.nn, name)).parameters.values()
        for lib in (veem, torch)
    )
    plain = lambda p: (p.name, p.kind, p.default)
    assert [plain(p) for p in ours] == [plain(p) for p in theirs]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["upsample", "upsample_nearest", "upsample_bilinear"])
def test_former_names(name):
    x = np.random.default_rng(1).standard_normal((1, 2, 4, 3)).astype("float32")
    outs = [
        getattr(lib.nn.functional, name)(lib.tensor(x), (7, 5)).numpy()
        for lib in (veem, torch)
    ]
    np.testing.assert_allclose(*outs, rtol=2e-5, atol=2e-5)


# kernel, stride, padding, dilation: steps that share a factor with dilations, elements
# that no tap meets, and one tap for each element.
STEPS = [
    (3, 2, 1, 1),
    (4, 2, 1, 1),
    (3, 4, 0, 2),
    (2, 3, 1, 3),
    (3, 3, 2, 2),
    (1, 2, 0, 1),
]


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("how", STEPS, ids=str)
def test_transposed_steps(how, dims):
    kernel, stride, padding, dilation = how
    rng = np.random.default_rng(2)
    x = rng.standard_normal((2, 12, *(5, 4, 19)[-dims:]))
    w = rng.standard_normal((12, 5, *[kernel] * dims))
    b = rng.standard_normal(10)
    results = []
    for lib in (torch, veem):
        leaves = [lib.tensor(t, requires_grad=True) for t in (x, w, b)]
        out = getattr(lib.nn.functional, f"conv_transpose{dims}d")(
            *leaves, stride, padding, 0, 2, dilation
        )
        grads = lib.autograd.grad((out * out).sum(), leaves)
        results.append([t.detach().numpy() for t in (out, *grads)])
    for got, wanted in zip(*results, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_largest_with_indices(dims):
    x = np.random.default_rng(1).standard_normal((2, 2, *SPACE[dims]))
    for name, args in (("max_pool", (2, 1)), ("adaptive_max_pool", (2,))):
        found = []
        for lib in (veem, torch):
            pool = getattr(lib.nn.functional, f"{name}{dims}d_with_indices")
            found.append([t.numpy() for t in pool(lib.tensor(x), *args)])
        for a, b in zip(*found, strict=True):
            np.testing.assert_array_equal(a, b)


FUNCTIONS = (
    "upsample upsample_nearest upsample_bilinear "
    "interpolate grid_sample affine_grid fold unfold lp_pool1d lp_pool2d lp_pool3d "
    "max_unpool1d max_unpool2d max_unpool3d adaptive_avg_pool2d adaptive_avg_pool3d"
).split()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_signature(name):
    ours, theirs = (
        inspect.signature(getattr(lib.nn.functional, name)).parameters.values()
        for lib in (veem, torch)
    )
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


@pytest.mark.parametrize("scale", [0.3, 0.7, 1.1, 1.9, 3.0])
@pytest.mark.parametrize("n", [1, 3, 10, 33, 100])
def test_nearest_takes_the_same_neighbour(n, scale):
    """Which side of a boundary a place falls on is decided by float32."""
    x = np.arange(n, dtype="float32").reshape(1, 1, n)
    if int(n * scale) == 0:
        return
    for mode in ("nearest", "nearest-exact"):
        outs = [
            lib.nn.functional.interpolate(lib.tensor(x), scale_factor=scale, mode=mode)
            for lib in (veem, torch)
        ]
        np.testing.assert_array_equal(*[o.numpy() for o in outs])
