"""veem.nn.functional beside PyTorch's: values, gradients, dtypes, errors."""

import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import veem  # noqa: E402

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape)


def uniform(*shape):
    return RNG.uniform(0.02, 0.98, size=shape)


def classes(n, *shape):
    return RNG.integers(0, n, shape)


def distribution(*shape):
    p = RNG.uniform(0.1, 1, shape)
    return p / p.sum(1, keepdims=True)


def case(name, *args, **kwargs):
    return name, args, kwargs


X, Y = normal(4, 5), normal(4, 5)
W = uniform(4, 5)
LOGITS, TARGET = normal(6, 5), classes(5, 6)
SOME = np.where(np.arange(6) % 3 == 1, -100, TARGET)
IMAGE, LABELS = normal(2, 3, 4, 5), classes(3, 2, 4, 5)
CLASS_WEIGHT = np.array([0.5, 2.0, 1.0, 0.25, 3.0])
PICTURE = normal(2, 3, 7, 8)

CASES = []
CASES += [
    case(name, normal(3, 4), *args)
    for name, *args in [
        ("relu",), ("leaky_relu", 0.2), ("elu", 1.5), ("gelu",),
        ("silu",), ("sigmoid",), ("tanh",), ("softplus",), ("softplus", 2.0, 1.0),
        ("logsigmoid",), ("softmax", 0), ("softmax", -1), ("log_softmax", 1),
    ]
]  # fmt: skip
for reduction in ("mean", "sum", "none"):
    r = {"reduction": reduction}
    CASES += [
        case("mse_loss", X, Y, **r),
        case("mse_loss", X, Y, weight=W, **r),
        case("l1_loss", X, Y, **r),
        case("l1_loss", X, Y, weight=W, **r),
        case("smooth_l1_loss", X, Y, beta=0.7, **r),
        case("smooth_l1_loss", X, Y, beta=0.0, **r),
        case("huber_loss", X, Y, delta=0.7, **r),
        case("huber_loss", X, Y, weight=W, **r),
        case("binary_cross_entropy", uniform(3, 4), uniform(3, 4), **r),
        case("binary_cross_entropy", uniform(3, 4), uniform(3, 4), uniform(4), **r),
        case("binary_cross_entropy_with_logits", X, W, **r),
        case("binary_cross_entropy_with_logits", 30 * X, W, **r),
        case(
            "binary_cross_entropy_with_logits",
            X,
            W,
            uniform(5),
            pos_weight=uniform(5),
            **r,
        ),
        case("nll_loss", LOGITS, TARGET, **r),
        case("nll_loss", LOGITS, SOME, CLASS_WEIGHT, **r),
        case("nll_loss", LOGITS[0], np.array(3), **r),
        case("nll_loss", IMAGE, LABELS, ignore_index=1, **r),
        case("cross_entropy", LOGITS, TARGET, **r),
        case("cross_entropy", 50 * LOGITS, TARGET, **r),
        case("cross_entropy", LOGITS, SOME, **r),
        case("cross_entropy", LOGITS, TARGET, CLASS_WEIGHT, **r),
        case("cross_entropy", LOGITS, SOME, CLASS_WEIGHT, label_smoothing=0.2, **r),
        case("cross_entropy", LOGITS, SOME, label_smoothing=0.1, **r),
        case("cross_entropy", LOGITS, TARGET, ignore_index=2, **r),
        case("cross_entropy", LOGITS[0], np.array(3), **r),
        case("cross_entropy", IMAGE, LABELS, **r),
        case(
            "cross_entropy", IMAGE, LABELS, CLASS_WEIGHT[:3], label_smoothing=0.3, **r
        ),
        case("cross_entropy", LOGITS, distribution(6, 5), **r),
        case("cross_entropy", LOGITS, distribution(6, 5), CLASS_WEIGHT, **r),
        case(
            "cross_entropy", IMAGE, distribution(2, 3, 4, 5), label_smoothing=0.3, **r
        ),
        case("cross_entropy", LOGITS[0], distribution(1, 5)[0], **r),
        case("kl_div", LOGITS, distribution(6, 5), **r),
        case("kl_div", LOGITS, np.log(distribution(6, 5)), log_target=True, **r),
    ]
