"""Losses with a margin, of triplets, of counts and variances; distances and angles."""

import numpy as np

from opinfo import Sample, Wrong, values
from opinfo.functional import REDUCTIONS, functional, reduced

ONES, PLAIN = np.ones((2, 3)), {"reduction": "none"}
BAD = Wrong((ONES, ONES), ValueError, "not a valid value", {"reduction": "x"})


def clip(x):
    return np.maximum(x, 0)


def signs(*shapes, inputs=1, **options):
    """Inputs and a target of -1 and 1, for each reduction."""

    def samples(rng, dtype):
        made = []
        for shape in shapes:
            xs = [values(rng, shape, dtype, avoid=(1.0,)) for _ in range(inputs)]
            y = np.where(rng.random(shape) < 0.5, -1, 1).astype(dtype)
            made += [Sample((*xs, y), {"reduction": r}) for r in REDUCTIONS]
        return [*made, Sample((*xs, y), options)]

    return samples


def hinge(x, y, margin=1.0, reduction="mean"):
    return reduced(np.where(y == 1, x, clip(margin - x)), reduction)


def ranking(a, b, y, margin=0.0, reduction="mean"):
    return reduced(clip(margin - y * (a - b)), reduction)


def dot(a, b):
    return (a * b).sum(-1)


def cosine_embedding(a, b, y, margin=0.0, reduction="mean"):
    cos = dot(a, b) / np.sqrt(dot(a, a) * dot(b, b))
    return reduced(np.where(y == 1, 1 - cos, clip(cos - margin)), reduction)


def cosine_samples(rng, dtype):
    made = []
    for n in ((4,), ()):
        a, b = (values(rng, (*n, 3), dtype) for _ in range(2))
        y = np.where(rng.random(n) < 0.5, -1, 1)
        made += [Sample((a, b, y), {"reduction": r}) for r in REDUCTIONS]
        made.append(Sample((a, b, y), {"margin": 0.3}))
    return made


def multi_margin(x, y, p=1, margin=1.0, weight=None, reduction="mean"):
    rows, y = np.atleast_2d(x), np.atleast_1d(y)
    own = np.take_along_axis(rows, y[:, None], 1)
    excess = clip(margin - own + rows) ** p * (np.arange(rows.shape[1]) != y[:, None])
    w = 1.0 if weight is None else weight[y]
    loss = w * excess.sum(1) / rows.shape[1]
    return reduced(loss if x.ndim == 2 else loss[0], reduction)


def multi_margin_samples(rng, dtype):
    x, y = values(rng, (4, 5), dtype), rng.integers(0, 5, 4)
    weight = values(rng, (5,), dtype, 0.5, 2)
    made = [Sample((x, y), {"reduction": r}) for r in REDUCTIONS]
    made += [Sample((x, y, 2, 0.5)), Sample((x[0], np.array(y[0])), PLAIN)]
    return [*made, Sample((x, y, 1, 1.0, weight), PLAIN)]


def multilabel_margin(x, y, reduction="mean"):
    losses = []
    for row, labels in zip(np.atleast_2d(x), np.atleast_2d(y)):
        labels = labels[: np.append(np.where(labels < 0)[0], labels.size)[0]]
        others = np.setdiff1d(np.arange(row.size), labels)
        losses.append(clip(1 - row[labels][:, None] + row[others]).sum() / row.size)
    return reduced(np.array(losses) if x.ndim == 2 else losses[0], reduction)


def multilabel_samples(rng, dtype):
    x = values(rng, (4, 5), dtype)
    y = np.array([[3, 0, -1, 1, 2], [-1] * 5, [4, 3, 2, 1, 0], [2, -1, -1, 0, -1]])
    made = [Sample((x, y), {"reduction": r}) for r in REDUCTIONS]
    return [*made, Sample((x[0], y[0]), PLAIN)]


def multilabel_soft(x, y, weight=1.0, reduction="mean"):
    loss = y * np.logaddexp(0, -x) + (1 - y) * np.logaddexp(0, x)
    return reduced((loss * weight).mean(-1), reduction)


def multilabel_soft_samples(rng, dtype):
    x, y = values(rng, (2, 3, 4), dtype), rng.integers(0, 2, (2, 3, 4)).astype(dtype)
    made = [Sample((x, y), {"reduction": r}) for r in REDUCTIONS]
    return [*made, Sample((x, y, values(rng, (4,), dtype, 0.5, 2)))]


def distance(a, b, p=2.0, eps=1e-6, keepdim=False):
    d = np.abs(a - b + eps)
    if p == np.inf:
        return d.max(-1, keepdims=keepdim)
    return (d**p).sum(-1, keepdims=keepdim) ** (1 / p)


def triplet(a, p, n, margin=1.0, norm=2.0, eps=1e-6, swap=False, reduction="mean"):
    near, far = distance(a, p, norm, eps), distance(a, n, norm, eps)
    far = np.minimum(far, distance(p, n, norm, eps)) if swap else far
    return reduced(clip(margin + near - far), reduction)


def triplet_samples(rng, dtype):
    a, p, n = (values(rng, (4, 3), dtype) for _ in range(3))
    made = [Sample((a, p, n), {"reduction": r}) for r in REDUCTIONS]
    made += [Sample((a, p, n, 2.0, 1.0, 1e-4, True)), Sample((a[0], p[0], n[0]))]
    return made


def plain_triplet_samples(rng, dtype):
    a, p, n = (values(rng, (4, 3), dtype) for _ in range(3))
    return [Sample((a, p, n), {"margin": 2.0, "swap": s}) for s in (False, True)]


