"""Checks gradients against finite differences, in float64."""

import numpy as np

from veem import _core
from veem.autograd.backward import grad


def _outputs(f, inputs):
    out = f(*inputs)
    out = out if isinstance(out, (tuple, list)) else (out,)
    return [o for o in out if isinstance(o, _core.Tensor) and o.requires_grad]


def _numeric(f, inputs, x, eps):
    """d outputs / d x by central differences: one (outputs, elements of x) each."""
    flat = x.data.numpy().reshape(-1)  # shares x's memory
    columns = []
    for i in range(flat.size):
        kept = flat[i]
        sides = []
        for step in (eps, -eps):
            flat[i] = kept + step
            out = f(*inputs)
            out = out if isinstance(out, (tuple, list)) else (out,)
            sides.append([np.array(o.detach().numpy(), dtype=float) for o in out])
        flat[i] = kept
        columns.append([((a - b) / (2 * eps)).ravel() for a, b in zip(*sides)])
    return columns


def _analytic(out, x):
    """d out / d x, one backward for every element of out."""
    rows = []
    for i in range(out.numel()):
        seed = np.zeros(out.numel())
        seed[i] = 1
        g = out.new_zeros(out.shape)
        g.copy_(_core.from_numpy(seed.reshape(out.shape)))
        (gx,) = grad(out, [x], [g], retain_graph=True, allow_unused=True)
        rows.append(np.zeros(x.numel()) if gx is None else gx.detach().numpy().ravel())
    return np.array(rows).reshape(out.numel(), x.numel())


def _checkable(inputs, what):
    chosen = [x for x in inputs if isinstance(x, _core.Tensor) and x.requires_grad]
    if not chosen:
        raise ValueError(f"{what}: expects at least one input that requires grad")
    for x in chosen:
        if x.dtype != _core.float64:
            raise ValueError(
                f"{what}: needs float64 inputs, got {x.dtype.name}; finite differences "
                "lose half of the digits"
            )
        if not x.is_contiguous():
            raise ValueError(f"{what}: inputs must be contiguous, use x.contiguous()")
    return chosen


def gradcheck(func, inputs, eps=1e-6, atol=1e-5, rtol=1e-3, raise_exception=True):
    """True when func's gradients agree with central differences.

    func takes `inputs` (a tensor or a sequence) and returns tensors. A disagreement
    raises RuntimeError, or returns False without raise_exception.
    """
    inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    for k, x in enumerate(_checkable(inputs, "gradcheck")):
        outputs = _outputs(func, inputs)
        if not outputs:
            raise ValueError("gradcheck: no output of func requires grad")
        every = func(*inputs)
        every = every if isinstance(every, (tuple, list)) else (every,)
        places = [i for i, o in enumerate(every) if getattr(o, "requires_grad", False)]
        numeric = _numeric(func, inputs, x, eps)
        for out, place in zip(outputs, places):
            expected = np.array([c[place] for c in numeric]).T
            expected = expected.reshape(out.numel(), x.numel())
            got = _analytic(out, x)
            if np.allclose(got, expected, rtol, atol, equal_nan=True):
                continue
            if not raise_exception:
                return False
            raise RuntimeError(
                f"Jacobian mismatch for output {place} with respect to input {k},\n"
                f"numerical:{expected}\nanalytical:{got}"
            )
    return True


def gradgradcheck(
    func,
    inputs,
    grad_outputs=None,
    eps=1e-6,
    atol=1e-5,
    rtol=1e-3,
    raise_exception=True,
):
    """gradcheck of func's gradients: the second derivatives."""
    inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    chosen = _checkable(inputs, "gradgradcheck")
    outputs = _outputs(func, inputs)
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        grad_outputs = [
            _core.from_numpy(np.asarray(rng.standard_normal(o.shape))).requires_grad_()
            for o in outputs
        ]
    n = len(inputs)

    def gradients(*args):
        outputs = _outputs(func, args[:n])
        which = [args[i] for i, x in enumerate(inputs) if any(x is c for c in chosen)]
        found = grad(outputs, which, args[n:], create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None and g.requires_grad)

    if not gradients(*inputs, *grad_outputs):
        return True  # constant gradients
    return gradcheck(
        gradients, (*inputs, *grad_outputs), eps, atol, rtol, raise_exception
    )
