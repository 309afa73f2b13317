"""The simulator's Metal standard library beside NumPy: one kernel for each row."""

import numpy as np
import pytest
from simulated import run, simulated

pytestmark = simulated

F, I = np.float32, np.int32  # noqa: E741
RNG = np.random.default_rng(0)
REAL = RNG.normal(size=64).astype(F) * 3
POSITIVE = np.abs(REAL) + F(0.1)
UNIT = (RNG.random(64) * 1.9 - 0.95).astype(F)
WHOLE = RNG.integers(-(2**31), 2**31, 64, dtype=np.int64).astype(I)
BITS = WHOLE.view(np.uint32)
LANES = np.arange(64).reshape(2, 32)


def pairs(x):
    return np.roll(x, 1)


def lanes(x):
    return x.reshape(2, 32)


def every(x):
    """A value of each SIMD-group or quad-group, for all of its lanes."""
    return np.repeat(x, 64 // len(x))


def half(x):
    return x.astype(np.float16)


def bfloat(x):
    bits = x.view("u4")
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).view(F)


# name: an expression of x (and y, its neighbour's), the same in NumPy, the input
FLOATS = {
    "acos": ("acos(x)", np.arccos, UNIT),
    "asin": ("asin(x)", np.arcsin, UNIT),
    "atan": ("atan(x)", np.arctan, REAL),
    "asinh": ("asinh(x)", np.arcsinh, REAL),
    "atanh": ("atanh(x)", np.arctanh, UNIT),
    "sin": ("sin(x)", np.sin, REAL),
    "cos": ("cos(x)", np.cos, REAL),
    "tan": ("tan(x)", np.tan, UNIT),
    "tanh": ("tanh(x)", np.tanh, REAL),
    "exp": ("exp(x)", np.exp, REAL),
    "exp2": ("exp2(x)", np.exp2, REAL),
    "exp10": ("exp10(x)", lambda x: 10.0**x, UNIT),
    "precise": ("precise::exp(x)", np.exp, REAL),
    "fast": ("fast::log(x)", np.log, POSITIVE),
    "metal": ("metal::fast::log2(x)", np.log2, POSITIVE),
    "log10": ("log10(x)", np.log10, POSITIVE),
    "sqrt": ("sqrt(x)", np.sqrt, POSITIVE),
    "rsqrt": ("rsqrt(x)", lambda x: 1 / np.sqrt(x), POSITIVE),
    "floor": ("floor(x)", np.floor, REAL),
    "ceil": ("ceil(x)", np.ceil, REAL),
    "trunc": ("trunc(x)", np.trunc, REAL),
    "rint": ("rint(x)", np.rint, REAL),
    "fract": ("fract(x)", lambda x: x - np.floor(x), REAL),
    "sign": ("sign(x)", np.sign, REAL),
    "abs": ("abs(x) + fabs(x)", lambda x: 2 * np.abs(x), REAL),
    "saturate": ("saturate(x)", lambda x: np.clip(x, 0, 1), REAL),
    "clamp": ("clamp(x, -1.0, 1.5)", lambda x: np.clip(x, -1, F(1.5)), REAL),
    "max": ("max(x, y)", lambda x: np.maximum(x, pairs(x)), REAL),
    "min3": (
        "min3(x, y, 0.5f)",
        lambda x: np.minimum(0.5, np.minimum(x, pairs(x))),
        REAL,
    ),
    "fmod": ("fmod(x, 0.7)", lambda x: np.fmod(x, F(0.7)), REAL),
    "pow": ("pow(x, 1.5)", lambda x: x**1.5, POSITIVE),
    "powr": ("powr(x, 2)", lambda x: x**2, POSITIVE),
    "atan2": ("atan2(x, y)", lambda x: np.arctan2(x, pairs(x)), REAL),
    "copysign": ("copysign(x, y)", lambda x: np.copysign(x, pairs(x)), REAL),
    "fma": ("fma(x, x, y)", lambda x: x * x + pairs(x), REAL),
    "mix": ("mix(x, y, 0.25f)", lambda x: x + (pairs(x) - x) * F(0.25), REAL),
    "step": ("step(0.0f, x)", lambda x: np.where(x < 0, 0, 1), REAL),
    "select": ("select(x, y, x < y)", lambda x: np.maximum(x, pairs(x)), REAL),
    "ldexp": ("ldexp(x, 3)", lambda x: x * 8, REAL),
    "isnan": ("isnan(sqrt(x)) ? 1 : 0", lambda x: x < 0, REAL),
    "isinf": ("isinf(x / 0.0f) && !isfinite(INFINITY) ? 1 : 0", lambda x: x != 0, REAL),
    "nan": ("fmax(NAN, x)", lambda x: x, REAL),
    "limits": (
        "numeric_limits<float>::max() * sign(x)",
        lambda x: np.sign(x) * np.finfo(F).max,
        REAL,
    ),
    "half": (
        "float(half(x) * half(y))",
        lambda x: (half(x) * half(pairs(x))).astype(F),
        REAL,
    ),
    "literal": (
        "float(1.5h + half(x))",
        lambda x: (half(x) + np.float16(1.5)).astype(F),
        REAL,
    ),
    "single": ("(x + 1e-9) - x", lambda x: (x + F(1e-9)) - x, REAL),
    "bfloat": ("float(bfloat(x))", bfloat, REAL),
    "swizzle": ("float4(x, float2(y, 1), 2).wzyx.w", lambda x: x, REAL),
    "splat": ("(float4(x) * 2 + float4(1)).z", lambda x: x * 2 + 1, REAL),
    "dot": (
        "dot(float3(x, y, 1), float3(1, 2, 3))",
        lambda x: x + 2 * pairs(x) + 3,
        REAL,
    ),
    "cross": (
        "cross(float3(x, 0, 0), float3(0, y, 0)).z",
        lambda x: x * pairs(x),
        REAL,
    ),
    "length": ("length(float2(x, y))", lambda x: np.hypot(x, pairs(x)), REAL),
    "vector exp": (
        "exp(half4(x)).x",
        lambda x: half(np.exp(half(x).astype(F))).astype(F),
        UNIT,
    ),
    "vector min": (
        "min(float4(x), float4(y)).y",
        lambda x: np.minimum(x, pairs(x)),
        REAL,
    ),
    "any": (
        "any(float2(x, y) > 1.0f) ? 1 : 0",
        lambda x: (x > 1) | (pairs(x) > 1),
        REAL,
    ),
    "all": (
        "all(float2(x, y) > 0.0f) ? 1 : 0",
        lambda x: (x > 0) & (pairs(x) > 0),
        REAL,
    ),
    "as_type": ("as_type<float>(as_type<uint>(x) ^ 0x80000000u)", lambda x: -x, REAL),
    "modf": ("modf(x, z) + z", lambda x: x, REAL),
    "frexp": ("frexp(x, e) * exp2(float(e))", lambda x: x, REAL),
    "vec": ("vec<float, 4>(x, y, x, y)[3]", pairs, REAL),
    "cast": (
        "2 * ((float4)int4(1, 2, 3, 4) + (float4)x).y",
        lambda x: 2 * (x + 2),
        REAL,
    ),
    "convert": ("float4(half4(int4(7, 8, 9, 10))).z + x", lambda x: x + 9, REAL),
    "simd_sum": ("simd_sum(x)", lambda x: every(lanes(x).sum(1)), UNIT),
    "simd_product": (
        "simd_product(1 + 0.01f * x)",
        lambda x: every((1 + F(0.01) * lanes(x)).prod(1)),
        UNIT,
    ),
    "simd_max": ("simd_max(x)", lambda x: every(lanes(x).max(1)), REAL),
    "simd_min": ("simd_min(x)", lambda x: every(lanes(x).min(1)), REAL),
    "simd_sum of some": (
        "i % 32 < 4 ? simd_sum(x) : 0",
        lambda x: np.where(LANES % 32 < 4, lanes(x)[:, :4].sum(1)[:, None], 0),
        UNIT,
    ),
    "simd_prefix_inclusive_sum": (
        "simd_prefix_inclusive_sum(x)",
        lambda x: lanes(x).cumsum(1),
        UNIT,
    ),
    "simd_prefix_exclusive_sum": (
        "simd_prefix_exclusive_sum(x)",
        lambda x: lanes(x).cumsum(1) - lanes(x),
        UNIT,
    ),
    "simd_shuffle": ("simd_shuffle(x, 31 - i % 32)", lambda x: lanes(x)[:, ::-1], REAL),
    "simd_shuffle_xor": ("simd_shuffle_xor(x, 5)", lambda x: x[LANES ^ 5], REAL),
    "simd_shuffle_down": (
        "simd_shuffle_down(x, 3)",
        lambda x: x[np.where(LANES % 32 < 29, LANES + 3, LANES) % 64],
        REAL,
    ),
    "simd_shuffle_up": (
        "simd_shuffle_up(x, 3)",
        lambda x: x[np.where(LANES % 32 >= 3, LANES - 3, LANES)],
        REAL,
    ),
    "simd_shuffle_rotate_down": (
        "simd_shuffle_rotate_down(x, 3)",
        lambda x: np.roll(lanes(x), -3, 1),
        REAL,
    ),
    "simd_broadcast": ("simd_broadcast(x, 7)", lambda x: every(lanes(x)[:, 7]), REAL),
    "simd_broadcast_first": (
        "simd_broadcast_first(x)",
        lambda x: every(lanes(x)[:, 0]),
        REAL,
    ),
    "simd vector": ("simd_sum(float4(x, 1, y, 2)).y", lambda x: 32 + 0 * x, REAL),
    "quad_sum": ("quad_sum(x)", lambda x: every(x.reshape(16, 4).sum(1)), UNIT),
    "quad_shuffle_xor": ("quad_shuffle_xor(x, 1)", lambda x: x[LANES ^ 1], REAL),
    "quad_broadcast": (
        "quad_broadcast(x, 2)",
        lambda x: every(x.reshape(16, 4)[:, 2]),
        REAL,
    ),
    "simd_any": ("simd_any(i == 40) ? 1 : 0", lambda x: LANES >= 32, REAL),
    "simd_all": ("simd_all(i != 40) ? 1 : 0", lambda x: LANES < 32, REAL),
    "simd_ballot": (
        "float((ulong)simd_ballot(i % 32 == 3))",
        lambda x: 8 + 0 * x,
        REAL,
    ),
    "simd_is_first": ("simd_is_first() ? 1 : 0", lambda x: LANES % 32 == 0, REAL),
}

