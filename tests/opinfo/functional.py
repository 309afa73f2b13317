"""Losses, and the other functions of veem.nn.functional that are made of ops."""

import numpy as np

from opinfo import FLOATS, OpInfo, Sample, Wrong, values
from veem.nn import functional as F

REDUCTIONS = ("mean", "sum", "none")


def reduced(loss, reduction, divisor=None):
    if reduction == "none":
        return loss
    total = np.sum(loss)
    if reduction == "sum":
        return total
    with np.errstate(invalid="ignore"):
        return total / (loss.size if divisor is None else divisor)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def along(w, x):
    """One number for each class in a shape that broadcasts to x."""
    return 1.0 if w is None else w.reshape(-1, *[1] * (x.ndim - 2)) if x.ndim > 1 else w


def log_softmax(x):
    dim = 1 if x.ndim > 1 else 0
    shifted = x - x.max(dim, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(dim, keepdims=True))


def nll(log_p, target, weight=None, ignore_index=-100, reduction="mean", smoothing=0.0):
    dim = 1 if log_p.ndim > 1 else 0
    classes = log_p.shape[dim]
    kept = target != ignore_index
    index = np.where(kept, target, 0)
    hot = np.moveaxis(np.eye(classes)[index], -1, dim)
    w = np.ones(classes) if weight is None else weight
    even = smoothing / classes
    loss = -(log_p * along(w, log_p) * (hot * (1 - smoothing) + even)).sum(dim)
    return reduced(np.where(kept, loss, 0), reduction, (w[index] * kept).sum())


def cross_entropy(
    x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    log_p = log_softmax(x)
    if target.shape != x.shape:
        return nll(log_p, target, weight, ignore_index, reduction, label_smoothing)
    dim = 1 if x.ndim > 1 else 0
    p = target * (1 - label_smoothing) + label_smoothing / x.shape[dim]
    loss = -(log_p * p * along(weight, x)).sum(dim)
    return reduced(loss, reduction)


def binary(p, y, weight=1.0, reduction="mean"):
    log, log1p = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)
    return reduced(-weight * (y * log + (1 - y) * log1p), reduction)


def binary_logits(x, y, weight=1.0, pos_weight=1.0, reduction="mean"):
    log, log1p = -np.logaddexp(0, -x), -np.logaddexp(0, x)
    return reduced(-weight * (pos_weight * y * log + (1 - y) * log1p), reduction)


def smooth_l1(x, y, beta=1.0, reduction="mean"):
    d = np.abs(x - y)
    return reduced(np.where(d < beta, d * d / 2 / beta, d - beta / 2), reduction)


def huber(x, y, delta=1.0, reduction="mean"):
    d = np.abs(x - y)
    return reduced(np.where(d <= delta, d * d / 2, delta * (d - delta / 2)), reduction)


def kl(x, y, reduction="mean", log_target=False):
    loss = np.exp(y) * (y - x) if log_target else y * (np.log(y) - x)
    by_batch = reduction == "batchmean"
    return reduced(
        loss, "mean" if by_batch else reduction, len(x) if by_batch else None
    )


def weighted(f):
    def reference(x, y, weight=None, reduction="mean"):
        loss, w = f(x, y), np.ones_like(x) if weight is None else weight
        return reduced(w * loss, reduction, w.sum())

    return reference


def pairs(low=-3.0, high=3.0, apart=0.1, **options):
    """Two tensors, no element of which is near its partner, for each reduction."""

    def samples(rng, dtype):
        made = []
        for shape in ((3, 4), (5,), ()):
            x = values(rng, shape, dtype, low, high)
            y = values(rng, shape, dtype, low, high)
            y = np.where(np.abs(x - y) < apart, (low + high) / 2 + (x - y), y)
            made += [Sample((x, y.astype(dtype)), {"reduction": r}) for r in REDUCTIONS]
        made.append(Sample((x, y.astype(dtype)), options))
        return made

    return samples


def probabilities(rng, shape, dtype):
    p = rng.uniform(0.1, 1, shape)
    return (p / p.sum(1 if p.ndim > 1 else 0, keepdims=True)).astype(dtype)


def class_samples(probabilities_too):
    def samples(rng, dtype):
        made = []
        for shape in ((6, 5), (5,), (2, 3, 4)):
            x = values(rng, shape, dtype)
            n = shape[1] if len(shape) > 1 else shape[0]
            target = rng.integers(0, n, shape[:1] + shape[2:] if len(shape) > 1 else ())
            made += [Sample((x, target), {"reduction": r}) for r in REDUCTIONS]
            if target.ndim:
                made.append(Sample((np.copy(x), target), {"ignore_index": 1}))
            if probabilities_too:
                p = probabilities(rng, shape, dtype)
                made.append(Sample((x, target), {"label_smoothing": 0.2}))
                made.append(
                    Sample((x, p), {"label_smoothing": 0.2, "reduction": "sum"})
                )
        return made

    return samples


