"""Runs PyTorch's own database of ops, which its tests run over, on veem and beside it.

    python tests/reference/opdb.py                  # a table, and the sums at its end
    python tests/reference/opdb.py --ops cumsum,pad --verbose
    python tests/reference/opdb.py --missing        # ops that veem does not have
    python tests/reference/opdb.py --at-least 97    # fails below so many percent

Every op of torch.testing's op_db whose name veem has is called on all of its samples:
float64 with gradients, the same laid out with gaps, float32, int64 and bool. A sample
agrees where results have PyTorch's shapes, dtypes and values, and gradients its values;
a wrong input agrees where an exception of PyTorch's type is raised. Random ops start
from one seed.
"""

import argparse
import collections
import dataclasses
import functools
import sys
import types
import warnings

import numpy as np
import torch
from torch.testing._internal.common_methods_invocations import op_db

import veem

TOLERANCE = {torch.float64: 1e-7, torch.float32: 2e-4}
KINDS = ("gradients", "gaps", "float32", "int64", "bool", "errors")


class Disagreement(Exception):
    pass


# ---- the same op and the same arguments in veem --------------------------------------


def peer(op):
    """veem's function of an OpInfo, or None."""
    try:
        named = functools.reduce(getattr, op.name.split("."), veem)
    except AttributeError:
        named = None
    if not callable(named):  # a method or a field, or uniform, that is uniform_
        named = getattr(veem.Tensor, op.name, None)
        named = named or getattr(veem.Tensor, op.name + "_", None)
    if named is None:
        return None
    f = op.op
    if not isinstance(f, types.FunctionType) or not f.__module__.startswith(
        "torch.testing"
    ):
        return named
    # A wrapper of the database's own: the same, with veem under the name of torch.
    scope = {**f.__globals__, "torch": veem, "wrapper_set_seed": seeded}
    return types.FunctionType(
        f.__code__, scope, f.__name__, f.__defaults__, f.__closure__
    )


def seeded(f, *args, **kwargs):
    veem.manual_seed(42)  # as the database's own wrapper_set_seed
    return f(*args, **kwargs)


def to_veem(x):
    if isinstance(x, torch.Tensor):
        out = laid_out_alike(x.detach().resolve_neg())
        return out.requires_grad_() if x.requires_grad else out
    if isinstance(x, torch.dtype):
        return getattr(veem, str(x).removeprefix("torch."))
    if isinstance(x, torch.device):
        return veem.device(str(x))
    if isinstance(x, (torch.memory_format, torch.layout)):
        return getattr(veem, str(x).removeprefix("torch."), x)
    if isinstance(x, torch.nn.LinearCrossEntropyOptions):
        fields = dataclasses.asdict(x)
        return veem.nn.LinearCrossEntropyOptions(**to_veem(fields))
    if isinstance(x, torch.nn.PairwiseDistance):
        return veem.nn.PairwiseDistance(x.norm, x.eps, x.keepdim)
    if type(x) in (list, tuple):
        return type(x)(map(to_veem, x))
    if isinstance(x, torch.Size):
        return tuple(x)
    if isinstance(x, dict):
        return {k: to_veem(v) for k, v in x.items()}
    return x


def laid_out_alike(x):
    """In the same places of a memory that holds the same, gaps and all."""
    if x.is_contiguous() and x.storage_offset() == 0:
        return veem.from_numpy(x.numpy())
    n = x.untyped_storage().nbytes() // x.itemsize
    memory = veem.from_numpy(x.as_strided((n,), (1,), 0).numpy())
    return veem.as_strided(memory, tuple(x.shape), x.stride(), x.storage_offset())


def tensors(x, kind):
    """The tensors in nested results or arguments, in order."""
    if isinstance(x, kind):
        return [x]
    if isinstance(x, (list, tuple)):
        return [t for item in x for t in tensors(item, kind)]
    if isinstance(x, dict):
        return [t for item in x.values() for t in tensors(item, kind)]
    return []