INTEGERS = {
    "popcount": ("popcount(x)", lambda x: np.array([bin(b).count("1") for b in BITS])),
    "clz": ("clz(x)", lambda x: np.array([32 - int(b).bit_length() for b in BITS])),
    "ctz": (
        "ctz(x)",
        lambda x: np.array([(int(b) & -int(b)).bit_length() - 1 for b in BITS]),
    ),
    "clz of 0": ("clz(x - x)", lambda x: 32 + 0 * x),
    "reverse_bits": (
        "reverse_bits(x)",
        lambda x: (
            np.array([int(f"{b:032b}"[::-1], 2) for b in BITS]).astype("u4").view(I)
        ),
    ),
    "rotate": ("rotate(x, 5)", lambda x: (BITS << 5 | BITS >> 27).view(I)),
    "mulhi": ("mulhi(x, y)", lambda x: x.astype("i8") * pairs(x) >> 32),
    "mulhi of uint": (
        "int(mulhi(uint(x), uint(y)))",
        lambda x: (
            (BITS.astype("u8") * pairs(BITS) >> np.uint64(32)).astype("u4").view(I)
        ),
    ),
    "abs": ("abs(x)", np.abs),
    "min": ("min(x, y)", lambda x: np.minimum(x, pairs(x))),
    "clamp": ("clamp(x, -100, 100)", lambda x: np.clip(x, -100, 100)),
    "addsat": (
        "addsat(x, y)",
        lambda x: np.clip(x.astype("i8") + pairs(x), -(2**31), 2**31 - 1),
    ),
    "subsat": (
        "subsat(x, y)",
        lambda x: np.clip(x.astype("i8") - pairs(x), -(2**31), 2**31 - 1),
    ),
    "subsat of uint": (
        "int(subsat(uint(x), uint(y)))",
        lambda x: np.maximum(BITS.astype("i8") - pairs(BITS), 0).astype("u4").view(I),
    ),
    "hadd": ("hadd(x, y)", lambda x: x.astype("i8") + pairs(x) >> 1),
    "extract_bits": ("extract_bits(x, 4, 8)", lambda x: (x << 20) >> 24),
    "insert_bits": ("insert_bits(x, 5, 4, 3)", lambda x: (x & ~0x70) | 0x50),
    "wraps": (
        "x * 3 + 2147483647",
        lambda x: (x.astype("i8") * 3 + 2147483647).astype(I),
    ),
    "vector": (
        "(int4(x) + int4(1, 2, 3, 4)).w",
        lambda x: (x.astype("i8") + 4).astype(I),
    ),
    "uchar": ("int(uchar4(x & 255).z)", lambda x: x & 255),
    "long": (
        "int(ulong(uint(x)) * 3 >> 5)",
        lambda x: (
            (BITS.astype("u8") * np.uint64(3) >> np.uint64(5)).astype("u4").view(I)
        ),
    ),
    "simd_or": (
        "simd_or(x & 255)",
        lambda x: every(np.bitwise_or.reduce(lanes(x & 255), 1)),
    ),
    "simd_xor": ("simd_xor(x)", lambda x: every(np.bitwise_xor.reduce(lanes(x), 1))),
    "simd_prefix": (
        "simd_prefix_exclusive_sum(x & 15)",
        lambda x: lanes(x & 15).cumsum(1) - lanes(x & 15),
    ),
}