CASES += [
    case("kl_div", LOGITS, distribution(6, 5), reduction="batchmean"),
    case("gelu", X, approximate="tanh"),
    case("cross_entropy", LOGITS, TARGET.astype("uint8")),
    case("linear", normal(2, 3, 4), normal(5, 4), normal(5)),
    case("linear", normal(4), normal(5, 4)),
    case("dropout", X, 0.5, False),
    case("dropout", X, 0.0),
    case("dropout", X, 1.0),
    case("embedding", classes(7, 2, 3), normal(7, 4)),
    case("embedding", classes(7, 2, 3), normal(7, 4), padding_idx=2),
    case("embedding", classes(7, 2, 3), normal(7, 4), padding_idx=-1),
    case("layer_norm", X, (5,)),
    case("layer_norm", normal(2, 3, 4), (3, 4), normal(3, 4), normal(3, 4), 1e-3),
    case("one_hot", classes(4, 2, 3)),
    case("one_hot", classes(4, 2, 3), 6),
    case("one_hot", np.zeros((2, 0), "int64"), 3),
    case("pad", PICTURE, (1, 2)),
    case("pad", PICTURE, (1, 2, 3, 0), value=1.5),
    case("pad", PICTURE, (-1, 2, 3, -2)),
    case("pad", PICTURE, (0, 0, 1, 0, 0, 2)),
    case("pad", PICTURE[0], (1, 2), mode="reflect"),
    case("pad", PICTURE, (7, 0, 3, 6), mode="reflect"),
    case("pad", PICTURE, (1, 12, 3, 0), mode="replicate"),
    case("pad", PICTURE, (8, 2, 0, 5), mode="circular"),
    case("pad", PICTURE, (-1, 2, 3, -2), mode="reflect"),
    case("conv2d", PICTURE, normal(4, 3, 3, 3)),
    case("conv2d", PICTURE[0], normal(4, 3, 3, 3), normal(4)),
    case("conv2d", PICTURE, normal(4, 3, 3, 2), normal(4), (2, 1), (1, 0), (1, 2)),
    case("conv2d", PICTURE, normal(6, 1, 2, 2), None, 1, 0, 1, 3),
    case("conv2d", PICTURE, normal(4, 3, 3, 2), padding="same", dilation=(1, 2)),
    case("conv2d", PICTURE, normal(4, 3, 4, 4), padding="same"),
    case("conv2d", PICTURE, normal(4, 3, 2, 2), padding="valid"),
    case("max_pool2d", PICTURE, 2),
    case("max_pool2d", PICTURE[0], (3, 2), (2, 1), (1, 0), (1, 2)),
    case("max_pool2d", PICTURE, 3, 2, ceil_mode=True),
    case("max_pool2d", PICTURE, 3, 2, 1, return_indices=True),
    case("avg_pool2d", PICTURE, 2),
    case("avg_pool2d", PICTURE[0], (3, 2), (2, 1), (1, 0)),
    case("avg_pool2d", PICTURE, 3, 2, 1, ceil_mode=True),
    case("avg_pool2d", PICTURE, 2, 2, 1, ceil_mode=True),
    case("avg_pool2d", PICTURE, 3, 2, 1, True, False),
    case("avg_pool2d", PICTURE, 3, 2, 1, False, False),
    case("avg_pool2d", PICTURE, 3, divisor_override=4),
    case("adaptive_avg_pool2d", PICTURE, 1),
    case("adaptive_avg_pool2d", PICTURE, (3, None)),
    case("adaptive_avg_pool2d", PICTURE[0], (5, 3)),
    case("adaptive_avg_pool2d", PICTURE, (9, 8)),
]
Q, K, V = normal(2, 3, 4, 6), normal(2, 3, 5, 6), normal(2, 3, 5, 2)
MASK = RNG.random((4, 5)) < 0.5
MASK[2] = False
CASES += [
    case("scaled_dot_product_attention", Q, K, V),
    case("scaled_dot_product_attention", Q, K, V, is_causal=True),
    case("scaled_dot_product_attention", Q, K, V, normal(4, 5), scale=0.3),
    case("scaled_dot_product_attention", Q, K, V, MASK),
    case("scaled_dot_product_attention", Q, K, V, np.where(MASK, 0.0, -np.inf)),
    case("scaled_dot_product_attention", Q, K[:, :1], V[:, :1], enable_gqa=True),
]


def numbered(cases):
    return [pytest.param(*c, id=f"{c[0]}-{i}") for i, c in enumerate(cases)]


def tensors(lib, args, with_grad):
    """Arrays as tensors; the first `with_grad` of them require grad."""
    made = []
    for i, a in enumerate(args):
        if isinstance(a, np.ndarray):
            a = lib.from_numpy(a.copy())
            if a.is_floating_point() and i < with_grad:
                a.requires_grad_()
        made.append(a)
    return made


def run(lib, name, args, kwargs):
    is_loss = name.endswith(("_loss", "entropy", "logits", "_div"))
    args = tensors(lib, args, 2 if is_loss else len(args))  # no gradients of weights
    keys, values = list(kwargs), tensors(lib, kwargs.values(), 0)
    out = getattr(lib.nn.functional, name)(*args, **dict(zip(keys, values)))
    outs = list(out) if isinstance(out, tuple) else [out]
    leaves = [a for a in args if isinstance(a, lib.Tensor) and a.requires_grad]
    if outs[0].requires_grad:
        weights = np.random.default_rng(1).normal(size=tuple(outs[0].shape))
        (outs[0] * lib.from_numpy(np.asarray(weights))).sum().backward()
    return outs, [x.grad for x in leaves]