# ---- comparing -----------------------------------------------------------------------


def compare(ours, theirs, what, eps):
    if ours is None or theirs is None:
        if ours is not theirs:
            raise Disagreement(f"{what}: {ours} and {theirs}")
        return
    if list(ours.shape) != list(theirs.shape):
        raise Disagreement(f"{what}: {list(ours.shape)}, not {list(theirs.shape)}")
    if str(ours.dtype)[5:] != str(theirs.dtype)[6:]:
        raise Disagreement(f"{what}: {ours.dtype}, not {theirs.dtype}")
    if eps is None:  # a new tensor's elements are whatever was in memory
        return
    if theirs.dtype == torch.bfloat16:  # NumPy has none, and ours becomes float32
        theirs = theirs.float()
    a, b = ours.numpy(force=True), theirs.numpy(force=True)
    if not np.allclose(a, b, rtol=eps, atol=eps, equal_nan=True):
        raise Disagreement(f"{what}: {a.ravel()[:5]}, not {b.ravel()[:5]}")


def compare_results(ours, theirs, eps):
    a, b = tensors(ours, veem.Tensor), tensors(theirs, torch.Tensor)
    if len(a) != len(b):
        raise Disagreement(f"{len(a)} tensors, not {len(b)}")
    for i, (x, y) in enumerate(zip(a, b)):
        compare(x, y, f"result {i}", eps)
    if not b and ours != to_veem(theirs):
        raise Disagreement(f"{ours!r:.60}, not {theirs!r:.60}")
    return a, b


def compare_gradients(sample, given, a, b):
    """Of a sum of all results that can have one, for all inputs that ask for it."""
    grads = []
    for lib, args, outs in ((torch, sample, b), (veem, given, a)):
        leaves = [t for t in tensors(args, lib.Tensor) if t.requires_grad]
        outs = [t for t in outs if t.requires_grad]
        if not leaves or not outs:
            grads.append(None)
            continue
        seeds = [lib.ones_like(t) for t in outs]
        grads.append(lib.autograd.grad(outs, leaves, seeds, allow_unused=True))
    theirs, ours = grads
    if (theirs is None) != (ours is None):
        raise Disagreement(f"gradients: {ours is not None}, not {theirs is not None}")
    for i, (x, y) in enumerate(zip(ours or (), theirs or ())):
        # A gradient of zeros and none at all are the same.
        if x is None and y is not None:
            x = veem.zeros(tuple(y.shape), dtype=to_veem(y.dtype))
        if y is None and x is not None:
            y = torch.zeros(tuple(x.shape), dtype=getattr(torch, x.dtype.name))
        compare(x, y, f"gradient {i}", 1e-6)


def arguments(sample):
    return [sample.input, *sample.args], dict(sample.kwargs)


def tolerance(op, *values):
    if "empty" in op.name:
        return None
    dtypes = [t.dtype for t in tensors(values, torch.Tensor)]
    return max((TOLERANCE.get(t, 0) for t in dtypes), default=0)


def run_sample(op, f, sample, gradients):
    args, kwargs = arguments(sample)
    theirs_args = [args, kwargs]
    ours_args, ours_kwargs = to_veem(args), to_veem(kwargs)
    torch.manual_seed(0), veem.manual_seed(0)
    theirs = op(*args, **kwargs)
    ours = f(*ours_args, **ours_kwargs)
    a, b = compare_results(ours, theirs, tolerance(op, theirs_args, theirs))
    if gradients:
        compare_gradients(theirs_args, [ours_args, ours_kwargs], a, b)


def run_error(op, f, error):
    args, kwargs = arguments(error.sample_input)
    try:
        f(*to_veem(args), **to_veem(kwargs))
    except Exception as e:
        if not isinstance(e, error.error_type):
            raise Disagreement(
                f"{type(e).__name__}, not {error.error_type.__name__}: {e}"
            ) from None
        return
    raise Disagreement(f"no {error.error_type.__name__}: {error.error_regex:.70}")


