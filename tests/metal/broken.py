"""Kernels with one fault each: what the simulator says of it, and the repair.

The faulty line ends in `// here`; `old` becomes `new` in the repaired twin. A kernel
runs with 64 threads in groups of `group` on `in`, 64 floats, and `out`, `size` floats.
"""

from typing import NamedTuple


class Broken(NamedTuple):
    name: str
    body: str
    old: str
    new: str
    says: str  # a regular expression
    group: int = 64
    size: int = 64
    out: str = "device float* out"


HEAD = """#include <metal_stdlib>
using namespace metal;

kernel void broken(device const float* in [[buffer(0)]],
                   {out} [[buffer(1)]],
                   uint i [[thread_position_in_grid]],
                   uint t [[thread_position_in_threadgroup]],
                   uint g [[threadgroup_position_in_grid]],
                   uint lane [[thread_index_in_simdgroup]],
                   uint simd [[simdgroup_index_in_threadgroup]]) {{
"""


def source(row, repaired=False):
    assert row.body.count(row.old) == 1, f"{row.name}: what to repair stands there once"
    body = row.body.replace(row.old, row.new) if repaired else row.body
    return HEAD.format(out=row.out) + body + "}\n"


def line(row):
    """The number of the faulty line."""
    lines = source(row).splitlines()
    (number,) = [i for i, text in enumerate(lines, 1) if text.endswith("// here")]
    return number


