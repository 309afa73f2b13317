"""Sources that Metal's compiler would refuse: the simulator does, in words of MSL."""

import numpy as np
import pytest
from simulated import run, simulated

pytestmark = simulated

SOURCE = """#include <metal_stdlib>
using namespace metal;
BEFORE
kernel void k(device float* out [[buffer(0)]], constant float& scale [[buffer(1)]],
              uint i [[thread_position_in_grid]]) {
  threadgroup float tile[32];
  BODY
}
"""

# What stands in the body, or before the kernel; the line; what is said.
BODIES = {
    "double": ("double x = out[i];", "no double"),
    "undeclared": ("out[i] = erf(scale);", "undeclared identifier 'erf'"),
    "libc": ("out[i] = expf(scale);", "undeclared identifier 'expf'"),
    "std": ("out[i] = std::exp(scale);", "undeclared identifier 'std'"),
    "builtin": ("out[i] = __builtin_expf(scale);", "no __builtin_expf"),
    "device to thread": (
        "float* p = out;",
        r"type 'float \*' with an lvalue of type 'device float \*'",
    ),
    "device to threadgroup": (
        "threadgroup float* p = out;",
        r"type 'threadgroup float \*' with an lvalue of type 'device float \*'",
    ),
    "threadgroup to device": (
        "device float* p = tile;",
        r"type 'device float \*' with an lvalue of type 'threadgroup float",
    ),
    "constant to device": (
        "device float* p = &scale;",
        r"type 'device float \*' with an rvalue of type 'constant float \*'",
    ),
    "write to constant": ("scale = 2;", "const"),
    "C-style cast": ("out[i] = *(device int*)(out);", "C-style cast of a pointer"),
    "reinterpret_cast": (
        "auto p = reinterpret_cast<threadgroup int*>(out);",
        "not allowed",
    ),
    "lambda": ("auto f = [](float x) { return x; };", "no lambdas"),
    "new": ("float* p = new float[3];", "no new"),
    "goto": ("again: goto again;", "no goto"),
    "initializer": ("threadgroup float y = 3;", "no initializers"),
    "static_assert": ('static_assert(sizeof(float) == 8, "eight");', "eight"),
    "vector": ("float4 v = float4(1, 2);", "as many values as it has elements"),
    "matrix": ("simdgroup_matrix<float, 4, 8> m;", "8 rows and 8 columns"),
    "shared": (
        "atomic_fetch_add_explicit(out, 1, memory_order_relaxed);",
        "no matching",
    ),
    "static variable": (
        "static int n = 3; out[i] = n;",
        "static variable must reside in constant address space",
    ),
    "syntax": ("out[i] = ;", "expected expression"),
}
BEFORES = {
    "constexpr": (
        "constexpr int kGroup = 256;",
        "program scope variable must reside in constant address space",
    ),
    "const in a namespace": (
        "namespace n { const float third[] = {1, 2, 3}; }",
        "program scope variable must reside in constant address space",
    ),
    "variable of a template": (
        "template <class T> constexpr bool yes = true;",
        "program scope variable must reside in constant address space",
    ),
    "variable of a struct": (
        "struct S { int a; } s = {3};",
        "program scope variable must reside in constant address space",
    ),
    "static member": (
        "struct S { static constexpr int n = 3; };",
        "static variable must reside in constant address space",
    ),
    "recursion": ("int f(int n) { return n ? f(n - 1) : 0; }", "f calls itself"),
    "two that call each other": (
        "int g(int n); int f(int n) { return g(n); } int g(int n) { return f(n); }",
        "calls itself",
    ),
    "no attribute": (
        "kernel void j(device float* x) { }",
        "x of kernel j has no attribute",
    ),
    "no space": (
        "kernel void j(float* x [[buffer(0)]]) { }",
        "x is in no address space",
    ),
    "no pointer": (
        "kernel void j(constant float x [[buffer(0)]]) { }",
        "a pointer or a reference",
    ),
    "threadgroup as buffer": (
        "kernel void j(threadgroup float* x [[buffer(0)]]) { }",
        "for device or constant memory",
    ),
    "unknown attribute": (
        "kernel void j(uint x [[position]]) { }",
        r"does not know the attribute \[\[position\]\]",
    ),
    "threadgroup outside": ("threadgroup float tile[3];", "stands in a kernel's body"),
    "keyword": ("struct S { int kernel; };", "kernel is a keyword"),
    "fragment": ("struct S { int fragment; };", "fragment is a keyword"),
    "class": ("struct S { virtual int f(); };", "no virtual functions"),
    "instance of nothing": (
        'template [[host_name("j")]] [[kernel]] decltype(f<int>) f<int>;',
        "instantiation of no kernel",
    ),
}


