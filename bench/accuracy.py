"""How exact the functions of float32 are: the largest error of each, by library.

Errors are counted in units in the last place (ULP): half of one is as near as a float
comes. The exact value is veem's own in float64, which is the C library's. Every
--every'th float is tried, infinities, NaNs, subnormals and both zeros among them.
`--every 1` tries all 2^32, which takes a minute or two a function on an idle core; with
`--write docs/accuracy.md` the results take their rows in that table.
"""

import argparse
import pathlib
import re
import sys

import numpy as np

FUNCTIONS = """sqrt rsqrt reciprocal exp exp2 expm1 log log1p log2 log10 sin cos tan
asin acos atan sinh cosh tanh asinh acosh atanh erf erfc erfinv lgamma digamma sinc
logit sigmoid logsigmoid softplus silu mish elu selu celu gelu hardswish hardsigmoid
softsign tanhshrink square deg2rad rad2deg leaky_relu softshrink entr ndtr""".split()

# Why an error may be above 2 units.
REASONS = {
    "gelu": "1 + erf cancels for x far below 0; its absolute error stays below 1e-7",
    "tanhshrink": "x - tanh(x) cancels near 0, where the two are nearly equal",
    "silu": "below -87 sigmoid is subnormal: it has few digits, or none",
    "mish": "below -87 exp is subnormal: it has few digits, or none",
    "ndtr": "rounding x / sqrt(2) alone moves it by x^2 / 2 units",
    "selu": "expm1 of a subnormal number is rounded before it is scaled",
}
CHUNK = 2**20


def units(y, exact):
    """The error of y in ULP; infinite where a NaN or a sign is not as it must be."""
    size = np.minimum(np.abs(exact), 2.0**128)  # past the largest float lies infinity
    exponent = np.clip(np.frexp(size)[1], -125, 128) - 24
    with np.errstate(invalid="ignore"):
        error = np.abs(np.minimum(np.abs(y, dtype=np.float64), 2.0**128) - size)
    error = np.ldexp(error, -exponent)
    wrong = (np.isnan(y) != np.isnan(exact)) | (np.signbit(y) != np.signbit(exact))
    return np.where(np.isnan(y) & np.isnan(exact), 0, np.where(wrong, np.inf, error))


def worst_of(y, exact, known):
    """(largest error, its index) of those above the known one, else None.

    The nearest float is at most half a unit away, one n steps further at most 2n more.
    """
    nearest = exact.astype(np.float32)
    ours, theirs = y.view(np.int32), nearest.view(np.int32)
    if known < 0.499:
        tried = np.arange(len(y))
    else:
        tried = np.flatnonzero(ours != theirs)
        steps = np.abs(ours[tried].astype(np.int64) - theirs[tried])
        tried = tried[2 * steps + 0.5 > known]
        tried = tried[~(np.isnan(y[tried]) & np.isnan(nearest[tried]))]
    if len(tried) == 0:
        return None
    error = units(y[tried], exact[tried])
    at = int(error.argmax())
    return (float(error[at]), int(tried[at])) if error[at] > known else None


def find(module, name):
    """The function of this name in a library, its nn.functional or special; or None."""
    nn = getattr(module, "nn", None)
    for place in (module, getattr(nn, "functional", None), module.special):
        if hasattr(place, name):
            return getattr(place, name)
    return None


def contenders(names):
    """Functions of a NumPy array of float32, by library and name."""
    import veem

    def of_tensors(module):
        def make(name):
            f = find(module, name)
            return f and (lambda x: f(module.tensor(x)).numpy())

        return make

    found = {"veem": of_tensors(veem)}
    for name in names:
        if name == "numpy":
            found[name] = lambda op: getattr(np, op, None)
        else:
            found[name] = of_tensors(__import__(name))
    return found


def truth(name):
    """The function in float64, written such that nothing cancels."""
    import veem

    if name == "gelu":
        return lambda x: 0.5 * x * veem.erfc(veem.tensor(x * -(0.5**0.5))).numpy()
    return contenders([])["veem"](name)


def measure(name, libraries, every):
    """(largest error, where) by library."""
    exact = truth(name)
    functions = {k: f for k, make in libraries.items() if (f := make(name))}
    worst = dict.fromkeys(functions, (0.0, 0.0))
    for start in range(0, 2**32, CHUNK * every):
        end = min(start + CHUNK * every, 2**32)
        x = np.arange(start, end, every, dtype=np.uint32).view(np.float32)
        with np.errstate(all="ignore"):
            right = exact(x.astype(np.float64))
            for library, f in functions.items():
                worse = worst_of(f(x), right, worst[library][0])
                if worse:
                    worst[library] = worse[0], float(x[worse[1]])
    return worst


PAGE = """# Accuracy

The largest error of veem's functions of float32 over all 2^32 arguments, or as many as
are stated, in units in the last place: half of one is as near as a float comes, and at
most 2 is the aim. On the CPU ({isa}), against the same in float64. Written by

    python bench/accuracy.py --every 1 --write docs/accuracy.md

| function | largest error | at | arguments | why more than 2 |
| --- | --- | --- | --- | --- |
"""


def write(path, every, results):
    """Puts the results into the page's table, whose other rows stay."""
    import veem

    path = pathlib.Path(path)
    old = path.read_text() if path.exists() else ""
    rows = {
        m[1]: m[0]
        for m in re.finditer(r"^\| (\w+) \| (?:over )?[\d.]+ \|.*$", old, re.M)
    }
    tried = "all" if every == 1 else f"1 in {every}"
    for name, (error, at) in results.items():
        why = REASONS.get(name, "") if error > 2 else ""
        size = f"{error:.2f}" if error < 1000 else "over 1000"
        rows[name] = f"| {name} | {size} | {at:.9g} | {tried} | {why} |"
    lines = [rows[name] for name in FUNCTIONS if name in rows]
    path.write_text(PAGE.format(isa=veem._core.cpu_isa()) + "\n".join(lines) + "\n")


def main():
    from report import Console, Table

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ops", default=",".join(FUNCTIONS))
    parser.add_argument("--every", type=int, default=1009)
    parser.add_argument("--against", default="numpy", help="for example numpy,torch")
    parser.add_argument("--write", metavar="PAGE")
    args = parser.parse_args()
    against = "" if args.write else args.against
    libraries = contenders([n for n in against.split(",") if n])
    table = Table("", *(f"{name}: ULP, where" for name in libraries))
    bad = False
    for op in args.ops.split(","):
        worst = measure(op, libraries, args.every)
        found = [worst.get(name) for name in libraries]
        table.add_row(op, *("{:.3g}  {:.6g}".format(*f) if f else "-" for f in found))
        bad |= worst["veem"][0] > 2 and op not in REASONS
        if args.write:
            write(args.write, args.every, {op: worst["veem"]})
    Console().print(table)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