# ---- running -------------------------------------------------------------------------


def cases(op):
    """(kind, function, what it is called with) for all samples of an op."""
    plain = functools.partial(run_sample, gradients=False)
    graded = functools.partial(run_sample, gradients=True)
    with_grad = op.supports_autograd and torch.float64 in op.dtypes
    if torch.float64 in op.dtypes:
        run = graded if with_grad else plain
        for s in op.sample_inputs("cpu", torch.float64, requires_grad=with_grad):
            yield "gradients", run, s
            if isinstance(s.input, torch.Tensor):
                yield "gaps", run, s.noncontiguous()
    for dtype in (torch.float32, torch.int64, torch.bool):
        if dtype in op.dtypes:
            for s in op.sample_inputs("cpu", dtype, requires_grad=False):
                yield str(dtype)[6:], plain, s
    if op.error_inputs_func is not None:
        for e in op.error_inputs("cpu"):
            yield "errors", run_error, e


def run_op(op, f, verbose):
    """{kind: [agree, all]} of an op."""
    counts = collections.defaultdict(lambda: [0, 0])
    todo = cases(op)
    while True:
        try:
            kind, run, given = next(todo)
        except StopIteration:
            return counts
        except Exception as e:  # a sample that PyTorch itself cannot make
            print(f"  {op.name}: no more samples: {e!r:.100}", file=sys.stderr)
            return counts
        counts[kind][1] += 1
        try:
            run(op, f, given)
            counts[kind][0] += 1
        except Exception as e:
            if verbose:
                shown = given.sample_input if kind == "errors" else given
                text = str(shown).replace("\n", " ")
                print(f"  {op.name} {kind}: {type(e).__name__}: {e!s:.300}")
                print(f"    {text:.300}")


def title(op):
    return f"{op.name}.{op.variant_test_name}" if op.variant_test_name else op.name


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--ops", help="names, with commas; all by default")
    parser.add_argument("--verbose", action="store_true", help="show what disagrees")
    parser.add_argument("--missing", action="store_true", help="list what veem lacks")
    parser.add_argument("--at-least", type=float, default=0, help="percent of samples")
    parser.add_argument(
        "--least-ops", type=int, default=0, help="ops that agree wholly"
    )
    return parser.parse_args()


def main():
    options = parse()
    wanted = options.ops and set(options.ops.split(","))
    chosen = [op for op in op_db if not wanted or {op.name, title(op)} & wanted]
    if options.missing:
        print("\n".join(sorted({op.name for op in chosen if peer(op) is None})))
        return 0
    torch.set_num_threads(2)
    warnings.simplefilter("ignore")
    agree = samples = whole = ops = 0
    for i, op in enumerate(chosen):
        f = peer(op)
        if f is None:
            continue
        if sys.stderr.isatty():
            print(f"\r{i}/{len(chosen)} {title(op):60}", end="", file=sys.stderr)
        with np.errstate(all="ignore"):
            counts = run_op(op, f, options.verbose)
        good, n = (sum(c[j] for c in counts.values()) for j in (0, 1))
        agree, samples = agree + good, samples + n
        ops, whole = ops + 1, whole + (good == n)
        if good < n or wanted:
            parts = ", ".join(
                f"{k} {counts[k][0]}/{counts[k][1]}" for k in KINDS if k in counts
            )
            print(f"{title(op):50} {good:5} of {n:5}   {parts}", flush=True)
    percent = 100 * agree / max(samples, 1)
    print(
        f"{ops} of {len(chosen)} ops; {whole} agree in all samples; "
        f"{agree} of {samples} samples agree: {percent:.2f} %"
    )
    return int(percent < options.at_least or whole < options.least_ops)


if __name__ == "__main__":
    sys.exit(main())