ROWS = [
    Broken(
        "read past the end",
        "  out[i] = in[i + 1];  // here\n",
        "in[i + 1]",
        "in[min(i + 1, 63u)]",
        r"out of bounds: reads 4 bytes at byte 256 of \[\[buffer\(0\)\]\] in.* has 256"
        r" bytes(.|\n)*thread \(63, 0, 0\)",
    ),
    Broken(
        "write past the end",
        "  out[i] = in[i];  // here\n",
        "  out[i]",
        "  if (i < 60) out[i]",
        r"out of bounds: writes 4 bytes at byte 240 of \[\[buffer\(1\)\]\] out.* has "
        r"240 bytes(.|\n)*thread \(60, 0, 0\)",
        size=60,
    ),
    Broken(
        "read before the start",
        "  out[i] = in[int(i) - 1];  // here\n",
        "in[int(i) - 1]",
        "in[max(int(i) - 1, 0)]",
        r"byte -4 of \[\[buffer\(0\)\]\](.|\n)*thread \(0, 0, 0\)",
    ),
    Broken(
        "an address far away",
        "  out[i] = in[ulong(i) << 40];  // here\n",
        "ulong(i) << 40",
        "ulong(i) << 0",
        r"out of bounds: reads 4 bytes at an address near nothing that is bound"
        r"(.|\n)*thread \(1, 0, 0\)",
    ),
    Broken(
        "threadgroup array out of bounds",
        """  threadgroup float tile[32];
  threadgroup float* p = tile;
  p[t] = in[i];  // here
  out[i] = p[t];
""",
        "tile[32]",
        "tile[64]",
        r"writes 4 bytes at byte 128 of threadgroup variable tile.* has 128 bytes"
        r"(.|\n)*thread \(32, 0, 0\)",
    ),
    Broken(
        "private array out of bounds",
        """  float mine[4];
  for (uint k = 0; k <= t % 5; ++k)
    mine[k] = in[k];  // here
  out[i] = mine[t % 4];
""",
        "t % 5",
        "3",
        r"an index outside of its array(.|\n)*thread \(4, 0, 0\)",
    ),
    Broken(
        "half of a vector past the end",
        "  device float4* v = reinterpret_cast<device float4*>(out);\n"
        "  if (t < 15) v[t] = float4(in[i]);  // here\n",
        "t < 15",
        "t < 14",
        r"writes 16 bytes at byte 224 of \[\[buffer\(1\)\]\] out.* has 232 bytes",
        size=58,
    ),
    Broken(
        "misaligned vector",
        "  device float4* v = reinterpret_cast<device float4*>(out + 1);\n"
        "  if (t < 8) v[t] = float4(in[i]);  // here\n",
        "out + 1",
        "out + 4",
        r"misaligned: writes 16 bytes at byte 4 of",
    ),
    Broken(
        "no barrier",
        """  threadgroup float tile[64];
  tile[t] = in[i];
  threadgroup_barrier(mem_flags::mem_none);
  out[i] = tile[63 - t];  // here
""",
        "mem_none",
        "mem_threadgroup",
        r"data race: reads byte 252 of threadgroup variable tile.* which thread "
        r"\(63, 0, 0\) of the grid has written at kernel.metal:12: the barrier between "
        r"them does not have mem_flags::mem_threadgroup(.|\n)*thread \(0, 0, 0\)",
    ),
    Broken(
        "a race between writers",
        "  out[t / 2] = in[i];  // here\n",
        "t / 2",
        "t",
        r"data race: writes byte 0 of \[\[buffer\(1\)\]\] out.* thread \(0, 0, 0\) of "
        r"the grid has written at kernel.metal:11: no barrier between them(.|\n)*"
        r"thread \(1, 0, 0\)",
    ),
    Broken(
        "a write after another thread's read",
        """  threadgroup float tile[64];
  tile[t] = in[i];
  threadgroup_barrier(mem_flags::mem_threadgroup);
  float neighbour = tile[(t + 1) % 64];
  tile[t] = neighbour;  // here
  out[i] = tile[t];
""",
        "  tile[t] = neighbour;",
        "  threadgroup_barrier(mem_flags::mem_threadgroup); tile[t] = neighbour;",
        r"data race: writes byte 4 of threadgroup variable tile.* thread \(0, 0, 0\) of"
        r" the grid has read at kernel.metal:14",
    ),
    Broken(
        "mem_flags of the wrong memory",
        """  out[i] = in[i];
  threadgroup_barrier(mem_flags::mem_threadgroup);
  float x = out[63 - i];  // here
  threadgroup_barrier(mem_flags::mem_device);
  out[i] = x;
""",
        "mem_flags::mem_threadgroup",
        "mem_flags::mem_device",
        r"data race: reads .* barrier between them does not have mem_flags::mem_device",
    ),
    Broken(
        "between threadgroups",
        """  if (g == 0) out[i] = in[i];
  threadgroup_barrier(mem_flags::mem_device);
  if (g == 1) out[i] = out[i - 32];  // here
""",
        "out[i - 32]",
        "in[i - 32]",
        r"data race: reads byte 0 of .* which thread 0 of threadgroup \(0, 0, 0\) has "
        r"written at kernel.metal:11: threadgroups run in any order(.|\n)*"
        r"\(0, 0, 0\) of threadgroup \(1, 0, 0\)",
        group=32,
    ),
    Broken(
        "between SIMD-groups",
        """  threadgroup float tile[64];
  tile[t] = in[i];
  simdgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = tile[t ^ 32];  // here
""",
        "t ^ 32",
        "t ^ 16",
        r"data race: reads byte 128 of threadgroup variable tile",
    ),
    Broken(
        "within a SIMD-group",
        """  threadgroup float tile[64];
  tile[t] = in[i];
  out[i] = tile[t ^ 1];  // here
""",
        "  tile[t] = in[i];",
        "  tile[t] = in[i]; simdgroup_barrier(mem_flags::mem_threadgroup);",
        r"data race|uninitialised",
    ),
    Broken(
        "+= for an atomic",
        """  device float* sum = reinterpret_cast<device float*>(out);
  sum[0] += in[i];  // here
""",
        "  sum[0] += in[i];",
        "  atomic_fetch_add_explicit(out, in[i], memory_order_relaxed);",
        r"data race: reads byte 0 of \[\[buffer\(1\)\]\] out",
        out="device atomic_float* out",
    ),
    Broken(
        "a plain read beside atomics",
        """  atomic_fetch_add_explicit(out, 1.0f, memory_order_relaxed);
  float sum = *reinterpret_cast<device float*>(out);  // here
  if (sum < 0) atomic_store_explicit(out, 0.0f, memory_order_relaxed);
""",
        "*reinterpret_cast<device float*>(out)",
        "atomic_load_explicit(out, memory_order_relaxed)",
        r"data race: (reads|accesses atomically) byte 0 of .* has (accessed|read)",
        out="device atomic_float* out",
    ),
    Broken(
        "a return before a barrier",
        """  threadgroup float tile[64];
  if (t >= 60) return;
  tile[t] = in[i];
  threadgroup_barrier(mem_flags::mem_threadgroup);  // here
  out[i] = tile[t];
""",
        "if (t >= 60) return",
        "",
        r"divergent barrier: thread \(0, 0, 0\) of the grid waits at "
        r"threadgroup_barrier, while thread \(60, 0, 0\) of the grid has returned",
    ),
    Broken(
        "a barrier in a branch",
        """  if (t < 32) {
    threadgroup_barrier(mem_flags::mem_device);  // here
    out[i] = in[i];
  } else {
    threadgroup_barrier(mem_flags::mem_device);
    out[i] = -in[i];
  }
""",
        "if (t < 32)",
        "if (g < 32)",
        r"divergent barrier: thread \(0, 0, 0\).* while thread \(32, 0, 0\) of the grid"
        r" waits at kernel.metal:15",
    ),
    Broken(
        "a SIMD-group's barrier in a branch",
        """  if (lane < 7)
    simdgroup_barrier(mem_flags::mem_none);  // here
  out[i] = in[i];
""",
        "lane < 7",
        "simd < 1",
        r"divergent barrier: .* waits at simdgroup_barrier, while thread \(7, 0, 0\)",
    ),
    Broken(
        "uninitialised threadgroup memory",
        """  threadgroup float tile[64];
  if (t != 9) tile[t] = in[i];
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = tile[63 - t];  // here
""",
        "if (t != 9) ",
        "",
        r"uninitialised: reads 4 bytes at byte 36 of threadgroup variable tile(.|\n)*"
        r"thread \(54, 0, 0\)",
    ),
    Broken(
        "uninitialised sum",
        """  threadgroup atomic_int count;
  if (t == 99) atomic_store_explicit(&count, 0, memory_order_relaxed);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);  // here
  out[i] = in[i];
""",
        "t == 99",
        "t == 9",
        r"uninitialised: reads 4 bytes at byte 0 of threadgroup variable count",
    ),
    Broken(
        "uninitialised by this threadgroup",
        """  threadgroup float tile[32];
  if (g == 0) tile[t] = in[i];
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = tile[t];  // here
""",
        "if (g == 0) ",
        "",
        r"uninitialised(.|\n)*\(0, 0, 0\) of threadgroup \(1, 0, 0\)",
        group=32,
    ),
    Broken(
        "a shuffle from a lane that is not there",
        """  if (lane < 16)
    out[i] = simd_shuffle(in[i], 20);  // here
""",
        "simd_shuffle(in[i], 20)",
        "simd_shuffle(in[i], 10)",
        r"a value of a lane that is not active",
    ),
    Broken(
        "a matrix in part of a SIMD-group",
        """  simdgroup_float8x8 m;
  if (lane < 16)
    simdgroup_load(m, in, 8);  // here
  out[i] = in[i];
""",
        "lane < 16",
        "simd == 0",
        r"a simdgroup_matrix used by only some lanes",
    ),
    Broken(
        "division by zero",
        "  out[i] = in[64 / i % 64];  // here\n",
        "64 / i",
        "64 / (i + 1)",
        r"an integer divided by zero(.|\n)*thread \(0, 0, 0\)",
    ),
    Broken(
        "waiting for nobody",
        """  threadgroup atomic_int flag;
  if (t == 0) atomic_store_explicit(&flag, 0, memory_order_relaxed);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  if (t == 1) atomic_store_explicit(&flag, 1, memory_order_relaxed);
  while (atomic_load_explicit(&flag, memory_order_relaxed) < 2) {}  // here
  out[i] = in[i];
""",
        "< 2",
        "< 1",
        r"an endless loop: it waits for a value that nobody writes",
    ),
    Broken(
        "too much threadgroup memory",
        """  threadgroup float tile[9000];  // here
  tile[t] = in[i];
  out[i] = tile[t];
""",
        "9000",
        "8000",
        r"threadgroup memory is over 32768 bytes",
    ),
    Broken(
        "private array far out of bounds",
        """  float mine[4] = {1, 2, 3, 4};
  int far = int(in[0]) + (t == 5 ? 1 << 28 : 0);
  thread float* p = mine;
  out[i] = p[far];  // here
""",
        "1 << 28",
        "1",
        r"(.|\n)*thread \(5, 0, 0\)",
    ),
    Broken(
        "division without a result",
        """  int low = int(in[0]) - 2147483647 - 1, by = t == 5 ? -1 : 1;
  out[i] = float(low / by);  // here
""",
        "-1",
        "3",
        r"an integer division that has no result(.|\n)*thread \(5, 0, 0\)",
    ),
]
