"""python -m veem metal: compiles and runs kernels from files."""

import argparse
import pathlib
import sys

import numpy as np

import veem
from veem import metal

EXAMPLE = """\
an example, saxpy.metal:

  #include <metal_stdlib>
  using namespace metal;

  kernel void saxpy(device const float* x [[buffer(0)]],
                    device float* y       [[buffer(1)]],
                    constant float& a     [[buffer(2)]],
                    uint i [[thread_position_in_grid]]) {
    y[i] += a * x[i];
  }

  python -m veem metal check saxpy.metal
  python -m veem metal run saxpy.metal --grid 1000 --group 256 \\
      --buffer float32:1000:arange --buffer float32:1000:ones --buffer 2.0 --print

Leave out a guard or a barrier and look what the simulator says: it names the line, the
thread and the byte.
"""


def add_arguments(parser):
    """The subcommands check and run."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = metal.__doc__.splitlines()[0]
    parser.epilog = EXAMPLE
    commands = parser.add_subparsers(dest="metal_command", required=True)
    check = commands.add_parser(
        "check", help="compiles a file and lists its kernels and what they take"
    )
    run = commands.add_parser(
        "run",
        help="runs a kernel on buffers that you describe",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EXAMPLE,
    )
    for command in check, run:
        command.add_argument("file", type=pathlib.Path)
        command.add_argument(
            "--constant",
            action="append",
            default=[],
            metavar="I=VALUE",
            help="a value for [[function_constant(I)]]; I may be its name",
        )
    run.add_argument("--kernel", metavar="NAME", help="needed if the file has several")
    run.add_argument(
        "--grid", type=sizes, required=True, metavar="X[,Y[,Z]]", help="threads in all"
    )
    run.add_argument(
        "--group", type=sizes, metavar="X[,Y[,Z]]", help="threads of a threadgroup"
    )
    run.add_argument(
        "--buffer",
        action="append",
        default=[],
        metavar="WHAT",
        help="what to bind, in the order of [[buffer(i)]]: DTYPE:SIZE[xSIZE...][:FILL] "
        "with FILL zeros, ones, arange or random, as in float32:64x64:random; a file "
        "x.npy; a number; true or false",
    )
    run.add_argument(
        "--threadgroup",
        action="append",
        type=int,
        default=[],
        metavar="BYTES",
        help="the size of a [[threadgroup(i)]] array, in their order",
    )
    run.add_argument("--print", action="store_true", help="prints what was written")
    run.add_argument(
        "--order",
        default="forward",
        help="of the threads, in the simulator: forward, reverse or a seed",
    )
    run.add_argument(
        "--no-checks", action="store_true", help="runs faster, finds nothing"
    )


def main(options):
    """Runs the subcommand; returns its exit status."""
    try:
        source = f'#line 1 "{options.file.name}"\n{options.file.read_text()}'
        print(f"on {metal.device_name()}")
        if options.metal_command == "check":
            return check(source, options)
        return run(source, options)
    except (RuntimeError, ValueError, TypeError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def check(source, options):
    for name in metal.kernel_names(source):
        try:
            describe(metal.kernel(source, name, constants(options.constant)))
        except RuntimeError as error:
            print(f"{name}: {error}")
    return 0


def describe(kernel):
    print(f"{kernel.name}, at most {kernel.max_group} threads in a group")
    for p in kernel.parameters:
        place = "threadgroup" if p["threadgroup"] else "buffer"
        print(
            f"  [[{place}({p['index']})]] {p['type']:<8}{p['name']:<16}"
            f"{p['size']} bytes each, {'written' if p['writable'] else 'read'}"
        )


def run(source, options):
    kernel = metal.kernel(source, options.kernel, constants(options.constant))
    arguments = [argument(text) for text in options.buffer]
    group = options.group or (min(options.grid[0], 256),)
    order = int(options.order) if options.order.isdecimal() else options.order

    def launch():
        kernel(options.grid, group, *arguments, threadgroup=options.threadgroup)

    if metal.is_simulated():
        with metal.simulator(checks=not options.no_checks, order=order):
            launch()
    else:
        launch()
        metal.synchronize()
    print(
        f"{kernel.name}: {threads(options.grid)} threads in groups of {threads(group)}"
    )
    if options.print:
        buffers = (p for p in kernel.parameters if not p["threadgroup"])
        for p, value in zip(buffers, arguments):
            if p["writable"]:
                print(f"{p['name']}:\n{value.cpu().numpy()}")
    return 0


# ---- the options' small languages ----------------------------------------------------


def sizes(text):
    return tuple(int(n) for n in text.replace("x", ",").split(","))


def threads(sizes):
    return "x".join(map(str, sizes))


def constants(texts):
    pairs = (text.partition("=")[::2] for text in texts)
    return {int(k) if k.isdecimal() else k: number(v) for k, v in pairs}


def number(text):
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text, 0)
    except ValueError:
        return float(text)


def argument(text):
    """What --buffer says."""
    if text.endswith(".npy"):
        return veem.from_numpy(np.load(text)).to("metal")
    if ":" not in text:
        return number(text)
    dtype, shape, fill = (text + ":zeros").split(":")[:3]
    dtype, shape = getattr(veem, dtype), tuple(map(int, shape.split("x")))
    if fill == "random":
        return veem.randn(shape).to(dtype).to("metal")
    makers = {
        "zeros": lambda: veem.zeros(shape),
        "ones": lambda: veem.ones(shape),
        "arange": lambda: veem.arange(int(np.prod(shape))).reshape(shape),
    }
    if fill not in makers:
        raise ValueError(f"--buffer {text}: fill is zeros, ones, arange or random")
    return makers[fill]().to(dtype).to("metal")
