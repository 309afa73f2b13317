"""What there is to say about every op, from the tables that make it one.

The rows of ops.def say what elementwise ops and reductions take, the rules in ops*.py
what is differentiable, and FAMILIES, here, what the other ops do. `python -m veem ops`
prints this record; tools/ops_page.py prints it with formulas and files.
"""

from __future__ import annotations

import ast
import functools
import inspect
import pathlib
import re
import textwrap
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import veem
from veem import _core

# Of each op its kernels (- shows memory that is there), the dtypes that it takes, its
# shapes, and for an element of the result, of s bytes, how many operations it needs and
# how many bytes have to move. In-place twins are as the op without the underscore.
FAMILIES = """
op                      kernels      takes   shapes                             operations  bytes
view                    -            any     (*) -> shape                       0           0
view_as                 -            any     (*) -> (*)                         0           0
as_strided              -            any     (*) -> size                        0           0
unfold                  -            any     (*, n) -> (*, windows, size)       0           0
permute                 -            any     (*) -> (*) in another order        0           0
transpose               -            any     (*, m, n) -> (*, n, m)             0           0
expand                  -            any     (*, 1) -> (*, n)                   0           0
squeeze                 -            any     (*, 1) -> (*)                      0           0
unsqueeze               -            any     (*) -> (*, 1)                      0           0
slice                   -            any     (*, n) -> (*, part of n)           0           0
select                  -            any     (*, n) -> (*)                      0           0
getitem                 -            any     (*) -> x[index]                    0           0
diagonal                -            any     (*, m, n) -> (*, min(m, n))        0           0
cast                    elementwise  any     (*) -> (*)                         1           s + s'
clone                   copy         any     (*) -> (*)                         0           2s
contiguous              copy         any     (*) -> (*)                         0           2s
cat                     copy         any     (*, m), (*, n) -> (*, m + n)       0           2s
copy_from_              copy         any     (*), (*) -> (*)                    0           2s
fill_                   elementwise  any     (*) -> (*)                         0           s
to_device               copy         any     (*) -> (*)                         0           2s
empty_like              -            any     (*) -> (*)                         0           0
setitem_                copy         any     (*), x[index] -> (*)               0           2s
getitem_backward        copy         any     x[index] -> (*)                    0           2s
diagonal_backward       copy         any     (*, min(m, n)) -> (*, m, n)        0           2s
copy_slices             copy         any     (*), view of x -> (*)              0           3s
take_slices             copy         any     (*) -> view of x                   0           2s
index                   indexed      any     (n, *), (k) -> (k, *)              0           2s + 8
index_put_              indexed      any     (n, *), (k), (k, *) -> (n, *)      0           2s + 8
index_select            indexed      any     (n, *), (k) -> (k, *)              0           2s + 8
index_add_              indexed      any     (n, *), (k), (k, *) -> (n, *)      1           3s + 8
gather                  indexed      any     (n, *), (k, *) -> (k, *)           0           2s + 8
scatter_                indexed      any     (n, *), (k, *), (k, *) -> (n, *)   0           2s + 8
scatter_add_            indexed      any     (n, *), (k, *), (k, *) -> (n, *)   1           3s + 8
scatter_reduce_         indexed      any     (n, *), (k, *), (k, *) -> (n, *)   1           3s + 8
into                    elementwise  any     (*), op, (*) -> (*)                1           2s
masked_fill_            elementwise  any     (*), (*) -> (*)                    1           2s + 1
nonzero                 nonzero      any     (*) -> (k, dims)                   1           s + 8
matmul                  matmul       number  (*, m, k), (*, k, n) -> (*, m, n)  2k          s (1 + k/m + k/n)
linear                  matmul       number  (*, k), (n, k), (n) -> (*, n)      2k + 1      s (1 + k/m + k/n)
linear_activation       matmul       float   (*, k), (n, k), (n) -> (*, n)      2k + 1      s (1 + k/m + k/n)
mean                    reduce       float   (*, n) -> (*)                      n           s (n + 1)
max_dim                 reduce       number  (*, n) -> (*), (*)                 n           s (n + 1) + 8
min_dim                 reduce       number  (*, n) -> (*), (*)                 n           s (n + 1) + 8
softmax                 softmax      float   (*, n) -> (*, n)                   4 + exp     2s
log_softmax             softmax      float   (*, n) -> (*, n)                   4 + exp     2s
softmax_backward        softmax      float   (*, n), (*, n) -> (*, n)           4           3s
log_softmax_backward    softmax      float   (*, n), (*, n) -> (*, n)           3 + exp     3s
layer_norm              layer_norm   float   (*, n), (n), (n) -> (*, n)         7           2s
layer_norm_backward     layer_norm_backward  float  (*, n), (*, n) -> (*, n), (n), (n)  14  3s
channel_norm            channel_norm  float  (N, C, *) -> (N, C, *)             7           2s
channel_norm_given      channel_norm  float  (N, C, *), (C), (C) -> (N, C, *)   2           2s
channel_norm_backward   channel_norm_backward  float  (N, C, *), (N, C, *) -> (N, C, *), (C), (C)  14  3s
attention               attention    float   (*, L, E), (*, S, E), (*, S, V) -> (*, L, V)  S (2 + 2E/V + exp/V)  s (1 + E/V + (E + V) S/L V)
attention_backward      attention_backward  float  (*, L, V), (*, S, E) -> (*, L, E), (*, S, E), (*, S, V)  S (4 + 6V/E + exp/E)  5s
attention_mask_backward  attention_mask_backward  float  (*, L, V), (*, S, E) -> (*, L, S)  2E + 2V + exp  s (2 + E/S + 3V/S + (E + V)/L)
convolution             conv         number  (N, c, *in), (C, c / groups, *k) -> (N, C, *out)  2 c |k| / groups  2s
conv_transpose          conv_transpose  number  (N, C, *out), (C, c / groups, *k) -> (N, c, *in)  2 C |k| / groups  2s
conv_backward_weight    conv_backward_weight  float  (N, C, *out), (N, c, *in) -> (C, c / groups, *k)  2 N |out|  2s
max_pool                max_pool     number  (N, C, *in) -> (N, C, *out) and indices  |k|       s (1 + |in| / |out|) + 8
max_pool_backward       max_pool_backward  float  (N, C, *out) and indices -> (N, C, *in)  |out| / |in|  s + (s + 8) |out| / |in|
adaptive_max_pool       max_pool     float   (N, C, *in) -> (N, C, *out) and indices  |in| / |out|  s (1 + |in| / |out|) + 8
avg_pool                avg_pool     float   (N, C, *in) -> (N, C, *out)        |k|         s (1 + |in| / |out|)
avg_pool_backward       avg_pool_backward  float  (N, C, *out) -> (N, C, *in)   |k| |out| / |in|  s (1 + |out| / |in|)
adaptive_avg_pool       avg_pool     float   (N, C, *in) -> (N, C, *out)        |in| / |out|  s (1 + |in| / |out|)
adaptive_avg_pool_backward  avg_pool_backward  float  (N, C, *out) -> (N, C, *in)  1  s (1 + |out| / |in|)
unfold_windows          unfold       any     (N, C, h, w) -> (N, C |k|, windows)  0         2s
fold_windows            fold         float   (N, C |k|, windows) -> (N, C, h, w)  |k|       s (1 + |k|)
resample                resample     float   (N, C, *in) -> (N, C, *out)        2 per tap   2s
cumsum                  scan         any     (*, n) -> (*, n)                   1           2s
cumprod                 scan         any     (*, n) -> (*, n)                   1           2s
cummax                  scan         any     (*, n) -> (*, n), (*, n)           1           2s + 8
cummin                  scan         any     (*, n) -> (*, n), (*, n)           1           2s + 8
logcumsumexp            scan         float   (*, n) -> (*, n)                   2 + exp + log  2s
sort                    sort         any     (*, n) -> (*, k), (*, k)           log n       2s + 8
searchsorted            search       number  (*, n), (*, k) -> (*, k)           log n       s log n + 8
index_copy_             indexed      any     (n, *), (k), (k, *) -> (n, *)      0           2s + 8
index_reduce_           indexed      any     (n, *), (k), (k, *) -> (n, *)      1           3s + 8
cross_entropy           cross_entropy  float  (N, C), (N) -> () or (N)          C (3 + exp)  s C + 8
cross_entropy_backward  cross_entropy_backward  float  (), (N, C), (N) -> (N, C)  4 + exp    2s
uniform_                random       float   (*) -> (*)                         2           s
normal_                 random       float   (*) -> (*)                         5 + log, cos, sqrt  s
exponential_            random       float   (*) -> (*)                         2 + log     s
bernoulli_              random       any     (*), () or (*) -> (*)              1           s
random_                 random       any     (*) -> (*)                         1           s
randperm                random       bits    () -> (n)                          1           8
multinomial             random       float   (*, n) -> (*, k)                   n           s n / k + 8
poisson                 random       float   (n, 1) -> (n)                      20          16
binomial                random       float   (n, 2) -> (n)                      20          24
standard_gamma          random       float   (n, 1) -> (n)                      20          16
"""  # noqa: E501


