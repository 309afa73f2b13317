"""Layers beside PyTorch's: how they print, their arguments, how they start."""

import inspect
from collections import OrderedDict

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from side_by_side import image_net, net, same  # noqa: E402

import veem  # noqa: E402

REPRS = {
    "net": net,
    "images": image_net,
    "linear": lambda L: L.nn.Linear(2, 3, bias=False),
    "conv": lambda L: [
        L.nn.Conv2d(1, 2, 3),
        L.nn.Conv2d(2, 4, (3, 2), (2, 1), (1, 0), 2, 2, False, "reflect"),
        L.nn.Conv2d(1, 1, 3, padding="same"),
    ],
    "pools": lambda L: [
        L.nn.MaxPool2d(2),
        L.nn.MaxPool2d((3, 2), (2, 1), 1, ceil_mode=True),
        L.nn.AvgPool2d(3),
        L.nn.AdaptiveAvgPool2d((1, None)),
    ],
    "convolutions": lambda L: [
        L.nn.Conv1d(2, 4, 3, padding=1, dilation=2, groups=2),
        L.nn.Conv3d(1, 2, (3, 2, 1), bias=False, padding_mode="circular"),
        L.nn.ConvTranspose1d(4, 2, 3, 2, 1, 1, 2, False, 2),
        L.nn.ConvTranspose2d(1, 2, (3, 2), 3, output_padding=(2, 0)),
        L.nn.ConvTranspose3d(1, 2, 2),
    ],
    "more pools": lambda L: [
        *[getattr(L.nn, f"MaxPool{n}d")(3, 2, 1) for n in (1, 2, 3)],
        *[getattr(L.nn, f"AvgPool{n}d")(2) for n in (1, 2, 3)],
        *[getattr(L.nn, f"MaxUnpool{n}d")(2, 3) for n in (1, 2, 3)],
        *[getattr(L.nn, f"LPPool{n}d")(2, 3) for n in (1, 2, 3)],
        *[getattr(L.nn, f"AdaptiveAvgPool{n}d")(2) for n in (1, 2, 3)],
        *[getattr(L.nn, f"AdaptiveMaxPool{n}d")((2,) * n) for n in (1, 2, 3)],
        L.nn.Unfold(2, 1, (1, 0)),
        L.nn.Fold((4, 5), 2, stride=2),
    ],
    "norms": lambda L: [
        L.nn.LayerNorm(4),
        L.nn.LayerNorm((2, 3), eps=1e-6, elementwise_affine=False),
        L.nn.LayerNorm([2], bias=False),
    ],
    "embedding": lambda L: [L.nn.Embedding(5, 3), L.nn.Embedding(5, 3, padding_idx=-1)],
    "shapes": lambda L: [
        L.nn.Flatten(),
        L.nn.Flatten(0, 1),
        L.nn.Unflatten(1, (2, 3)),
        L.nn.Identity(4),
    ],
    "activations": lambda L: [
        L.nn.ReLU(),
        L.nn.ReLU(inplace=True),
        L.nn.LeakyReLU(0.2),
        L.nn.LeakyReLU(inplace=True),
        L.nn.ELU(),
        L.nn.ELU(2, True),
        L.nn.GELU(),
        L.nn.GELU("tanh"),
        L.nn.SiLU(),
        L.nn.Sigmoid(),
        L.nn.Tanh(),
        L.nn.Softplus(2),
        L.nn.LogSigmoid(),
        L.nn.Softmax(1),
        L.nn.Softmax(),
        L.nn.LogSoftmax(dim=-1),
        L.nn.Dropout(),
        L.nn.Dropout(0.1, True),
    ],
    "losses": lambda L: [
        getattr(L.nn, name)()
        for name in (
            "MSELoss L1Loss SmoothL1Loss HuberLoss KLDivLoss BCELoss BCEWithLogitsLoss "
            "NLLLoss CrossEntropyLoss PoissonNLLLoss GaussianNLLLoss SoftMarginLoss "
            "HingeEmbeddingLoss CosineEmbeddingLoss MarginRankingLoss MultiMarginLoss "
            "MultiLabelMarginLoss MultiLabelSoftMarginLoss TripletMarginLoss "
            "TripletMarginWithDistanceLoss CosineSimilarity PairwiseDistance"
        ).split()
    ],
    "lists": lambda L: [
        L.nn.ModuleList(),
        L.nn.Sequential(),
        L.nn.ModuleDict(),
        L.nn.ModuleList([L.nn.ReLU(), L.nn.ReLU(), L.nn.Tanh(), L.nn.ReLU()]),
        L.nn.ModuleList([L.nn.Sequential(L.nn.ReLU(), L.nn.Tanh()) for _ in range(3)]),
        L.nn.ModuleDict({"a": L.nn.ReLU(), "b": L.nn.ModuleList([L.nn.Tanh()])}),
        L.nn.Sequential(OrderedDict(one=L.nn.Linear(1, 2), two=L.nn.ReLU())),
        L.nn.ParameterList([L.ones(2), 3, L.nn.Parameter(L.ones(2, 3))]),
        L.nn.ParameterList(),
    ],
    "parameter": lambda L: L.nn.Parameter(L.ones(2)),
    "frozen": lambda L: L.nn.Parameter(L.ones(2), requires_grad=False),
    "lines": lambda L: type(
        "Lines", (L.nn.Module,), {"extra_repr": lambda self: "one\ntwo"}
    )(),
}


