"""Builds the extension for a Mac with Apple silicon on a computer that is none.

It shows that every file compiles against Apple's interfaces, that the module links,
and which of Apple's symbols it wants: tests/metal/apple_symbols.txt lists them. It
cannot show that the module runs. Needs the package ziglang, a clang with the headers of
macOS's C library, and Apple's metal-cpp headers.
"""

import argparse
import concurrent.futures
import os
import pathlib
import struct
import subprocess
import sys
import sysconfig

ROOT = pathlib.Path(__file__).resolve().parent.parent
PINNED = ROOT / "tests/metal/apple_symbols.txt"
ZIG = [sys.executable, "-m", "ziglang", "c++", "-target", "aarch64-macos.14.0"]

# What the linker needs to know of Apple's libraries: names, no code.
STUB = """--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos ]
install-name: '{path}'
exports:
  - targets: [ arm64-macos ]
    symbols: [ {symbols} ]
...
"""
LIBRARIES = {
    "libobjc.tbd": ("/usr/lib/libobjc.A.dylib", [
        "_objc_msgSend", "_sel_registerName", "_objc_lookUpClass",
        "_objc_getProtocol"]),
    "Foundation.framework/Foundation.tbd": (
        "/System/Library/Frameworks/Foundation.framework/Versions/C/Foundation", []),
    "Metal.framework/Metal.tbd": (
        "/System/Library/Frameworks/Metal.framework/Versions/A/Metal", [
            "_MTLCreateSystemDefaultDevice", "_MTLCopyAllDevices",
            "_MTLCopyAllDevicesWithObserver", "_MTLRemoveDeviceObserver"]),
}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--metal-cpp", type=pathlib.Path, help="Apple's headers; else they are fetched"
    )
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/macos")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument(
        "--libmlx",
        type=pathlib.Path,
        help="a library built on a Mac: which of our symbols does it not import?",
    )
    parser.add_argument(
        "--write", action="store_true", help="write the pinned list anew"
    )
    options = parser.parse_args()
    objects = compile_all(options)
    module = link(options.build, objects)
    # zig links its libc++ into the module; what only that wants is no matter of ours.
    found = imports(module) & set.union(*map(imports, objects))
    print(f"{module}: {module.stat().st_size:,} bytes, {len(found)} of Apple's symbols")
    if undefined := sorted(s for s in found if s.startswith("__ZN4veem")):
        sys.exit(f"nobody defines {' '.join(undefined)}")
    if options.libmlx:
        new = sorted(found - imports(options.libmlx))
        print("not imported by libmlx.dylib:", " ".join(new) or "none")
    if options.write:
        PINNED.write_text("".join(f"{symbol}\n" for symbol in sorted(found)))
    unknown = sorted(found - set(PINNED.read_text().split()))
    if unknown:
        sys.exit(f"not in {PINNED.relative_to(ROOT)}: {' '.join(unknown)}\n"
                 "Does macOS 14 have them? If so, add them: --write does.")  # fmt: skip


def compile_all(options):
    """The objects of all sources; zig keeps those whose sources have not changed."""
    build = options.build
    build.mkdir(parents=True, exist_ok=True)
    metal_cpp = options.metal_cpp or fetch_headers(build)
    generated = build / "metal"
    kernels = sorted((ROOT / "cpp/metal/kernels").glob("*.metal"))
    embed = [sys.executable, ROOT / "cpp/metal/embed.py", "--out", generated]
    subprocess.run([*embed, *kernels], check=True)
    folders = "core", "cpu", "metal", "bindings"
    sources = [s for folder in folders for s in (ROOT / "cpp" / folder).glob("*.cpp")]
    flags = [
        "-std=c++17", "-O1", "-g0", "-fPIC", "-fblocks", "-fvisibility=hidden", "-Wall",
        "-Wextra", "-Werror", "-Wno-missing-field-initializers", "-Wno-pass-failed",
        "-ffp-contract=fast", "-fno-math-errno", "-DNDEBUG", "-DVEEM_METAL=1",
        "-DVEEM_ISA=isa_native", "-DVEEM_ISAS=X(isa_native)",
        '-DVEEM_VERSION="0"', '-DVEEM_BUILD_TYPE="Release"', '-DVEEM_BUILD_FLAGS=""',
        '-DVEEM_SANITIZE=""', "-I", ROOT / "cpp", "-isystem", metal_cpp,
        "-isystem", sysconfig.get_path("include"), "-isystem", pybind11(),
        # CoreFoundation and IOSurface, which the C library's headers do not include.
        "-idirafter", ROOT / "cpp/simulator/apple",
    ]  # fmt: skip

    def compile_one(source):
        made = build / f"{source.parent.name}-{source.stem}.o"
        if subprocess.run([*ZIG, *flags, "-c", source, "-o", made]).returncode:
            raise SystemExit(f"{source.relative_to(ROOT)} does not compile for macOS")
        return made

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        return list(pool.map(compile_one, [*sources, generated / "sources.cpp"]))


def fetch_headers(build):
    """As CMake does it in a simulated build: from a package of PyPI's, by its hash."""
    script = ROOT / "cpp/metal/headers.cmake"
    command = ["cmake", f"-DPython_EXECUTABLE={sys.executable}", "-P", script]
    subprocess.run(command, check=True, cwd=build)
    return build / "metal-cpp/mlx/include/metal_cpp"


def pybind11():
    import pybind11

    return pybind11.get_include()


def link(build, objects):
    stubs = build / "stubs"
    for name, (path, symbols) in LIBRARIES.items():
        (stubs / name).parent.mkdir(parents=True, exist_ok=True)
        text = STUB.format(path=path, symbols=", ".join(symbols))
        (stubs / name).write_text(text)
    module = build / "_core.cpython-darwin.so"
    done = subprocess.run(
        [*ZIG, "-shared", "-undefined", "dynamic_lookup", *objects, "-o", module,
         "-L", stubs, "-lobjc", "-F", stubs, "-framework", "Foundation",
         "-framework", "Metal"],
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:  # else there is only zig's talk about its own libc++
        errors = [line for line in done.stderr.splitlines() if "error:" in line]
        sys.exit("\n".join(["it does not link for macOS", *errors]))
    return module


def imports(path):
    """The symbols that a Mach-O file takes from elsewhere, Python's left out."""
    data = path.read_bytes()
    assert struct.unpack_from("<I", data)[0] == 0xFEEDFACF, f"{path} is not Mach-O"
    at, found = 32, set()
    for _ in range(struct.unpack_from("<I", data, 16)[0]):
        command, size = struct.unpack_from("<II", data, at)
        if command == 2:  # LC_SYMTAB
            symbols, count, strings, _ = struct.unpack_from("<IIII", data, at + 8)
            for i in range(count):
                name, kind, _, _, value = struct.unpack_from(
                    "<IBBHQ", data, symbols + 16 * i
                )
                if kind & 0x0F == 1 and value == 0:  # undefined, external
                    end = data.index(b"\0", strings + name)
                    found.add(data[strings + name : end].decode())
        at += size
    return {s for s in found if not s.startswith(("_Py", "__Py"))}


if __name__ == "__main__":
    main()