class Op(NamedTuple):
    """What is known of an op; see FAMILIES.

    gradients: for each argument its formula, "" for none, "0" for zero; or one formula
    under "all". double: do the gradients have gradients?
    """

    name: str
    kernels: str
    takes: str
    shapes: str
    operations: str
    bytes: str
    gradients: dict[str, str]
    double: bool


def dtypes(takes: str) -> list[Any]:
    """The dtypes of "any", "number" (no bool), "float", "bits" (no float), "integer",
    and "exact": floats where nothing else is converted."""
    wanted: dict[str, Callable] = {
        "any": lambda t: True,
        "number": lambda t: t != _core.bool,
        "float": lambda t: t.is_floating_point,
        "bits": lambda t: not t.is_floating_point,
        "integer": lambda t: not t.is_floating_point and t != _core.bool,
        "exact": lambda t: t.is_floating_point,
    }
    known = {t.name: t for t in vars(_core).values() if isinstance(t, _core.dtype)}
    return [t for t in known.values() if wanted[takes](t)]


def devices(op: Op) -> list[str]:
    """The devices, of those that this build has, on which the op runs."""
    return [
        device
        for device in _core.devices()
        if op.kernels == "-" or op.kernels in _core.kernels(device)
    ]


@functools.cache
def record() -> list[Op]:
    """All ops but in-place twins, in the order of definition."""
    facts = _facts()
    found = []
    for name, op in vars(_core.ops).items():
        is_twin = op.kind == "inplace" and hasattr(_core.ops, name[:-1])
        if not is_twin:
            kernels, takes, *costs = facts.get(name, ("?",) * 5)
            rules = _gradients(name, op), _double(op)
            found.append(Op(name, kernels, takes, *costs, *rules))  # type: ignore
    return found