HEAD = "#include <metal_stdlib>\nusing namespace metal;\n"


KERNEL = """
kernel void k{n}(device const {scalar}* in [[buffer(0)]],
                 device {scalar}* out [[buffer(1)]],
                 uint i [[thread_position_in_grid]]) {{
  {scalar} x = in[i], y = in[(i + 63) % 64];
  {extra}
  out[i] = {expression};
}}"""


def kernels(rows, scalar, extra=""):
    return HEAD + "".join(
        KERNEL.format(n=n, scalar=scalar, extra=extra, expression=row[0])
        for n, row in enumerate(rows.values())
    )


@pytest.mark.parametrize("name", FLOATS)
def test_floats(name):
    source = kernels(FLOATS, "float", "float z; int e; (void)z; (void)e;")
    _, expected, x = FLOATS[name]
    kernel = f"k{list(FLOATS).index(name)}"
    _, out = run(source, 64, 64, x, np.zeros(64, F), name=kernel)
    np.testing.assert_allclose(out, np.ravel(expected(x)), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name", INTEGERS)
def test_integers(name):
    kernel = f"k{list(INTEGERS).index(name)}"
    source = kernels(INTEGERS, "int")
    _, out = run(source, 64, 64, WHOLE, np.zeros(64, I), name=kernel)
    np.testing.assert_array_equal(out, np.ravel(INTEGERS[name][1](WHOLE)))


@pytest.mark.parametrize("op, expected", [
    ("fetch_add", 64 * 3), ("fetch_sub", -64 * 3), ("fetch_max", 63), ("fetch_or", 63),
    ("fetch_xor", 0), ("fetch_min", 0), ("fetch_and", 0),
])  # fmt: skip
def test_atomics(op, expected):
    value = "3" if op in ("fetch_add", "fetch_sub") else "int(i)"
    source = f"""{HEAD}
    kernel void count(device atomic_int* n [[buffer(0)]],
                      uint i [[thread_position_in_grid]],
                      uint t [[thread_index_in_threadgroup]]) {{
      threadgroup atomic_int local;
      if (t == 0) atomic_store_explicit(&local, 0, memory_order_relaxed);
      threadgroup_barrier(mem_flags::mem_threadgroup);
      atomic_{op}_explicit(&local, {value}, memory_order_relaxed);
      atomic_{op}_explicit(&n[0], {value}, memory_order_relaxed);
      threadgroup_barrier(mem_flags::mem_threadgroup);
      int all = atomic_load_explicit(&local, memory_order_relaxed), old = 0;
      if (t == 0) atomic_fetch_add_explicit(&n[1], all, memory_order_relaxed);
      while (!atomic_compare_exchange_weak_explicit(
          &n[2], &old, old + 1, memory_order_relaxed, memory_order_relaxed)) {{}}
    }}"""
    (n,) = run(source, 64, 64, np.zeros(3, I))
    assert n.tolist() == [expected, expected, 64]


@pytest.mark.parametrize("scalar, dtype", [("float", "f4"), ("half", "f2")])
@pytest.mark.parametrize("transpose", [False, True])
def test_simdgroup_matrix(scalar, dtype, transpose):
    source = f"""{HEAD}
    kernel void multiply(device const {scalar}* a [[buffer(0)]],
                         device const {scalar}* b [[buffer(1)]],
                         device float* out [[buffer(2)]]) {{
      simdgroup_matrix<{scalar}, 8, 8> A, B;
      simdgroup_float8x8 C(1.0f), D;
      simdgroup_load(A, a, 10, ulong2(1, 0));
      simdgroup_load(B, b, 8, ulong2(0, 0), {str(transpose).lower()});
      simdgroup_multiply_accumulate(D, A, B, C);
      D.thread_elements()[0] *= 2;
      simdgroup_store(D, out, 8);
      simdgroup_multiply(D, A, B);
      simdgroup_store(D, out + 64, 8);
    }}"""
    a, b = RNG.normal(size=(8, 10)).astype(dtype), RNG.normal(size=(8, 8)).astype(dtype)
    given = [x if dtype == "f4" else x.tobytes() for x in (a, b)]  # no half tensors
    *_, out = run(source, 32, 32, *given, np.zeros((2, 8, 8), F))
    product = a[:, 1:9].astype(F) @ (b.T if transpose else b).astype(F)
    both = product + np.eye(8)
    both[:, ::2] *= 2
    np.testing.assert_allclose(out[0], both, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(out[1], product, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("order", ["forward", "reverse", 3])
def test_where_a_thread_is(order):
    source = f"""{HEAD}
    kernel void where(device int* out [[buffer(0)]],
                      uint3 p [[thread_position_in_grid]],
                      ushort3 l [[thread_position_in_threadgroup]],
                      uint2 g [[threadgroup_position_in_grid]],
                      uint3 size [[threads_per_threadgroup]],
                      uint3 whole [[dispatch_threads_per_threadgroup]],
                      uint3 grid [[threads_per_grid]],
                      uint3 groups [[threadgroups_per_grid]],
                      ushort t [[thread_index_in_threadgroup]],
                      uint lane [[thread_index_in_simdgroup]],
                      uint simd [[simdgroup_index_in_threadgroup]],
                      uint width [[threads_per_simdgroup]],
                      uint simds [[simdgroups_per_threadgroup]]) {{
      device int* o = out + ((p.z * grid.y + p.y) * grid.x + p.x) * 12;
      o[0] = p.x * 100 + p.y * 10 + p.z; o[1] = l.x * 100 + l.y * 10 + l.z;
      o[2] = g.x * 10 + g.y; o[3] = size.x * 100 + size.y * 10 + size.z;
      o[4] = whole.x * 10 + whole.y; o[5] = grid.x * 100 + grid.y * 10 + grid.z;
      o[6] = groups.x * 100 + groups.y * 10 + groups.z;
      o[7] = t; o[8] = lane; o[9] = simd; o[10] = width; o[11] = simds;
    }}"""
    (out,) = run(source, (9, 7, 2), (4, 3, 2), np.zeros((2, 7, 9, 12), I), order=order)
    for x, y, z in np.ndindex(9, 7, 2):
        w, h = min(4, 9 - x // 4 * 4), min(3, 7 - y // 3 * 3)
        t = (z * h + y % 3) * w + x % 4
        assert out[z, y, x].tolist() == [
            x * 100 + y * 10 + z, x % 4 * 100 + y % 3 * 10 + z, x // 4 * 10 + y // 3,
            w * 100 + h * 10 + 2, 43, 972, 331,
            t, t % 32, t // 32, 32, (w * h * 2 + 31) // 32,
        ]  # fmt: skip


def test_function_constants():
    source = f"""{HEAD}
    constant int n [[function_constant(0)]];
    constant bool twice = n > 2;
    constant float absent [[function_constant(7)]];
    constant float scale = is_function_constant_defined(absent) ? absent : 10.0f;
    kernel void fill(device float* out [[buffer(0)]],
                     uint i [[thread_position_in_grid]]) {{
      out[i] = n * (twice ? 2 : 1) * scale;
    }}"""
    for n, expected in ((2, 20), (3, 60)):
        (out,) = run(source, 4, 4, np.zeros(4, F), constants={0: n})
        assert out.tolist() == [expected] * 4
