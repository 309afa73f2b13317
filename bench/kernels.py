"""Kernels: veem beside NumPy and PyTorch, op by op and size by size.

Each cell: the median time, its ratio to the best of the row (1.00 is the best), and how
much of the machine's limit it reaches (limits.py). Only checked results are timed.
"""

import math
from functools import partial

import numpy as np
from case import Case
from harness import main
from recurrent import RECURRENT
from windows import WINDOWS, convolution

NON_FINITE = (math.nan, math.inf, -math.inf)
TINY = (0.0, -0.0, 1e-40, -1e-45)
HUGE = (3.4e38, -3.4e38, 88.0, -104.0)


def row(
    op,
    sizes,
    tensor,
    numpy=None,
    reference=None,
    inputs=None,
    flops=None,
    mlx=None,
    **more,
):
    """The cases of one op. `sizes` maps a label to the inputs' shapes; `tensor(T,
    *inputs)` is the call in torch and veem, `numpy(*inputs)` the one in NumPy and,
    unless there is a `reference`, the one that all must agree with. `mlx(mx, *inputs)`
    is the call in MLX. `flops(*shapes)` counts operations.
    """
    cases = []
    for size, shapes in sizes.items():
        make = inputs or normal
        case = Case(op, size, partial(make, shapes), **more)
        case.tensor = lambda T, *x: partial(tensor, T, *x)
        case.numpy = numpy and (lambda np, *x: partial(numpy, *x))
        case.reference = reference and (lambda np, *x: partial(reference, *x))
        if mlx:
            case.variants = case.variants | {"mlx:gpu": partial(begun, mlx)}
        case.flops = flops(*shapes) if flops else 0
        cases.append(case)
    return cases


def begun(call, mx, *inputs):
    """MLX computes when it is asked to: each step asks, and does not wait."""

    def step():
        result = call(mx, *inputs)
        mx.async_eval(result)
        return result

    return step


# ---- inputs


def normal(shapes, rng):
    return [rng.standard_normal(shape, np.float32) for shape in shapes]


def small(shapes, rng):
    return [0.05 * x for x in normal(shapes, rng)]


def with_indices(shapes, rng):
    """A float array, and indices into (or classes along) the size that comes last."""
    table, count, below = shapes
    return [*normal([table], rng), rng.integers(0, below, count)]


def power(n):
    return f"10^{round(math.log10(n))}"


def label(*shape):
    return "x".join(map(str, shape))


# ---- formulas that NumPy lacks


def gelu(x):
    erf = np.frompyfunc(math.erf, 1, 1)
    return x * 0.5 * (1 + erf(x / 2**0.5).astype(x.dtype))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def layer_norm(x, weight, bias):
    mean = x.mean(-1, keepdims=True)
    centred = x - mean
    variance = (centred * centred).mean(-1, keepdims=True)
    return centred / np.sqrt(variance + 1e-5) * weight + bias


def attention_weights(q, k, causal=False):
    scores = q @ k.swapaxes(-2, -1) / q.shape[-1] ** 0.5
    return softmax(
        np.where(np.tri(len(scores[0, 0])), scores, -np.inf) if causal else scores
    )


def causal_attention(q, k, v):
    return attention_weights(q, k, causal=True) @ v


def attention_with_dropout(T, q, k, v):
    T.manual_seed(0)
    return T.nn.functional.scaled_dot_product_attention(q, k, v, dropout_p=0.1)


def dropped_attention(q, k, v):
    """What is kept comes from 53 bits of two words of the Mersenne Twister."""
    p = attention_weights(q, k)
    words = np.random.RandomState(0).randint(0, 2**32, 2 * p.size, np.uint32)
    high, low = words.reshape(*p.shape, 2).astype(np.uint64).transpose(4, 0, 1, 2, 3)
    units = ((high << 32 | low) & (2**53 - 1)) * 2.0**-53
    return p * (units < 0.9) / 0.9 @ v


def attention_and_gradients(T, q, k, v):
    leaves = [x.requires_grad_() for x in (q, k, v)]
    out = T.nn.functional.scaled_dot_product_attention(*leaves)
    return out, *T.autograd.grad(out.sum(), leaves)


