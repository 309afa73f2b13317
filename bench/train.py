"""Training steps: forward, loss, backward and Adam; veem, PyTorch and NumPy by hand.

Each cell: the median time of a step, its ratio to the best of the row, and how much of
the machine's limit for the step's multiplications it reaches (limits.py). Before the
timing, the loss, the gradient and the first step of Adam are compared with float64
NumPy.
"""

import math

import numpy as np
from case import Case, Wrong
from harness import main
from kernels import cross_entropy, gelu, layer_norm, softmax
from windows import convolution

RATE = 1e-3

# ---- the models, in the names that PyTorch and veem share


def mlp(T, *widths):
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [T.nn.Linear(inputs, outputs), T.nn.ReLU()]
    return T.nn.Sequential(*layers[:-1])


def cnn(T):
    nn = T.nn
    return nn.Sequential(
        *[nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)],
        *[nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)],
        *[nn.Flatten(), nn.Linear(32 * 7 * 7, 10)],
    )


def gpt(T, vocabulary=65, length=64, width=128, heads=4, depth=4):
    nn, F = T.nn, T.nn.functional

    class Block(nn.Module):  # hidden: the future
        def __init__(self):
            super().__init__()
            self.register_buffer("hidden", T.triu(T.ones(length, length), 1) > 0)
            self.norm1, self.qkv = nn.LayerNorm(width), nn.Linear(width, 3 * width)
            self.mix, self.norm2 = nn.Linear(width, width), nn.LayerNorm(width)
            self.wide, self.narrow = (
                nn.Linear(width, 4 * width),
                nn.Linear(4 * width, width),
            )

        def attend(self, x):
            qkv = self.qkv(x).reshape(-1, length, 3, heads, width // heads)
            q, k, v = (qkv[:, :, i].transpose(1, 2) for i in range(3))
            scores = q @ k.transpose(-2, -1) * (width // heads) ** -0.5
            weights = F.softmax(scores.masked_fill(self.hidden, -math.inf), -1)
            return self.mix((weights @ v).transpose(1, 2).reshape(-1, length, width))

        def forward(self, x):
            x = x + self.attend(self.norm1(x))
            return x + self.narrow(F.gelu(self.wide(self.norm2(x))))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.places = (
                nn.Embedding(vocabulary, width),
                nn.Embedding(length, width),
            )
            self.blocks = nn.Sequential(*(Block() for _ in range(depth)))
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary)
            self.register_buffer("order", T.arange(length))

        def forward(self, x):
            x = self.tokens(x) + self.places(self.order)
            return self.head(self.norm(self.blocks(x))).reshape(-1, vocabulary)

    return GPT()


def trainer(model, **adam):
    """Makes the step: its results are the loss, the parameters and their gradients."""

    def maker(T, x, y, *start):
        module = model(T).to(x.device)
        parameters = list(module.parameters())
        with T.no_grad():
            for p, values in zip(parameters, start, strict=True):
                p.copy_(values)
        optimizer = T.optim.Adam(parameters, lr=RATE, **adam)

        def step():
            optimizer.zero_grad()
            loss = T.nn.functional.cross_entropy(module(x), y)
            loss.backward()
            optimizer.step()
            return [loss, *parameters, *(p.grad for p in parameters)]

        return step

    return maker


# ---- NumPy by hand


def mlp_by_hand(np, x, y, *start):
    parameters = [p.copy() for p in start]
    first, second = ([np.zeros_like(p) for p in start] for _ in range(2))
    count = 0

    def step():
        nonlocal count
        layers = list(zip(parameters[::2], parameters[1::2]))
        inputs = [x]
        for w, b in layers:
            inputs.append(inputs[-1] @ w.T + b)
            if len(inputs) <= len(layers):
                np.maximum(inputs[-1], 0, out=inputs[-1])
        loss, g = cross_entropy(inputs.pop(), y)
        gradients = []
        for w, _ in reversed(layers):
            gradients += [g.sum(0), g.T @ inputs[-1]]
            g = (g @ w) * (inputs.pop() > 0) if len(inputs) > 1 else None
        gradients.reverse()
        count += 1
        scale, root = RATE / (1 - 0.9**count), math.sqrt(1 - 0.999**count)
        for p, g, m, v in zip(parameters, gradients, first, second):
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            p -= scale * m / (np.sqrt(v) / root + 1e-8)
        return [loss, *parameters, *gradients]

    return step


# ---- the loss of each model in plain NumPy, for the check


def linear(x, w, b):
    return x @ w.T + b


def mlp_loss(x, y, *parameters):
    for w, b in zip(parameters[:-2:2], parameters[1:-2:2]):
        x = np.maximum(linear(x, w, b), 0)
    return cross_entropy(linear(x, *parameters[-2:]), y)[0]


def cnn_loss(x, y, w1, b1, w2, b2, w3, b3):
    for w, b in ((w1, b1), (w2, b2)):
        x = np.maximum(convolution(x, w, 1, w.shape[-1] // 2) + b[:, None, None], 0)
        n, c, height, width = x.shape
        x = x.reshape(n, c, height // 2, 2, width // 2, 2).max((3, 5))
    return cross_entropy(linear(x.reshape(len(x), -1), w3, b3), y)[0]


def gpt_loss(x, y, tokens, places, *parameters, heads=4):
    x = tokens[x] + places
    (n, length, width), blocks = x.shape, parameters[:-4]
    future = np.triu(np.ones((length, length), bool), 1)
    for i in range(0, len(blocks), 12):
        block = blocks[i : i + 12]
        qkv = linear(layer_norm(x, *block[:2]), *block[2:4])
        qkv = qkv.reshape(n, length, 3, heads, -1).transpose(2, 0, 3, 1, 4)
        q, k, v = qkv
        scores = q @ k.swapaxes(-2, -1) / math.sqrt(width // heads)
        mixed = softmax(np.where(future, -np.inf, scores)) @ v
        x = x + linear(mixed.swapaxes(1, 2).reshape(x.shape), *block[4:6])
        wide = linear(layer_norm(x, *block[6:8]), *block[8:10])
        x = x + linear(gelu(wide), *block[10:])
    x = linear(layer_norm(x, *parameters[-4:-2]), *parameters[-2:])
    return cross_entropy(x.reshape(-1, x.shape[-1]), y)[0]


def judge(loss_of):
    """Holds a first step against `loss_of(x, y, *parameters)` in float64. The gradient
    is compared along two directions: itself, where each parameter weighs the same, and
    a random one.
    """

    def close(got, want, what, rtol, atol=0.0):
        error = np.max(np.abs(got - want) - rtol * np.abs(want))
        if not error <= atol:
            raise Wrong(f"the {what} is off by {error:.3g}")

    def check(arrays, results):
        x, y, *start = (
            a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays
        )
        loss, *rest = (r.astype(np.float64) for r in results)
        after, gradient = rest[: len(start)], rest[len(start) :]
        close(loss, loss_of(x, y, *start), "loss", 1e-5)
        rng = np.random.default_rng(1)
        itself = [g / np.linalg.norm(g) for g in gradient]
        for direction in (itself, [rng.standard_normal(g.shape) for g in gradient]):
            ahead, behind = (
                loss_of(x, y, *(p + e * d for p, d in zip(start, direction)))
                for e in (1e-7, -1e-7)
            )
            claimed = sum(np.sum(g * d) for g, d in zip(gradient, direction))
            close(claimed, (ahead - behind) / 2e-7, "gradient", 1e-3, 1e-4)
        for p, p1, g in zip(start, after, gradient):
            close(p1, p - RATE * g / (np.abs(g) + 1e-8), "step of Adam", 1e-6, 1e-6)

    return check


# ---- the table


def task(x_shape, classes, shapes, rng):
    """Inputs, targets and first parameters of the given shapes."""
    if classes is None:  # text: the next token
        x, y = rng.integers(0, 65, x_shape), rng.integers(0, 65, math.prod(x_shape))
    else:
        x = rng.standard_normal(x_shape, np.float32)
        y = rng.integers(0, classes, x_shape[0])
    start = []
    for shape in shapes:
        scale = math.prod(shape[1:]) ** -0.5 if len(shape) > 1 else 0.1
        start.append(np.float32(scale) * rng.standard_normal(shape, np.float32))
    return [x, y, *start]


def linears(*widths):
    return [s for i, o in zip(widths, widths[1:]) for s in ((o, i), (o,))]


def mlp_flops(batch, *widths):
    products = [2 * batch * i * o for i, o in zip(widths, widths[1:])]
    return 3 * sum(products) - products[0]


def case(name, size, inputs, model, loss_of, flops, numpy=None):
    return Case(
        name,
        size,
        inputs=lambda rng: task(*inputs, rng),
        tensor=trainer(model),
        numpy=numpy,
        variants={"torch-fused": trainer(model, fused=True)},
        judge=judge(loss_of),
        flops=flops,
        moved=(0, 0),
    )


def mlp_case(batch, *widths):
    name, size = "MLP " + "-".join(map(str, widths)), f"batch {batch}"
    inputs = (batch, widths[0]), widths[-1], linears(*widths)
    model = lambda T: mlp(T, *widths)
    return case(
        name, size, inputs, model, mlp_loss, mlp_flops(batch, *widths), mlp_by_hand
    )


CNN = [(16, 1, 5, 5), (16,), (32, 16, 5, 5), (32,), *linears(32 * 49, 10)]
CNN_FLOPS = 2 * 64 * (2 * 400 * 784 + 3 * 12800 * 196 + 3 * 15680)
NORM = [(128,), (128,)]
BLOCK = [*NORM, *linears(128, 384), *linears(128, 128), *NORM, *linears(128, 512, 128)]
GPT = [(65, 128), (64, 128), *(4 * BLOCK), *NORM, *linears(128, 65)]
GPT_FLOPS = 3 * 2 * 768 * (4 * (12 * 128 * 128 + 2 * 64 * 128) + 65 * 128)

CASES = [
    mlp_case(64, 784, 128, 10),
    mlp_case(256, 784, 512, 512, 10),
    case("CNN 5x5", "batch 64", ((64, 1, 28, 28), 10, CNN), cnn, cnn_loss, CNN_FLOPS),
    case(
        "GPT 4 x 128", "12 x 64 tokens", ((12, 64), None, GPT), gpt, gpt_loss, GPT_FLOPS
    ),
]

if __name__ == "__main__":
    main(__doc__, CASES)
