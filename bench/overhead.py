"""Overhead: what an op costs besides its arithmetic, on tensors of 2 x 2.

Times are of one op in a chain of a hundred: not recorded, recorded for a gradient, and
recorded with its backward; then of one op alone with its backward. Beside them:
modules, a step of Adam over small parameters, and imports.
"""

import functools
import itertools
import subprocess
import sys

import numpy as np
from case import Case
from harness import main

LENGTH = 100


def repeat(op, x, length=LENGTH):
    for _ in itertools.repeat(None, length):
        x = op(x)
    return x


# Each op, with a second operand w; the same code runs in all libraries.
OPS = {
    "add": lambda w: lambda x: x + w,
    "mul": lambda w: lambda x: x * w,
    "matmul": lambda w: lambda x: x @ w,
    "relu": lambda w: lambda x: x.relu(),
    "tanh": lambda w: lambda x: x.tanh(),
    "add a number": lambda w: lambda x: x + 0.5,
}


def two_by_two(rng):
    return [np.float32([[1, 0.5], [0.25, 2]]), np.float32([[0.8, 0.1], [0.1, 0.9]])]


def unrecorded(op):
    return lambda T, x, w: lambda: repeat(op(w), x)


def recorded(op):
    def maker(T, x, w):
        x.requires_grad_()
        return lambda: repeat(op(w), x)

    return maker


def with_backward(op, length=LENGTH):
    def maker(T, x, w):
        x.requires_grad_()
        f = op(w)

        def step():
            x.grad = None
            repeat(f, x, length).backward(w)
            return x.grad

        return step

    return maker


def alone_with_backward(op):
    return with_backward(op, 1)


# The gradient of a chain of n that is weighed with w, by hand.
GRADIENTS = {
    "add": lambda x, w, n: w,
    "add a number": lambda x, w, n: w,
    "mul": lambda x, w, n: w * w**n,
    "matmul": lambda x, w, n: w @ np.linalg.matrix_power(w.T, n),
    "relu": lambda x, w, n: w * (x > 0),
    "tanh": lambda x, w, n: w * tanh_slope(x, n),
}


def tanh_slope(x, n):
    slope = 1
    for _ in range(n):
        x = np.tanh(x)
        slope = slope * (1 - x * x)
    return slope


def chain(name, mode, maker, reference, numpy=None, length=LENGTH):
    return Case(
        name,
        mode,
        two_by_two,
        tensor=maker(OPS[name]),
        numpy=numpy,
        reference=lambda np, x, w: lambda: reference(x, w),
        rtol=2e-5,
        calls=length,
        moved=(0, 0),
    )


def chains(name):
    op = {"relu": lambda w: lambda x: np.maximum(x, 0), "tanh": lambda w: np.tanh}
    op = op.get(name, OPS[name])
    forward = lambda x, w: repeat(op(w), x)
    by_numpy = unrecorded(op)
    yield chain(name, "2x2 no grad", unrecorded, forward, by_numpy)
    yield chain(name, "2x2 recorded", recorded, forward)
    for n, mode, maker in (
        (LENGTH, "2x2 forward + backward", with_backward),
        (1, "2x2 alone forward + backward", alone_with_backward),
    ):
        gradient = functools.partial(GRADIENTS[name], n=n)
        yield chain(name, mode, maker, gradient, length=n)


# ---- modules, optimizers, imports


def linear(T, x, w):
    module = T.nn.Linear(2, 2, bias=False)
    with T.no_grad():
        module.weight.copy_(w)
    return lambda: repeat(module, x)


def adam(**options):
    def maker(T, *parameters):
        for p in parameters:
            p.requires_grad_()
            p.grad = T.ones(*p.shape)
        optimizer = T.optim.Adam(parameters, lr=1e-3, **options)

        def step():
            optimizer.step()
            return parameters

        return step

    return maker


def adam_case(count):
    return Case(
        "Adam step",
        f"{count} parameters of 64",
        lambda rng: [rng.standard_normal(64, np.float32) for _ in range(count)],
        tensor=adam(),
        variants={"torch-fused": adam(fused=True)},
        reference=lambda np, *start: lambda: [p - 1e-3 / (1 + 1e-8) for p in start],
        rtol=1e-6,
        atol=1e-6,
        moved=(0, 0),
    )


def python_imports(T):
    command = [sys.executable, "-c", f"import {T.__name__}"]
    return lambda: subprocess.run(command, check=True) and None


CASES = [
    *(case for name in OPS for case in chains(name)),
    Case(
        "nn.Linear",
        "2x2 recorded",
        two_by_two,
        tensor=linear,
        reference=lambda np, x, w: lambda: x @ np.linalg.matrix_power(w.T, LENGTH),
        rtol=1e-5,
        calls=LENGTH,
        moved=(0, 0),
    ),
    adam_case(4),
    adam_case(50),
    Case(
        "import",
        "",
        lambda rng: [],
        tensor=python_imports,
        numpy=python_imports,
        moved=(0, 0),
    ),
]

if __name__ == "__main__":
    main(__doc__, CASES)