def _facts() -> dict[str, tuple[str, ...]]:
    """Per op: kernels, takes, shapes, operations, bytes."""
    facts: dict[str, tuple[str, ...]] = {}
    for name, arity, takes, gives in _core.op_rows():
        out = {"same": "s", "bool": "1", "int64": "8", "wide": "s"}[gives]
        if arity:
            moved = f"{arity + 1}s" if out == "s" else f"{arity}s + {out}"
            moved = moved.removeprefix("1" if moved.startswith("1s") else "")
            many = ", ".join(["(*)"] * arity)
            facts[name] = "elementwise", takes, f"{many} -> (*)", "", moved
        else:
            facts[name] = "reduce", takes, "(*, n) -> (*)", "n", f"s n + {out}"
    for line in FAMILIES.strip().splitlines()[1:]:
        name, *rest = re.split(r"  +", line)
        facts[name] = tuple(rest)
    return facts


# ---- gradients -----------------------------------------------------------------------


def _rules(op: Any) -> list[Callable]:
    if op.plain is not None:
        return [op.plain]
    rules = op.rules or ()
    return [rules] if callable(rules) else [r for r in rules if r is not None]


def _gradients(name: str, op: Any) -> dict[str, str]:
    """The formula for each argument's gradient, as it is written in ops*.py."""
    call, rules = _definitions().get(name), _rules(op)
    if not rules:
        return {}
    if op.plain is not None or callable(op.rules):
        return {"all": _formula(_argument(call, "plain", "joint"), rules[0])}
    names = _names(rules)
    nodes: list[ast.AST | None] = [*call.args[1:]] if call else []
    nodes += [None] * (len(op.rules) - len(nodes))
    return {
        names.get(i, "x" if len(op.rules) == 1 else "abcd"[i]): _formula(node, rule)
        for i, (node, rule) in enumerate(zip(nodes, op.rules))
        if rule is not None
    }