def distance_samples(rng, dtype):
    a, b = (values(rng, (4, 3), dtype) for _ in range(2))
    ways = ((), (1.0,), (3.0, 0.1, True), (np.inf,))
    return [Sample((a, b, *way)) for way in ways] + [
        Sample((a, b[0])),
        Sample((a, b[:1])),
    ]


def cosine(a, b, dim=1, eps=1e-8):
    length = lambda x: np.maximum(np.sqrt((x * x).sum(dim, keepdims=True)), eps)
    return (a / length(a) * b / length(b)).sum(dim)


def similarity_samples(rng, dtype):
    a, b = (values(rng, (2, 3, 4), dtype) for _ in range(2))
    return [Sample((a, b)), Sample((a, b[0], -1)), Sample((a[0, 0], b[0, 0], 0, 1e-3))]


def unit(x, p=2.0, dim=1, eps=1e-12):
    return (
        x
        / np.maximum(distance(np.moveaxis(x, dim, -1), 0, p, 0), eps)[
            (slice(None),) * (dim % x.ndim) + (None,)
        ]
    )


def unit_samples(rng, dtype):
    x = values(rng, (2, 3, 4), dtype)
    return [Sample((x,)), Sample((x, 1.0, -1)), Sample((x, 3.0, 0))]


def poisson(x, y, log_input=True, full=False, eps=1e-8, reduction="mean"):
    loss = np.exp(x) - y * x if log_input else x - y * np.log(x + eps)
    big = np.maximum(y, 1)
    stirling = big * np.log(big) - big + 0.5 * np.log(2 * np.pi * big)
    return reduced(loss + (stirling * (y > 1) if full else 0), reduction)


def poisson_samples(rng, dtype):
    x = values(rng, (4, 3), dtype, 0.1, 2)
    y = (2 * rng.integers(0, 4, (4, 3))).astype(dtype)  # has a step at 1
    made = [Sample((x, y), {"reduction": r}) for r in REDUCTIONS]
    return [*made, Sample((x, y, False), PLAIN), Sample((x, y + 2, True, True), PLAIN)]


def gaussian(x, y, var, full=False, eps=1e-6, reduction="mean"):
    var = var[..., None] if np.ndim(var) == x.ndim - 1 else var
    v = np.maximum(var, eps)
    loss = (np.log(v) + (x - y) ** 2 / v + (np.log(2 * np.pi) if full else 0)) / 2
    return reduced(loss, reduction)


def gaussian_samples(rng, dtype):
    x, y = (values(rng, (4, 3), dtype) for _ in range(2))
    v = values(rng, (4, 3), dtype, 0.1, 2)
    made = [Sample((x, y, v), {"reduction": r}) for r in REDUCTIONS]
    some = [Sample((x, y, w, True), PLAIN) for w in (v[:, 0], v[:, :1], v[:1])]
    return [*made, *some[:2]]


LONG = np.array([0, 1])
LABELS = np.array([[0, -1, -1], [0, 1, 2]])
ROWS = [
    functional("soft_margin_loss",
               lambda x, y, reduction="mean": reduced(np.logaddexp(0, -x * y),
                                                      reduction),
               signs((3, 4), (5,), ()), wrong=(BAD,), diff=(0,)),
    functional("hinge_embedding_loss", hinge, signs((3, 4), (5,), (), margin=2.0),
               wrong=(BAD,), diff=(0,)),
    functional("margin_ranking_loss", ranking, signs((5,), (), inputs=2, margin=0.3),
               wrong=(Wrong((ONES, ONES, np.ones(3)), RuntimeError, "same dim"),)),
    functional("cosine_embedding_loss", cosine_embedding, cosine_samples,
               wrong=(Wrong((ONES, ONES, ONES), RuntimeError, "1D target"),
                      Wrong((ONES, np.ones(3), np.ones(2)), RuntimeError, "2D input"))),
    functional("multi_margin_loss", multi_margin, multi_margin_samples, diff=(0,),
               wrong=(Wrong((ONES, LONG, 3), ValueError, "p == 1"),
                      Wrong((ONES, np.array([0, 3])), RuntimeError, "out of range"),
                      Wrong((ONES, np.array([0, 1, 1])), RuntimeError, "target size"),
                      Wrong((ONES, np.ones(2)), RuntimeError, "int64"),
                      Wrong((ONES, LONG, 1, 1.0, np.ones(2)), RuntimeError, "weight"))),
    functional("multilabel_margin_loss", multilabel_margin, multilabel_samples,
               wrong=(Wrong((ONES, LONG), RuntimeError, "inconsistent target size"),
                      Wrong((ONES, LABELS + 1), RuntimeError, "out of range"))),
    functional("multilabel_soft_margin_loss", multilabel_soft, multilabel_soft_samples),
    functional("triplet_margin_loss", triplet, triplet_samples, halves=8,
               wrong=(Wrong((ONES, ONES, ONES, 0.0), ValueError, "greater than 0"),
                      Wrong((ONES, ONES, np.ones(3)), RuntimeError, "number of"))),
    functional("triplet_margin_with_distance_loss", triplet, plain_triplet_samples),
    functional("poisson_nll_loss", poisson, poisson_samples, halves=8),
    functional("gaussian_nll_loss", gaussian, gaussian_samples,
               wrong=(Wrong((ONES, ONES, -ONES), ValueError, "negative"),
                      Wrong((ONES, ONES, np.ones(4)), ValueError, "incorrect size"),
                      Wrong((ONES, ONES, ONES), ValueError, "not valid",
                            {"reduction": "x"}))),
    functional("pairwise_distance", distance, distance_samples),
    functional("cosine_similarity", cosine, similarity_samples),
    functional("normalize", unit, unit_samples),
]  # fmt: skip