@pytest.mark.parametrize("name", REPRS)
def test_repr(name):
    same(REPRS[name])


LAYERS = (
    "Linear Identity Dropout LayerNorm Embedding Flatten "
    "Unflatten ReLU LeakyReLU ELU GELU SiLU Softmax LogSoftmax "
    "Softplus CrossEntropyLoss NLLLoss MSELoss L1Loss SmoothL1Loss HuberLoss BCELoss "
    "KLDivLoss BCEWithLogitsLoss Parameter ModuleList ModuleDict ParameterList "
    "ParameterDict PoissonNLLLoss GaussianNLLLoss SoftMarginLoss HingeEmbeddingLoss "
    "CosineEmbeddingLoss MarginRankingLoss MultiMarginLoss MultiLabelMarginLoss "
    "MultiLabelSoftMarginLoss TripletMarginLoss TripletMarginWithDistanceLoss "
    "CosineSimilarity PairwiseDistance"
).split()
LAYERS += [
    f"{name}{dims}d"
    for name in (
        "Conv ConvTranspose MaxPool AvgPool MaxUnpool LPPool AdaptiveAvgPool "
        "AdaptiveMaxPool"
    ).split()
    for dims in (1, 2, 3)
]
LAYERS += ["Fold", "Unfold"]


@pytest.mark.parametrize("name", LAYERS)
def test_signature(name):
    ours, theirs = (
        inspect.signature(getattr(lib.nn, name)).parameters.values()
        for lib in (veem, torch)
    )
    plain = lambda p: (p.name, p.kind, p.default)
    assert [plain(p) for p in ours] == [plain(p) for p in theirs]


FUNCTIONS = (
    "relu leaky_relu elu silu softmax log_softmax dropout embedding layer_norm "
    "cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss huber_loss kl_div "
    "binary_cross_entropy binary_cross_entropy_with_logits pad poisson_nll_loss "
    "gaussian_nll_loss soft_margin_loss hinge_embedding_loss cosine_embedding_loss "
    "margin_ranking_loss multi_margin_loss multilabel_margin_loss triplet_margin_loss "
    "multilabel_soft_margin_loss triplet_margin_with_distance_loss normalize"
).split()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_signature(name):
    functional = veem.nn.functional, torch.nn.functional
    ours, theirs = (
        inspect.signature(getattr(f, name)).parameters.values() for f in functional
    )
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


def conv_net(lib):
    return lib.nn.ModuleList(REPRS["convolutions"](lib))


@pytest.mark.parametrize("make", [net, image_net, conv_net])
def test_same_seed_same_parameters(make):
    states = []
    for lib in (veem, torch):
        lib.manual_seed(11)
        states.append(make(lib).state_dict())
    ours, theirs = states
    assert list(ours) == list(theirs)
    for name in ours:
        np.testing.assert_array_equal(ours[name].numpy(), theirs[name].numpy())


