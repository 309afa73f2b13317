"""Normalisation."""

import numpy as np

from opinfo import OpInfo, Sample, Wrong, values
from veem.nn import functional as F


def _samples(
    rng,
    dtype,
    shapes=(((4, 6), (6,)), ((2, 3, 5), (3, 5)), ((3, 70), (70,)), ((1,), (1,))),
):
    out = []
    for x, s in shapes:
        x = values(rng, x, dtype)
        out.append(Sample((x, s)))
        out.append(Sample((x + 100, s, values(rng, s, dtype), values(rng, s, dtype))))
        out.append(Sample((x, s, values(rng, s, dtype), None, 1e-3)))
    return out


def _layer_norm(x, shape, weight=None, bias=None, eps=1e-5):
    dims = tuple(range(-len(shape), 0))
    y = (x - x.mean(dims, keepdims=True)) / np.sqrt(x.var(dims, keepdims=True) + eps)
    return y * (1 if weight is None else weight) + (0 if bias is None else bias)


# ---- over channels: x (N, C, *) ----------------------------------------------------

IMAGES = ((3, 4), (2, 4, 3), (2, 4, 5, 5), (3, 2, 1, 37), (2, 70, 3))
FEW = ((3, 4), (2, 4, 3), (2, 2, 4, 5))  # whose derivatives are taken


def _channels(*shapes, head=(), **kwargs):
    """Inputs of each shape with what comes between them and the parameters."""

    def samples(rng, dtype):
        out = []
        for shape in shapes:
            if "num_groups" in kwargs and shape[1] % kwargs["num_groups"]:
                continue
            if head and head[0] == "given":  # a running mean and variance
                between = (
                    values(rng, shape[1:2], dtype),
                    values(rng, shape[1:2], dtype, low=0.5),
                )
            else:
                between = head
            w, b = (values(rng, shape[1:2], dtype) for _ in "wb")
            x = values(rng, shape, dtype)
            out += [
                Sample((x, *between), kwargs),
                Sample((x + 10, *between, w, b), kwargs),
                Sample((x, *between, w, None), kwargs | {"eps": 1e-2}),
            ]
        return out

    return samples


def _over_rows(x, rows, dims, weight, bias, eps):
    y = x.reshape(rows)
    y = (y - y.mean(dims, keepdims=True)) / np.sqrt(y.var(dims, keepdims=True) + eps)
    return _scaled(y.reshape(x.shape), weight, bias)


def _scaled(y, weight, bias):
    along = (-1,) + (1,) * (y.ndim - 2)
    y = y if weight is None else y * weight.reshape(along)
    return y if bias is None else y + bias.reshape(along)


def _batch_norm(x, mean, var, weight=None, bias=None, training=False, eps=1e-5):
    if training:
        rows = (*x.shape[:2], -1)
        return _over_rows(x, rows, (0, 2), weight, bias, eps)
    along = (-1,) + (1,) * (x.ndim - 2)
    y = (x - mean.reshape(along)) / np.sqrt(var.reshape(along) + eps)
    return _scaled(y, weight, bias)


def _group_norm(x, groups, weight=None, bias=None, eps=1e-5):
    return _over_rows(x, (len(x), groups, -1), 2, weight, bias, eps)


def _instance_norm(x, _mean=None, _var=None, weight=None, bias=None, eps=1e-5):
    return _over_rows(x, (*x.shape[:2], -1), 2, weight, bias, eps)


def _rms_norm(x, shape, weight=None, eps=None):
    dims = tuple(range(-len(shape), 0))
    eps = 2.0**-23 if eps is None else eps
    return (
        x
        / np.sqrt((x * x).mean(dims, keepdims=True) + eps)
        * (1 if weight is None else weight)
    )