@pytest.mark.parametrize(("name", "args", "kwargs"), numbered(CASES))
def test_values_and_gradients(name, args, kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, our_grads = run(veem, name, args, kwargs)
        theirs, their_grads = run(torch, name, args, kwargs)
    for a, b in zip(ours, theirs):
        assert str(a.dtype).split(".")[-1] == str(b.dtype).split(".")[-1]
        assert tuple(a.shape) == tuple(b.shape)
        np.testing.assert_allclose(a.tolist(), b.tolist(), rtol=1e-9, atol=1e-12)
    for i, (a, b) in enumerate(zip(our_grads, their_grads)):
        assert (a is None) == (b is None), f"gradient {i}"
        if a is not None:
            np.testing.assert_allclose(
                a.tolist(), b.tolist(), rtol=1e-8, atol=1e-11, err_msg=f"gradient {i}"
            )


SPECIAL = [
    case(
        "binary_cross_entropy", np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 1, 1, 0])
    ),
    case(
        "binary_cross_entropy_with_logits",
        np.array([0.0, -0.0, 700]),
        np.array([0.0, 1, 1]),
    ),
    case("cross_entropy", LOGITS, np.full(6, -100)),
    case("cross_entropy", np.zeros((0, 3)), np.zeros(0, "int64")),
    case("cross_entropy", np.array([[np.inf, 0, 1.0]]), np.array([1])),
    case("cross_entropy", np.array([[-np.inf, 0, 1.0]]), np.array([1])),
    case(
        "cross_entropy",
        np.array([[-np.inf, 0, 1.0]]),
        np.array([-100]),
        reduction="sum",
    ),
    case("kl_div", LOGITS[:1, :3], np.array([[0.0, 0.3, 0.7]])),
    case("mse_loss", np.zeros(0), np.zeros(0)),
    case("smooth_l1_loss", np.array([1.0, 2.0]), np.array([1.0, 1.0])),
    case("l1_loss", np.array([1.0, 2.0]), np.array([1.0, 1.0])),
    case("huber_loss", np.array([1.0, 2.0]), np.array([1.0, 1.0])),
    case("logsigmoid", np.array([0.0, 50, -50, 1e4, -1e4, np.inf, np.nan])),
    case("avg_pool2d", np.array([[[[np.nan, 1, 2, 3], [np.inf, 1, 1, 1]]]]), 2),
]


@pytest.mark.filterwarnings("ignore:reduction")
@pytest.mark.parametrize(("name", "args", "kwargs"), numbered(SPECIAL))
def test_special_values(name, args, kwargs):
    ours, our_grads = run(veem, name, args, kwargs)
    theirs, their_grads = run(torch, name, args, kwargs)
    for a, b in zip(ours + our_grads[:1], theirs + their_grads[:1]):
        np.testing.assert_allclose(a.tolist(), b.tolist(), rtol=1e-8, atol=1e-12)