CONVOLVED = {
    "1": lambda L: (L.nn.Conv1d(2, 4, 3, padding=1, dilation=2, groups=2), (2, 7)),
    "1 same": lambda L: (L.nn.Conv1d(2, 4, 3, padding="same"), (3, 2, 7)),
    "2 reflect": lambda L: (
        L.nn.Conv2d(1, 2, (3, 2), 2, (2, 1), padding_mode="reflect"), (2, 1, 5, 6)
    ),
    "3 circular": lambda L: (
        L.nn.Conv3d(1, 2, (3, 2, 1), padding="same", padding_mode="circular"),
        (1, 1, 4, 5, 6),
    ),
    "transposed 1": lambda L: (L.nn.ConvTranspose1d(4, 2, 3, 3, 1), (2, 4, 5), [14]),
    "transposed 2": lambda L: (
        L.nn.ConvTranspose2d(2, 3, 3, 2), (1, 2, 3, 4), [1, 3, 8, 9]
    ),
    "transposed 3": lambda L: (L.nn.ConvTranspose3d(1, 2, 2, 2), (1, 3, 2, 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", CONVOLVED)
def test_convolutions(name):
    outs = []
    for lib in (veem, torch):
        lib.manual_seed(3)
        layer, shape, *size = CONVOLVED[name](lib)
        outs.append(layer(lib.randn(shape), *size).detach().numpy())
    np.testing.assert_allclose(*outs, rtol=1e-4, atol=1e-5)


INITS = {
    "uniform_": lambda i, w: i.uniform_(w, -1, 2),
    "normal_": lambda i, w: i.normal_(w, 1, 2),
    "trunc_normal_": lambda i, w: i.trunc_normal_(w, 0, 1, -1, 1),
    "trunc_normal_ tail": lambda i, w: i.trunc_normal_(w, 0, 1, 1.5, 1.9),
    "constant_": lambda i, w: i.constant_(w, 3),
    "ones_": lambda i, w: i.ones_(w),
    "zeros_": lambda i, w: i.zeros_(w),
    "dirac_": lambda i, w: i.dirac_(w, 2),
    "xavier_uniform_": lambda i, w: i.xavier_uniform_(w, 2),
    "xavier_normal_": lambda i, w: i.xavier_normal_(w),
    "kaiming_uniform_": lambda i, w: i.kaiming_uniform_(w, nonlinearity="relu"),
    "kaiming_normal_": lambda i, w: i.kaiming_normal_(w, 0.1, "fan_out"),
    "orthogonal_": lambda i, w: i.orthogonal_(w, 2),
    "eye_": lambda i, w: i.eye_(w[:, :, 0, 0]),
    "sparse_": lambda i, w: i.sparse_(w.view(6, -1), 0.3),
}


@pytest.mark.parametrize("name", INITS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(6, 4, 3, 3), (6, 2, 1, 1)])
def test_init(name, dtype, shape):
    filled = []
    for lib in (veem, torch):
        lib.manual_seed(5)
        w = lib.zeros(shape, dtype=getattr(lib, dtype))
        filled.append(INITS[name](lib.nn.init, w).numpy())
    np.testing.assert_allclose(*filled, rtol=2e-5, atol=2e-6)


INIT_ERRORS = [
    lambda L: L.nn.init.xavier_uniform_(L.ones(3)),
    lambda L: L.nn.init.kaiming_uniform_(L.ones(3, 4), mode="x"),
    lambda L: L.nn.init.kaiming_normal_(L.ones(0, 4)),
    lambda L: L.nn.init.eye_(L.ones(3)),
    lambda L: L.nn.init.dirac_(L.ones(3)),
    lambda L: L.nn.init.dirac_(L.ones(3, 2, 2), groups=2),
    lambda L: L.nn.init.orthogonal_(L.ones(3)),
    lambda L: L.nn.init.orthogonal_(L.ones(0, 3)),
    lambda L: L.nn.init.sparse_(L.ones(3), 0.1),
    lambda L: L.nn.init.calculate_gain("x"),
    lambda L: L.nn.init.calculate_gain("leaky_relu", "a"),
    lambda L: L.nn.init.calculate_gain("leaky_relu", True),
    lambda L: L.nn.init.calculate_gain("leaky_relu", 0.3),
    lambda L: [
        float(L.nn.init.calculate_gain(n))
        for n in ("linear", "conv2d", "tanh", "relu", "selu")
    ],
    lambda L: L.nn.init.normal(L.ones(2)).shape[0],
]


@pytest.mark.parametrize("program", INIT_ERRORS)
def test_init_errors(program):
    same(program)
