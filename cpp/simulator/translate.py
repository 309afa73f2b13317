"""Translates a Metal Shading Language source to a shared object for the simulator.

    python translate.py FILE.metal --folder FOLDER [--variant VARIANT] [--fast-math]

The preprocessor flattens it, rewrite.py makes C++ of it, and a compiler goes over that
twice: once strictly, with MSL's address spaces and without making code, then for a
shared object HASH.VARIANT.so, whose memory accesses report to the engine if checked.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rewrite import rewrite
from source import Refused

MSL = Path(__file__).resolve().parent / "msl"
ENOUGH = 16  # the first clang with all that is needed
LANGUAGE = [
    "-x", "c++", "-std=c++14", "-w", "-nostdinc", "-fno-exceptions", "-fno-rtti",
    "-fblocks", "-fwrapv", "-fvisibility=hidden", "-fPIC", "-ferror-limit=20",
    "-fno-caret-diagnostics", "-fsigned-char",
    "-Xclang", "-cl-single-precision-constant",  # 1.5 is a float
    "-Xclang", "-fnative-half-arguments-and-returns",
    "-Xclang", "-ffloat16-excess-precision=none",  # each operation rounds
    f"-isystem{MSL}", "-include", str(MSL / "metal.h"),
]  # fmt: skip
RUN = [
    "-O1", "-gdwarf-4", "-fno-omit-frame-pointer", "-fno-math-errno",
    "-ffp-contract=off",
]  # fmt: skip
CHECKED = [
    "-DVEEM_CHECKS", "-Xclang", "-fsanitize=thread",
    "-Xclang", "-fsanitize=array-bounds,integer-divide-by-zero",
    "-Xclang", "-fsanitize-recover=array-bounds,integer-divide-by-zero",
    "-mllvm", "-tsan-instrument-func-entry-exit=0",
    "-mllvm", "-tsan-instrument-read-before-write=1",
]  # fmt: skip
# zig has no -fsyntax-only
SYNTAX = ["-DVEEM_STRICT", "-S", "-emit-llvm", "-Xclang", "-disable-llvm-passes"]
LINK = [
    "-shared",
    "-nostdlib",
    "-fPIC",
]  # what it calls is in the process that loads it

COPY = " (the simulator copies no struct whole from another address space: its members)"


class NoCompiler(Exception):
    pass


def compiler() -> list[str]:
    """The command of a clang that is new enough, or of the one inside ziglang."""
    if "VEEM_SIMULATOR_CXX" in os.environ:
        return shlex.split(os.environ["VEEM_SIMULATOR_CXX"])
    for name in ("clang++-19", "clang++-18", "clang++-17", "clang++-16", "clang++"):
        path = shutil.which(name)
        if path and (name != "clang++" or version(path) >= ENOUGH):
            return [path]
    if importlib.util.find_spec("ziglang"):
        # else it makes code for this very processor, and homes are shared
        return [sys.executable, "-m", "ziglang", "c++", "-mcpu=baseline"]
    raise NoCompiler(
        f"the Metal simulator needs clang {ENOUGH} or newer to translate a kernel:"
        " install it (apt install clang), or `pip install ziglang`, which carries one"
    )


def version(path: str) -> int:
    said = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
    found = re.search(r"clang version (\d+)", said)
    return int(found[1]) if found else 0


def clang(*arguments: str | Path) -> str:
    done = subprocess.run(
        [*compiler(), *map(str, arguments)], capture_output=True, text=True
    )
    if done.returncode:
        raise Refused(in_msl_terms(done.stderr))
    return done.stdout


def in_msl_terms(said: str) -> str:
    """The compiler's errors by .metal line, in the words of MSL."""
    for number, space in ((1, "device"), (2, "constant"), (3, "threadgroup")):
        said = re.sub(rf"__attribute__\(\(address_space\({number}\)\)\)", space, said)
    said = said.replace("const constant", "constant")
    said = re.sub(r"'[^']*\bveem_\d+_\w+[^']*' \(aka ('[^']*')\)", r"\1", said)
    said = re.sub(r"\b_Float16\b", "half", re.sub(r"\b__(bf16|fp16)\b", "bfloat", said))
    said = re.sub(r"(::)?veem_msl::make<([\w<>, :]+)>", r"\2", said)
    lines, waiting = (
        [],
        None,
    )  # an error inside of our headers belongs to who called them
    for line in said.splitlines():
        found = re.match(r"(.*):(\d+):\d+: (fatal error|error|note): (.*)", line)
        if not found:
            continue
        file, number, kind, message = found.groups()
        ours = Path(file).is_relative_to(MSL)
        if lines and "candidate constructor" in message and "address space" in message:
            lines[-1] += COPY if not lines[-1].endswith(COPY) else ""
        if kind == "note" and waiting and not ours:
            lines.append(f"{file}:{number}: error: {waiting}")
        elif kind == "note" and not ours and "candidate" not in message:
            lines.append(f"{file}:{number}: note: {message}")
        elif kind != "note" and not ours:
            lines.append(f"{file}:{number}: error: {message}")
        waiting = message if kind != "note" and ours else waiting if ours else None
    return "\n".join(lines) or said.strip()


def preprocess(source: Path, scratch: Path) -> str:
    text = source.read_text()
    flat = scratch / "source.cpp"
    flat.write_text(f'#line 1 "kernel.metal"\n{text}\n')
    return clang(
        "-E", "-x", "c++", "-std=c++14", "-nostdinc", f"-isystem{MSL / 'include'}",
        "-D__METAL__=1", "-D__METAL_VERSION__=310", "-D__METAL_MACOS__=1", flat,
    )  # fmt: skip


def key(source: bytes) -> str:
    """The name of a source: FNV-1a of its text, as Library::load computes it."""
    h = 0xCBF29CE484222325
    for byte in source:
        h = ((h ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{h:016x}"


def translate(source: Path, folder: Path, variants: list[str], fast_math: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="veem-") as name:
        scratch = Path(name)
        strict, run = rewrite(preprocess(source, scratch))
        (scratch / "strict.cpp").write_text(strict)
        (scratch / "run.cpp").write_text(run)
        clang(*LANGUAGE, *SYNTAX, scratch / "strict.cpp", "-o", scratch / "strict.ll")
        folder.mkdir(parents=True, exist_ok=True)
        for variant in variants:
            flags = [*RUN, *(CHECKED if variant == "checked" else ["-O2"])]
            suffix = variant
            if fast_math:
                flags += ["-ffast-math", "-DVEEM_FAST_MATH"]
                suffix += "-fast-math"
            made = scratch / f"{suffix}.o"
            clang(*LANGUAGE, *flags, "-c", scratch / "run.cpp", "-o", made)
            clang(*LINK, made, "-o", scratch / f"{suffix}.so")
            target = folder / f"{key(source.read_bytes())}.{suffix}.so"
            part = target.with_suffix(f".{os.getpid()}")
            shutil.copyfile(scratch / f"{suffix}.so", part)
            os.replace(part, target)  # whole, even if two make it at once


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--variant", choices=["checked", "plain"], action="append")
    parser.add_argument("--fast-math", action="store_true")
    given = parser.parse_args()
    try:
        variants = given.variant or ["checked", "plain"]
        translate(given.source, given.folder, variants, given.fast_math)
    except (Refused, NoCompiler) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