def _local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0):
    square = np.zeros((len(x), x.shape[1] + size - 1, *x.shape[2:]))
    square[:, size // 2 : size // 2 + x.shape[1]] = x * x
    total = sum(square[:, i : i + x.shape[1]] for i in range(size))
    return x / (k + alpha * total / size) ** beta


def _rms_samples(rng, dtype, shapes=(((4, 6), (6,)), ((2, 3, 5), (3, 5)))):
    x = [(values(rng, x, dtype), s) for x, s in shapes]
    return [
        *(Sample((x, s, None, 1e-5)) for x, s in x),
        *(Sample((x, s, values(rng, s, dtype), 1e-3)) for x, s in x),
    ]


THREE = np.ones((2, 3, 4))
ROWS = [
    OpInfo(
        "batch_norm",
        _batch_norm,
        _channels(*IMAGES, head=(None, None), training=True),
        call=F.batch_norm,
        torch="nn.functional.batch_norm",
        tolerance=3e-5,
        gradient_samples=_channels(*FEW, head=(None, None), training=True),
        wrong=(
            Wrong(
                (np.ones((1, 3)), None, None),
                ValueError,
                "more than 1 value per channel",
                {"training": True},
            ),
            Wrong((THREE, None, None), RuntimeError, "running_mean and running_var"),
            Wrong(
                (THREE, np.ones(2), np.ones(3)),
                RuntimeError,
                "running_mean should contain 3 elements",
            ),
            Wrong(
                (THREE, None, None, np.ones(2)),
                RuntimeError,
                "weight should contain 3",
                {"training": True},
            ),
        ),
    ),
    OpInfo(
        "batch_norm_evaluated",
        _batch_norm,
        _channels(*IMAGES, head=("given",)),
        call=F.batch_norm,
        torch="nn.functional.batch_norm",
        tolerance=3e-5,
        diff=(0, 3, 4),  # PyTorch gives the running ones no gradient
        gradient_samples=_channels(*FEW, head=("given",)),
    ),
    OpInfo(
        "instance_norm",
        _instance_norm,
        _channels(*IMAGES[1:], head=(None, None)),
        call=F.instance_norm,
        torch="nn.functional.instance_norm",
        tolerance=3e-5,
        gradient_samples=_channels(*FEW[1:], head=(None, None)),
        wrong=(
            Wrong((np.ones((2, 3, 1)),), ValueError, "more than 1 spatial element"),
        ),
    ),
    *(
        OpInfo(
            f"group_norm_{groups}",
            _group_norm,
            _channels(*(s for s in IMAGES if s[1] % groups == 0), head=(groups,)),
            call=F.group_norm,
            torch="nn.functional.group_norm",
            tolerance=3e-5,
            gradient_samples=_channels(
                *(s for s in FEW[1:] if s[1] % groups == 0), head=(groups,)
            ),
            wrong=(
                Wrong((np.ones((2, 7)), groups + 1), RuntimeError, "divisible"),
                Wrong((np.ones(3), groups), RuntimeError, "at least 2 dimensions"),
            ),
        )
        for groups in (1, 2)
    ),
    OpInfo(
        "rms_norm",
        _rms_norm,
        _rms_samples,
        call=F.rms_norm,
        torch="nn.functional.rms_norm",
        wrong=(Wrong((THREE, (3,)), RuntimeError, r"normalized_shape=\[3\]"),),
    ),
    OpInfo(
        "local_response_norm",
        _local_response_norm,
        lambda rng, dtype: [
            Sample((values(rng, s, dtype), *args))
            for s in ((2, 5, 3), (1, 4, 3, 2))
            for args in ((2,), (3, 0.5, 0.6, 2.0))
        ],
        call=F.local_response_norm,
        torch="nn.functional.local_response_norm",
        wrong=(Wrong((np.ones((2, 3)), 2), ValueError, "3D or higher"),),
    ),
    OpInfo(
        "layer_norm",
        _layer_norm,
        _samples,
        call=F.layer_norm,
        torch="nn.functional.layer_norm",
        # In float32, x + 100 is rounded to 2^-18 before its mean is taken away.
        tolerance=3e-5,
        gradient_samples=lambda rng, dtype: _samples(
            rng, dtype, (((3, 4), (4,)), ((2, 2, 3), (2, 3)))
        ),
        wrong=(
            Wrong((np.ones((2, 3)), (2,)), RuntimeError, r"normalized_shape=\[2\]"),
            Wrong((np.ones((2, 3)), (3,), np.ones(2)), RuntimeError, "weight of shape"),
        ),
    ),
]