def attention_backward(q, k, v):
    """The result and the gradients of its sum."""
    p = attention_weights(q, k)
    g = np.ones_like(q)
    dp = g @ v.swapaxes(-2, -1)
    ds = p * (dp - (dp * p).sum(-1, keepdims=True)) / q.shape[-1] ** 0.5
    return p @ v, ds @ k, ds.swapaxes(-2, -1) @ q, p.swapaxes(-2, -1) @ g


def batch_norm(x, weight, bias):
    axes = (0, *range(2, x.ndim))
    along = (-1,) + (1,) * (x.ndim - 2)
    y = x - x.mean(axes, keepdims=True)
    y = y / np.sqrt((y * y).mean(axes, keepdims=True) + 1e-5)
    return y * weight.reshape(along) + bias.reshape(along)


def cross_entropy(x, target):
    """The mean loss and its gradient."""
    rows = np.arange(len(x))
    highest = x.max(-1, keepdims=True)
    e = np.exp(x - highest)
    total = e.sum(-1, keepdims=True)
    loss = np.mean(np.log(total[:, 0]) + highest[:, 0] - x[rows, target])
    e /= total
    e[rows, target] -= 1
    return loss, e / np.asarray(len(x), x.dtype)


def cross_entropy_of_mlx(mx, x, target):
    import mlx.nn as nn

    loss = lambda x: nn.losses.cross_entropy(x, target, reduction="mean")
    return mx.value_and_grad(loss)(x)


def gelu_of_mlx(mx, x):
    import mlx.nn as nn

    return nn.gelu(x)


def cross_entropy_of(T, x, target):
    x.requires_grad_()
    loss = T.nn.functional.cross_entropy(x, target)
    return loss, T.autograd.grad(loss, [x])[0]


def linear_relu(T, x, w, b):
    return T.nn.functional.linear(x, w, b).relu()


def linear_gelu(T, x, w, b):
    return T.nn.functional.gelu(T.nn.functional.linear(x, w, b))


def fused(activation):
    """A linear layer of veem that ends with its activation: one kernel."""
    return lambda T, x, w, b: partial(
        T.nn.functional.linear, x, w, b, activation=activation
    )


# ---- the table


MATMULS = [(n, n, n) for n in (32, 64, 128, 256, 512, 1024, 2048)]
LINEARS = [(64, 784, 128), (256, 784, 512), (512, 768, 3072)]
VECTORS = {power(n): [(n,)] for n in (10**3, 10**5, 10**7)}
PAIRS = {power(n): [(n,), (n,)] for n in (10**3, 10**5, 10**7)}
WIDE = {"4096^2": [(4096, 4096)]}


def matmul_sizes(sizes):
    return {
        str(m) if m == k == n else label(m, k, n): [(m, k), (k, n)] for m, k, n in sizes
    }


