"""How exact the functions of float32 are: the largest error of each, by library.

Errors are counted in units in the last place (ULP): half of one is as near as a float
comes. The exact value is veem's own in float64, which is the C library's. Every
--every'th float is tried, infinities, NaNs, subnormals and both zeros among them.
`--every 1` tries all 2^32, which takes some minutes a function.
"""

import argparse
import sys

import numpy as np

FUNCTIONS = """sqrt rsqrt exp exp2 expm1 log log1p log2 log10 sin cos tan asin acos atan
sinh cosh tanh asinh acosh atanh erf erfc sigmoid""".split()
CHUNK = 2**20


def distance(y, exact):
    """The error of y in ULP; infinite where a NaN or a sign is not as it must be."""
    size = np.minimum(np.abs(exact), 2.0**128)  # past the largest float lies infinity
    exponent = np.clip(np.frexp(size)[1], -125, 128) - 24
    with np.errstate(invalid="ignore"):
        error = np.abs(np.minimum(np.abs(y, dtype=np.float64), 2.0**128) - size)
    error = np.ldexp(error, -exponent)
    wrong = (np.isnan(y) != np.isnan(exact)) | (np.signbit(y) != np.signbit(exact))
    return np.where(np.isnan(y) & np.isnan(exact), 0, np.where(wrong, np.inf, error))


def contenders(names):
    """Functions of a NumPy array of float32, by library and name."""
    import veem

    def of_tensors(module):
        return lambda name: lambda x: getattr(module, name)(module.tensor(x)).numpy()

    found = {"veem": of_tensors(veem)}
    for name in names:
        if name == "numpy":
            found[name] = lambda op: getattr(np, op, None)
        else:
            found[name] = of_tensors(__import__(name))
    return found


def measure(name, libraries, every):
    """(largest error, where) by library."""
    exact = libraries["veem"](name)
    functions = {k: f for k, make in libraries.items() if (f := make(name))}
    worst = dict.fromkeys(functions, (0.0, 0.0))
    for start in range(0, 2**32, CHUNK * every):
        end = min(start + CHUNK * every, 2**32)
        x = np.arange(start, end, every, dtype=np.uint32).view(np.float32)
        with np.errstate(all="ignore"):
            truth = exact(x.astype(np.float64))
            for library, f in functions.items():
                error = distance(f(x), truth)
                at = int(error.argmax())
                if error[at] > worst[library][0]:
                    worst[library] = float(error[at]), float(x[at])
    return worst


def main():
    from report import Console, Table

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ops", default=",".join(FUNCTIONS))
    parser.add_argument("--every", type=int, default=1009)
    parser.add_argument("--against", default="numpy", help="for example numpy,torch")
    args = parser.parse_args()
    libraries = contenders([n for n in args.against.split(",") if n])
    table = Table("", *(f"{name}: ULP, where" for name in libraries))
    bad = False
    for op in args.ops.split(","):
        worst = measure(op, libraries, args.every)
        found = [worst.get(name) for name in libraries]
        table.add_row(op, *("{:.3g}  {:.6g}".format(*f) if f else "-" for f in found))
        bad |= worst["veem"][0] > 2
    Console().print(table)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