TWO_THREE = np.ones((2, 3))
CLASS_ERRORS = (
    Wrong((TWO_THREE, np.array([0, 3])), IndexError, "Target 3 is out of bounds"),
    Wrong((TWO_THREE, np.array([0, -1])), IndexError, "Target -1 is out of bounds"),
    Wrong((TWO_THREE, np.array([0, 1, 1])), ValueError, "batch_size"),
    Wrong((TWO_THREE, np.array([0, 1], "int32")), RuntimeError, "target dtype"),
    Wrong((TWO_THREE, np.array([0, 1]), np.ones(2)), RuntimeError, "all 3 classes"),
)


def functional(name, reference, samples, **kwargs):
    kwargs = {"torch": f"nn.functional.{name}", "tolerance": 5e-6, **kwargs}
    return OpInfo(name, reference, samples, FLOATS, call=getattr(F, name), **kwargs)


def logits(rng, dtype):
    return [Sample((values(rng, s, dtype, -8, 8),)) for s in ((3, 4), (), (0, 2))]


def pad_samples(rng, dtype):
    x = values(rng, (2, 3, 4), dtype)
    return [
        Sample((x, (1, 2))),
        Sample((x, (0, 1, 2, 0), "constant", 1.5)),
        Sample((x, (-1, 2, 0, -2))),
        Sample((x, (3, 1), "reflect")),
        Sample((x, (5, 1, 0, 2), "replicate")),
        Sample((x, (4, 1), "circular")),
    ]


def pad(x, amounts, mode="constant", value=0.0):
    pairs = list(zip(amounts[::2], amounts[1::2]))[::-1]
    pairs = [(0, 0)] * (x.ndim - len(pairs)) + pairs
    cut = tuple(slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(x.shape, pairs))
    grow = [(max(a, 0), max(b, 0)) for a, b in pairs]
    names = {"replicate": "edge", "circular": "wrap"}
    if mode == "constant":
        return np.pad(x[cut], grow, constant_values=value)
    return np.pad(x[cut], grow, names.get(mode, mode))


ROWS = [
    functional("mse_loss", weighted(lambda x, y: (x - y) ** 2), pairs(),
               wrong=(Wrong((TWO_THREE, TWO_THREE), ValueError, "not a valid value",
                            {"reduction": "x"}),)),
    functional("l1_loss", weighted(lambda x, y: abs(x - y)), pairs()),
    functional("smooth_l1_loss", smooth_l1, pairs(beta=0.5),
               wrong=(Wrong((TWO_THREE, TWO_THREE), RuntimeError, "negative values",
                            {"beta": -1}),)),
    functional("huber_loss", huber, pairs(delta=0.5),
               wrong=(Wrong((TWO_THREE, TWO_THREE), RuntimeError, "non-positive",
                            {"delta": 0}),)),
    functional("binary_cross_entropy", binary, pairs(0.05, 0.95, 0.0),
               wrong=(Wrong((2 * TWO_THREE, TWO_THREE), RuntimeError, "between 0 and"),
                      Wrong((TWO_THREE, np.ones(3)), ValueError, "target size"))),
    functional("binary_cross_entropy_with_logits", binary_logits, pairs(-8.0, 8.0, 0.0),
               halves=8,
               wrong=(Wrong((TWO_THREE, np.ones(3)), ValueError, "Target size"),)),
    functional("nll_loss", nll, class_samples(False), wrong=CLASS_ERRORS),
    functional("cross_entropy", cross_entropy, class_samples(True), wrong=CLASS_ERRORS),
    functional("kl_div", kl, lambda rng, dtype: [
        Sample((values(rng, (3, 4), dtype), probabilities(rng, (3, 4), dtype)),
               {"reduction": r}) for r in ("sum", "none", "batchmean")]),
    functional("logsigmoid", lambda x: -np.logaddexp(0, -x), logits),
    functional("pad", pad, pad_samples,
               wrong=(Wrong((TWO_THREE, (1,)), RuntimeError, "divisible by 2"),
                      Wrong((TWO_THREE, (3, 0), "reflect"), RuntimeError, "at most 2"),
                      Wrong((TWO_THREE, (-2, -2)), RuntimeError, "negative size"))),
]  # fmt: skip
