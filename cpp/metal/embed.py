"""Flattens Metal kernels: FAMILY.metal with its own #includes inlined, as the GPU's
driver takes one text. Writes out/FAMILY.metal, and all as strings in sources.cpp."""

import argparse
import pathlib
import re

CPP = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = (CPP / "metal", CPP)  # where #include "..." looks
CHUNK = 8000  # characters of a string literal: compilers promise to take 65,536 bytes


def flatten(path, once):
    """The lines of a file, with #line so that errors name the original place."""
    if path in once:
        return []
    text = path.read_text()
    if "#pragma once" in text:
        once.add(path)
    name = path.relative_to(CPP)
    lines = [f'#line 1 "{name}"']
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() == "#pragma once":
            lines.append("")
        elif found := re.match(r'\s*#\s*include\s+"(.+)"', line):
            lines += flatten(find(found[1], path), once)
            lines.append(f'#line {number + 1} "{name}"')
        else:
            lines.append(line)
    return lines


def find(name, wanted_by):
    for folder in FOLDERS:
        if (folder / name).exists():
            return folder / name
    raise SystemExit(f"{wanted_by}: there is no {name} in {FOLDERS[0]} or {FOLDERS[1]}")


def literals(text):
    pieces = [text[i : i + CHUNK] for i in range(0, len(text), CHUNK)]
    return "\n".join(f'    R"metal({piece})metal"' for piece in pieces)


def write(path, text):
    """Leaves a file that is right alone, so that nothing is made anew from it."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kernels", nargs="*", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = ""
    for kernel in options.kernels:
        text = "\n".join(flatten(kernel.resolve(), set())) + "\n"
        write(options.out / kernel.name, text)
        rows += (
            f'  if (!strcmp(family, "{kernel.stem}"))\n    return\n{literals(text)};\n'
        )
    write(
        options.out / "sources.cpp",
        "// Made by cpp/metal/embed.py: the text of every family's kernels.\n"
        "#include <string.h>\n\nnamespace veem::metal {\n\n"
        f"const char* source([[maybe_unused]] const char* family) {{\n{rows}"
        "  return nullptr;\n}\n\n"
        "}  // namespace veem::metal\n",
    )


if __name__ == "__main__":
    main()