def _names(rules: list[Callable]) -> dict[int, str]:
    """What the rules call an op's arguments; they begin after g and the output."""
    found: dict[int, str] = {}
    for rule in rules:
        code = rule.__code__
        for i, name in enumerate(code.co_varnames[2 : code.co_argcount]):
            found.setdefault(i, name.lstrip("_"))
    return found


@functools.cache
def _definitions() -> dict[str, ast.Call]:
    """Where ops are given their rules: op("mul", ...), by their names."""
    every = [rule for op in vars(_core.ops).values() for rule in _rules(op)]
    found: dict[str, ast.Call] = {}
    for path in sorted({rule.__code__.co_filename for rule in every}):
        for node in ast.walk(_parsed(pathlib.Path(path).read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "op":
                if node.args and isinstance(node.args[0], ast.Constant):
                    found[str(node.args[0].value)] = node
    return found


def _argument(call: ast.Call | None, *names: str) -> ast.AST | None:
    keywords = call.keywords if call else []
    return next((k.value for k in keywords if k.arg in names), None)


def _parsed(text: str) -> ast.AST:
    """The syntax tree of a text, which each lambda's body and each result has in it."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Lambda, ast.Return)):
            value: Any = node.body if isinstance(node, ast.Lambda) else node.value
            if value is not None:
                words = " ".join((ast.get_source_segment(text, value) or "").split())
                value.text = re.sub(r",? \)", ")", words.replace("( ", "("))
    return tree


def _formula(node: ast.AST | None, rule: Callable) -> str:
    """What a rule returns, where it is one expression; else the rule's name."""
    if isinstance(node, ast.Lambda):
        return node.body.text  # type: ignore[attr-defined]
    if rule.__name__ in ("_zeros", "<lambda>"):
        return "0" if rule.__name__ == "_zeros" else "given"
    tree: Any = _parsed(textwrap.dedent(inspect.getsource(rule)))
    (function,) = tree.body
    (*rest, last) = function.body
    short = not rest and isinstance(last, ast.Return)
    return last.value.text if short else f"{rule.__name__}()"


def _double(op: Any) -> bool:
    """Does all that the rules call have rules itself, or say that it needs none?"""
    rules = _rules(op)
    called = {name for rule in rules for name in _ops_called(rule, set())}
    stated = (getattr(_core.ops, name) for name in called)
    return bool(rules) and all(
        o.rules is not None or o.plain is not None for o in stated
    )


def _ops_called(function: Any, seen: set) -> Iterator[str]:
    """The names of the ops that a rule calls, by itself and in its helpers."""
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        codes += [c for c in code.co_consts if isinstance(c, types.CodeType)]
        for name in code.co_names:
            value = function.__globals__.get(name)
            if hasattr(_core.ops, name):
                yield name
            elif isinstance(value, types.FunctionType) and value not in seen:
                seen.add(value)
                yield from _ops_called(value, seen)


# ---- python -m veem ops --------------------------------------------------------------


def composites() -> dict[str, Callable]:
    """The functions made of ops: by their names in veem and in nn.functional."""
    native = set(vars(_core.ops))
    found = {n: f for n, f in veem.functions.names.items() if n not in native}
    functional = veem.nn.functional
    for name in functional.__all__:
        if name not in native:
            found.setdefault(name, getattr(functional, name))
    return dict(sorted(found.items()))


def main() -> int:
    """Prints all ops: dtypes, devices, what has a gradient, and a gradient of it."""
    lines = [("op", "takes", "devices", "gradient of", "double")]
    for op in record():
        of = ", ".join(a for a, f in op.gradients.items() if f != "0")
        of = of or ("0" if op.gradients else "-")
        double = "yes" if op.double else "-"
        lines.append((op.name, op.takes, " ".join(devices(op)), of, double))
    widths = [max(map(len, column)) for column in zip(*lines)]
    for line in lines:
        print("  ".join(x.ljust(w) for x, w in zip(line, widths)).rstrip())
    print()
    for takes in "any", "number", "float", "exact", "bits", "integer":
        print(f"{takes}: {', '.join(t.name for t in dtypes(takes))}")
    print("float, of elementwise ops: others are converted to the default dtype first")
    print("\nMade of these, with the gradients that follow (linalg: on the CPU):")
    print(", ".join(composites()))
    return 0