def refused(source, line, message):
    with pytest.raises(RuntimeError, match=message) as error:
        run(source, 1, 1)
    assert f"kernel.metal:{line}: error: " in str(error.value)


@pytest.mark.parametrize("name", BODIES)
def test_body(name):
    body, message = BODIES[name]
    refused(SOURCE.replace("BEFORE", "").replace("BODY", body), 7, message)


@pytest.mark.parametrize("name", BEFORES)
def test_before(name):
    before, message = BEFORES[name]
    refused(SOURCE.replace("BEFORE", before).replace("BODY", ""), 3, message)


def test_a_function_without_a_body():
    before = SOURCE.replace("BEFORE", "float f(float);")
    with pytest.raises(
        RuntimeError, match=r"f\(float\) is called, but nowhere defined"
    ):
        run(before.replace("BODY", "out[i] = f(1);"), 1, 1)


def test_a_struct_copied_whole():
    before = (
        "struct S { int a[3]; };\n"
        "kernel void j(constant S& s [[buffer(0)]]) { S t = s; }"
    )
    with pytest.raises(RuntimeError, match="copies no struct whole"):
        run(SOURCE.replace("BEFORE", before).replace("BODY", ""), 1, 1)


def test_lines_of_files():
    """#line and what a macro expands to keep their places."""
    before = '#line 40 "mine.metal"\n#define BAD double\nfloat f() { return BAD(1); }'
    with pytest.raises(RuntimeError, match=r"mine\.metal:41: error: MSL has no double"):
        run(SOURCE.replace("BEFORE", before).replace("BODY", ""), 1, 1)


GOOD = {
    "const reference": "constant float& s = scale; out[i] = s;",
    "pointer": "threadgroup float* p = tile + 1; p[0] = 1; out[i] = *p;",
    "cast": "out[i] = reinterpret_cast<device const int*>(out)[i];",
    "numbers": "half h = 1.5h; bfloat b = bfloat(2.5f); out[i] = h * 2 + float(b);",
    "choice": "bfloat b = bfloat(out[i]); out[i] = i ? float(b) : 0.0f;",
    "vectors": "float4 v(0); v.xy = float2(1); out[i] = v.x + half2(v.zw).y;",
    "loop": "\n#pragma unroll(3)\nfor (int k = 0; k < 3; ++k) out[i] += k;",
    "constexpr": "constexpr int n = 3; int a[n] = {1, 2, 3}; out[i] = a[i % n];",
    "if constexpr": "if constexpr (is_same_v<int, half>) out[i] = 0; else out[i] = 1;",
    "array": "array<float, 3> a = {1, 2, 3}; a[1] = 5; out[i] = a[1] + a.size();",
    "packed": "packed_float3 p = packed_float3(1, 2, 3); float3 v = p; out[i] = v.z;",
    "switch": "switch (i) { case 0: out[i] = 1; break; default: out[i] = 2; }",
    "struct": "struct P { float a, b; }; P p = {1, 2}; out[i] = p.a + p.b;",
    "declarations": "threadgroup half rows[2][8], one; one = 1; rows[1][2] = one;",
}


@pytest.mark.parametrize("name", GOOD)
def test_good(name):
    source = SOURCE.replace("BEFORE", "").replace("BODY", GOOD[name])
    run(source, 1, 1, np.ones(4, np.float32), 2.0)


GOOD_BEFORES = {
    "constants": "constant int a = 3; constant constexpr float b[] = {1, 2};",
    "in a namespace": "namespace n { namespace { constant int a = 3; } }",
    "template": "template <class T> constant constexpr bool yes = true;",
    "member": "struct S { static constant constexpr int n = 3; int a; };",
    "enum": "enum { a, b = 3 }; enum class E : int { c }; enum F { d };",
    "types": "struct S; struct alignas(16) S { int a; }; typedef struct { S s; } T;",
    "functions": "int f(int n = 3); inline int f(int n) { return n; } "
    "struct S { int a; int operator==(S s) { return a == s.a; } };",
    "template of a function": "template <class T, int n = (3)> inline T f(T x) "
    "{ constexpr int m = 3; return x + m; }",
}


@pytest.mark.parametrize("name", GOOD_BEFORES)
def test_good_before(name):
    source = SOURCE.replace("BEFORE", GOOD_BEFORES[name]).replace("BODY", "")
    run(source, 1, 1, np.ones(4, np.float32), 2.0)