T = lambda lib, *values: lib.tensor(list(values))
WRONG = {
    "dropout": lambda L, F: F.dropout(L.ones(2), 1.5),
    "reduction": lambda L, F: F.mse_loss(L.ones(2), L.ones(2), reduction="x"),
    "weights": lambda L, F: F.mse_loss(L.ones(2), L.ones(2), weight=L.ones(3)),
    "cannot broadcast": lambda L, F: F.mse_loss(L.ones(2), L.ones(3)),
    "target": lambda L, F: F.cross_entropy(L.ones(2, 3), T(L, 0, 3)),
    "target below": lambda L, F: F.cross_entropy(L.ones(2, 3), T(L, 0, -1)),
    "nll target": lambda L, F: F.nll_loss(L.ones(2, 3), T(L, 0, 3)),
    "batch": lambda L, F: F.cross_entropy(L.ones(2, 3), T(L, 0, 1, 1)),
    "nll batch": lambda L, F: F.nll_loss(L.ones(2, 3), T(L, 0, 1, 1)),
    "dtype": lambda L, F: F.cross_entropy(L.ones(2, 3), T(L, 0, 1).to(L.int32)),
    "float target": lambda L, F: F.cross_entropy(L.ones(2, 3), T(L, 0.0, 1.0)),
    "class weights": lambda L, F: F.cross_entropy(L.ones(2, 3), T(L, 0, 1), L.ones(2)),
    "smoothing": lambda L, F: F.cross_entropy(
        L.ones(2, 3), T(L, 0, 1), label_smoothing=2
    ),
    "probabilities": lambda L, F: F.cross_entropy(L.ones(2, 3), L.ones(2, 3).long()),
    "bce": lambda L, F: F.binary_cross_entropy(T(L, 2.0), T(L, 1.0)),
    "bce size": lambda L, F: F.binary_cross_entropy(L.ones(2, 3), L.ones(3)),
    "logits size": lambda L, F: F.binary_cross_entropy_with_logits(
        L.ones(2, 3), L.ones(3)
    ),
    "beta": lambda L, F: F.smooth_l1_loss(L.ones(2), L.ones(2), beta=-1),
    "delta": lambda L, F: F.huber_loss(L.ones(2), L.ones(2), delta=0),
    "one_hot negative": lambda L, F: F.one_hot(T(L, 0, -1)),
    "one_hot big": lambda L, F: F.one_hot(T(L, 0, 5), 3),
    "one_hot empty": lambda L, F: F.one_hot(L.zeros(0).long()),
    "one_hot float": lambda L, F: F.one_hot(L.ones(2)),
    "gelu": lambda L, F: F.gelu(L.ones(2), approximate="x"),
    "layer_norm": lambda L, F: F.layer_norm(L.ones(2, 3), (4,)),
    "layer_norm weight": lambda L, F: F.layer_norm(L.ones(2, 3), (3,), L.ones(2)),
    "embedding": lambda L, F: F.embedding(T(L, 5), L.ones(2, 3)),
    "embedding float": lambda L, F: F.embedding(L.ones(2), L.ones(2, 3)),
    "padding_idx": lambda L, F: F.embedding(T(L, 1), L.ones(2, 3), padding_idx=7),
    "linear": lambda L, F: F.linear(L.ones(2, 3), L.ones(2, 2)),
    "pad odd": lambda L, F: F.pad(L.ones(2, 3), (1,)),
    "pad many": lambda L, F: F.pad(L.ones(2), (1, 1, 1, 1)),
    "pad mode": lambda L, F: F.pad(L.ones(2), (1, 1), mode="x"),
    "pad away": lambda L, F: F.pad(L.ones(2), (-2, -2)),
    "pad reflect": lambda L, F: F.pad(L.ones(2, 3), (3, 0), "reflect"),
    "pad circular": lambda L, F: F.pad(L.ones(2, 3), (4, 0), "circular"),
    "conv same": lambda L, F: F.conv2d(
        L.ones(1, 1, 4, 4), L.ones(1, 1, 2, 2), stride=2, padding="same"
    ),
    "conv padding": lambda L, F: F.conv2d(
        L.ones(1, 1, 4, 4), L.ones(1, 1, 2, 2), padding="x"
    ),
    "pool padding": lambda L, F: F.avg_pool2d(L.ones(1, 1, 4, 4), 2, padding=2),
    "pool size": lambda L, F: F.avg_pool2d(L.ones(1, 1, 4, 4), 5),
    "pool divisor": lambda L, F: F.avg_pool2d(
        L.ones(1, 1, 4, 4), 2, divisor_override=0
    ),
    "pool stride": lambda L, F: F.avg_pool2d(L.ones(1, 1, 4, 4), 2, stride=0),
    "attention": lambda L, F: F.scaled_dot_product_attention(
        *[L.ones(2, 3, 4)] * 3, L.ones(3, 3), is_causal=True
    ),
}  # fmt: skip
SAME_WORDS = "dropout reduction weights batch smoothing bce delta beta".split()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    def outcome(lib):
        try:
            WRONG[name](lib, lib.nn.functional)
        except Exception as error:
            return type(error), str(error)
        return None, ""

    (ours, our_text), (theirs, their_text) = outcome(veem), outcome(torch)
    assert ours is theirs, our_text
    if name in SAME_WORDS:
        assert our_text == their_text.replace("torch", "veem")


def test_dropout_draws_the_same():
    for p, shape in ((0.5, (40,)), (0.1, (3, 7)), (0.9, (2, 2, 2))):
        kept = []
        for lib in (veem, torch):
            lib.manual_seed(9)
            kept.append(lib.nn.functional.dropout(lib.ones(shape), p).numpy())
        np.testing.assert_array_equal(*kept)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "silu"])
def test_in_place(name):
    x, y = [lib.from_numpy(X.copy()) for lib in (veem, torch)]
    grads = []
    for lib, leaf in ((veem, x), (torch, y)):
        leaf.requires_grad_()
        twice = leaf * 2
        out = getattr(lib.nn.functional, name)(twice, inplace=True)
        assert out is twice
        out.sum().backward()
        grads.append(leaf.grad.numpy())
    np.testing.assert_allclose(*grads)
