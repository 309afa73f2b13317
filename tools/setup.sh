#!/bin/sh
# Makes the virtual environment $1 with what builds veem. Anything missing is named together
# with the command that installs it. $PYTHON and $CXX choose among several.
set -u
venv=$1

if command -v apt-get >/dev/null; then
  install="sudo apt-get install" python_packages="python3 python3-dev python3-venv" compiler=g++
elif command -v dnf >/dev/null; then
  install="sudo dnf install" python_packages="python3 python3-devel" compiler=gcc-c++
elif command -v pacman >/dev/null; then
  install="sudo pacman -S" python_packages=python compiler=gcc
elif command -v brew >/dev/null; then
  install="brew install" python_packages=python compiler=llvm
else
  install="install" python_packages="python3 with its headers and venv" compiler="g++ or clang++"
fi

missing() { # what is missing, and the command that installs it
  echo "veem needs $1." >&2
  echo "Get it with:  $2" >&2
  exit 1
}

old_enough='import sys; sys.exit(sys.version_info < (3, 10))'
find_python() {
  for p in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
    [ -n "$p" ] && "$p" -c "$old_enough" 2>/dev/null && echo "$p" && return
  done
  return 1
}
python=$(find_python) || missing "Python 3.10 or newer" "$install $python_packages"
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
  missing "the venv module of $python" "$install $python_packages"
headers=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
[ -f "$headers/Python.h" ] ||
  missing "the headers of $python ($headers/Python.h)" "$install $python_packages"

# The Metal simulator wants clang 16; the package ziglang carries one.
zig=
if [ "${VEEM_METAL:-}" = SIMULATED ] && [ -z "${CXX:-}" ]; then
  zig="ziglang~=0.16.0"
  for c in clang++-19 clang++-18 clang++-17 clang++-16 clang++; do
    major=$($c -dumpversion 2>/dev/null | cut -d. -f1)
    [ "${major:-0}" -ge 16 ] && CXX=$c zig= && break
  done
fi

cxx=${CXX:-}
[ -z "$cxx" ] && for c in c++ g++ clang++; do
  command -v $c >/dev/null && cxx=$c && break
done
[ -n "$cxx$zig" ] || missing "a C++ compiler" "$install $compiler"
check='#if !defined(__clang__) && __GNUC__ < 11 || defined(__clang__) && __clang_major__ < 14
#error too old
#endif
#include <optional>
int main() {}'
[ -n "$zig" ] || echo "$check" | $cxx -std=c++17 -x c++ -fsyntax-only - 2>/dev/null ||
  missing "g++ 11, clang++ 14 or newer (found: $($cxx --version 2>/dev/null | head -n 1))" \
    "$install $compiler"

echo "Setting up $venv with $("$python" --version), ${zig:-$($cxx --version | head -n 1)}"
"$python" -m venv --clear "$venv" || exit 1
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  "scikit-build-core>=0.11" "pybind11>=3.0" "cmake>=3.18" ninja $zig || {
  echo "pip could not install the build tools; is there a network?" >&2
  exit 1
}