CASES = [
    *row(
        "matmul",
        matmul_sizes(MATMULS + LINEARS)
        | {"128x(64^3)": [(128, 64, 64), (128, 64, 64)]},
        lambda T, a, b: a @ b,
        lambda a, b: a @ b,
        flops=lambda a, b: 2 * math.prod(a) * b[-1],
        special=NON_FINITE + TINY,
        rtol=1e-5,
        atol=2e-4,
        mlx=lambda mx, a, b: a @ b,
    ),
    *row(
        "x @ w.T",
        {label(256, 784, 512): [(256, 784), (512, 784)]},
        lambda T, x, w: x @ w.T,
        lambda x, w: x @ w.T,
        flops=lambda x, w: 2 * math.prod(x) * w[0],
        special=NON_FINITE + TINY,
        rtol=1e-5,
        atol=2e-4,
        mlx=lambda mx, x, w: x @ w.T,
    ),
    *row(
        "x.T @ g",
        {label(784, 256, 512): [(256, 784), (256, 512)]},
        lambda T, x, g: x.T @ g,
        lambda x, g: x.T @ g,
        flops=lambda x, g: 2 * math.prod(x) * g[-1],
        special=NON_FINITE + TINY,
        rtol=1e-5,
        atol=2e-4,
        mlx=lambda mx, x, g: x.T @ g,
    ),
    *row(
        "add",
        PAIRS,
        lambda T, a, b: a + b,
        lambda a, b: a + b,
        special=NON_FINITE + TINY + HUGE,
        rtol=1e-7,
        mlx=lambda mx, a, b: a + b,
    ),
    *row(
        "linear + relu",
        {label(*s): [s[:2], (s[2], s[1]), s[2:]] for s in LINEARS},
        linear_relu,
        lambda x, w, b: np.maximum(x @ w.T + b, 0),
        flops=lambda x, w, b: 2 * math.prod(x) * w[0],
        special=NON_FINITE + TINY,
        rtol=1e-5,
        atol=2e-4,
        variants={"veem-fused": fused("relu")},
        mlx=lambda mx, x, w, b: mx.maximum(x @ w.T + b, 0),
    ),
    *row(
        "linear + gelu",
        {label(*s): [s[:2], (s[2], s[1]), s[2:]] for s in LINEARS},
        linear_gelu,
        reference=lambda x, w, b: gelu(x @ w.T + b),
        flops=lambda x, w, b: 2 * math.prod(x) * w[0],
        rtol=1e-5,
        atol=2e-4,
        variants={"veem-fused": fused("gelu")},
    ),
    *row(
        "exp",
        VECTORS,
        lambda T, x: T.exp(x),
        np.exp,
        special=NON_FINITE + TINY + HUGE,
        rtol=1e-6,
        atol=3e-45,
        mlx=lambda mx, x: mx.exp(x),
    ),
    *row(
        "gelu",
        VECTORS,
        lambda T, x: T.nn.functional.gelu(x),
        reference=gelu,
        special=(math.nan, *TINY, 12.0, -12.0),  # at inf PyTorch itself gives NaN
        rtol=1e-6,
        atol=3e-6,
        mlx=gelu_of_mlx,
    ),
    *row(
        "sum last",
        WIDE,
        lambda T, x: x.sum(1),
        lambda x: x.sum(1),
        special=NON_FINITE + TINY,
        rtol=1e-5,
        atol=2e-4,
        mlx=lambda mx, x: x.sum(1),
    ),
    *row(
        "sum first",
        WIDE,
        lambda T, x: x.sum(0),
        lambda x: x.sum(0),
        special=NON_FINITE + TINY,
        rtol=1e-5,
        atol=1e-3,
        mlx=lambda mx, x: x.sum(0),
    ),
    *row(
        "sum all",
        WIDE,
        lambda T, x: x.sum(),
        lambda x: x.sum(),
        special=NON_FINITE + TINY,
        rtol=1e-5,
        atol=2e-2,
        mlx=lambda mx, x: x.sum(),
    ),
    *row(
        "cumsum",
        VECTORS | {label(1000, 1000): [(1000, 1000)]},
        lambda T, x: T.cumsum(x, -1),
        lambda x: x.cumsum(-1),
        special=NON_FINITE + TINY,
        rtol=1e-4,
        atol=1e-2,
        mlx=lambda mx, x: mx.cumsum(x, -1),
    ),
    *row(
        "cummax",
        {power(10**6): [(10**6,)], label(1000, 1000): [(1000, 1000)]},
        lambda T, x: T.cummax(x, -1)[0],
        lambda x: np.maximum.accumulate(x, -1),
        special=NON_FINITE + TINY,
        rtol=0,
    ),
    *row(  # NumPy gives no indices
        "sort",
        VECTORS | {label(*s): [s] for s in ((10**5, 10), (10**4, 100), (1000, 1000))},
        lambda T, x: T.sort(x, dim=-1, stable=True)[0],
        lambda x: np.sort(x, -1),
        special=NON_FINITE + TINY,
        rtol=0,
        mlx=lambda mx, x: mx.sort(x, -1),
    ),
    *row(
        "topk 10",
        {power(10**7): [(10**7,)], label(64, 50257): [(64, 50257)]},
        lambda T, x: T.topk(x, 10)[0],
        reference=lambda x: -np.sort(-x, -1)[..., :10],
        rtol=0,
        mlx=lambda mx, x: mx.topk(x, 10),
    ),
    *row(
        "median",
        {label(*s): [s] for s in ((10**6,), (1000, 1000))},
        lambda T, x: T.median(x, -1)[0],
        reference=lambda x: np.sort(x, -1)[..., (x.shape[-1] - 1) // 2],
        rtol=0,
    ),
    *row(
        "unique",
        {power(10**6): [(10**6,), (10**6,), 10**4]},
        lambda T, x, i: T.unique(i),
        lambda x, i: np.unique(i),
        inputs=with_indices,
        rtol=0,
    ),
    *row(
        "var",
        {label(4096, 1000): [(4096, 1000)]},
        lambda T, x: T.var(x, -1),
        lambda x: x.var(-1, ddof=1),
        rtol=1e-5,
        mlx=lambda mx, x: mx.var(x, -1, ddof=1),
    ),
    *row(
        "softmax",
        {label(*s): [s] for s in ((128, 10), (1024, 1024), (8192, 1000))},
        lambda T, x: T.softmax(x, -1),
        softmax,
        special=NON_FINITE + TINY + (88.0, -104.0),
        rtol=1e-5,
        atol=1e-8,
        mlx=lambda mx, x: mx.softmax(x, -1),
    ),
    *row(
        "layer norm",
        {label(*s): [s, s[1:], s[1:]] for s in ((64, 128), (4096, 768))},
        lambda T, x, w, b: T.nn.functional.layer_norm(x, x.shape[1:], w, b),
        layer_norm,
        special=NON_FINITE + TINY,
        rtol=1e-5,
        atol=1e-5,
        mlx=lambda mx, x, w, b: mx.fast.layer_norm(x, w, b, 1e-5),
    ),
    *row(
        "batch norm, training",
        {label(*s): [s, s[1:2], s[1:2]] for s in ((256, 512), (32, 64, 28, 28))},
        lambda T, x, w, b: T.nn.functional.batch_norm(x, None, None, w, b, True),
        reference=batch_norm,
        special=TINY,
        rtol=1e-5,
        atol=1e-5,
    ),
    *row(
        "attention, causal",
        {label(*s): [s] * 3 for s in ((8, 8, 256, 64), (2, 8, 1024, 64))},
        lambda T, q, k, v: T.nn.functional.scaled_dot_product_attention(
            q, k, v, is_causal=True
        ),
        reference=causal_attention,
        flops=lambda q, k, v: 2 * math.prod(q) * q[2],
        rtol=1e-4,
        atol=1e-5,
    ),
    *row(
        "attention with dropout",
        {label(*s): [s] * 3 for s in ((8, 8, 256, 64), (2, 8, 1024, 64))},
        attention_with_dropout,
        reference=dropped_attention,
        flops=lambda q, k, v: 4 * math.prod(q) * q[2],
        rtol=1e-4,
        atol=1e-5,
    ),
    *row(
        "attention fwd+bwd",
        {label(*s): [s] * 3 for s in ((8, 8, 256, 64), (2, 8, 1024, 64))},
        attention_and_gradients,
        reference=attention_backward,
        flops=lambda q, k, v: 14 * math.prod(q) * q[2],
        rtol=1e-3,
        atol=1e-4,
    ),
    *row(
        "conv2d 3x3",
        {
            "32x3x32x32 to 16": [(32, 3, 32, 32), (16, 3, 3, 3)],
            "32x64x28x28 to 64": [(32, 64, 28, 28), (64, 64, 3, 3)],
        },
        lambda T, x, w: T.nn.functional.conv2d(x, w, padding=1),
        reference=lambda x, w: convolution(x, w, 1, 1),
        flops=lambda x, w: 2 * math.prod(w) * x[0] * x[2] * x[3],
        special=NON_FINITE + TINY,
        rtol=1e-5,
        atol=2e-4,
    ),
    *(case for arguments in WINDOWS + RECURRENT for case in row(**arguments)),
    *row(
        "embedding",
        {"4096 of 10^4x128": [(10**4, 128), (4096,), 10**4]},
        lambda T, table, indices: T.nn.functional.embedding(indices, table),
        lambda table, indices: table[indices],
        inputs=with_indices,
        special=NON_FINITE + TINY,
        rtol=0,
        moved=(4096 * 128 * 4 + 4096 * 8, 4096 * 128 * 4),
        mlx=lambda mx, table, indices: table[indices],
    ),
    *row(
        "transposed copy",
        {label(*s): [s] for s in ((1024, 1024), (4096, 1024))},
        lambda T, x: x.T.contiguous(),
        lambda x: np.ascontiguousarray(x.T),
        special=NON_FINITE + TINY,
        rtol=0,
        mlx=lambda mx, x: mx.contiguous(x.T),
    ),
    *row(
        "cross entropy fwd+bwd",
        {label(*s): [s, (s[0],), s[1]] for s in ((128, 10), (4096, 1000))},
        cross_entropy_of,
        cross_entropy,
        inputs=with_indices,
        rtol=1e-5,
        atol=1e-8,
        mlx=cross_entropy_of_mlx,
    ),
]

if __name__ == "__main__":
    main(__doc__, CASES)
