"""Faults to put into veem's own kernels (test_mutants.py): a row replaces a text of a
kernel's file that stands there once, so it has to follow when the kernel changes."""

from faults import BARRIER, DIVERGED, OUTSIDE, RACE, UNWRITTEN, WRONG, Mutant
from mutants_of_layers import ROWS as OF_LAYERS

ROWS = [
    *OF_LAYERS,
    # ---- barriers
    Mutant(
        "no barrier before SIMD-groups read each other's folds",
        "softmax", "fold.h",
        f"shared[tile.id / kExchange] = x;\n    {BARRIER}",
        "shared[tile.id / kExchange] = x;",
        f"{RACE}|{UNWRITTEN}",
    ),
    Mutant(
        "no barrier after a fold, whose memory is used again",
        "softmax", "fold.h",
        f"  {BARRIER}\n  return x;", "  return x;", RACE,
    ),
    Mutant(
        "no barrier between the steps of a tree",
        "softmax", "fold.h",
        f"width > 0; width /= 2) {{\n      {BARRIER}", "width > 0; width /= 2) {",
        f"{RACE}|{UNWRITTEN}",
    ),
    Mutant(
        "no barrier after a tree",
        "reduce", "fold.h",
        f"    {BARRIER}\n    x = shared[tile.id - tile.lane * step];",
        "    x = shared[tile.id - tile.lane * step];", RACE,
    ),
    Mutant(
        "a barrier for the other memory",
        "reduce", "fold.h",
        f"{BARRIER}\n      if (tile.lane < width)",
        "threadgroup_barrier(mem_flags::mem_device);\n      if (tile.lane < width)",
        f"{RACE}.*does not have mem_flags::mem_threadgroup",
    ),
    Mutant(
        "tiles used before they are there",
        "matmul", "matmul.metal",
        f"{BARRIER}  // the tiles are there\n    for (int q", "for (int q",
        f"{RACE}|{UNWRITTEN}",
    ),
    Mutant(
        "tiles filled while they are used",
        "matmul", "matmul.metal",
        f"{BARRIER}  // and used: the next may come\n  }}\n  long row", "}\n  long row",
        RACE,
    ),
    Mutant(
        "a barrier that orders no memory",
        "matmul", "matmul.metal",
        f"{BARRIER}  // the tiles are there\n    tile.multiply",
        "threadgroup_barrier(mem_flags::mem_none); tile.multiply",
        f"{RACE}.*does not have mem_flags::mem_threadgroup",
    ),
    Mutant(
        "sums stored while the SIMD-group still reads the last ones",
        "matmul", "tiles.h",
        "      simdgroup_barrier(mem_flags::mem_threadgroup);\n    }\n  }",
        "    }\n  }", RACE,
    ),
    Mutant(
        "a SIMD-group's barrier where a threadgroup's is wanted",
        "matmul", "matmul.metal",
        f"found[thread_at.y][thread_at.x] = sum;\n  {BARRIER}",
        "found[thread_at.y][thread_at.x] = sum;\n"
        "  simdgroup_barrier(mem_flags::mem_threadgroup);",
        f"{RACE}|{UNWRITTEN}",
    ),
    Mutant(
        "a return before a barrier",
        "softmax", "softmax.metal",
        "  float x[kHeld], peak = -INFINITY, sum = 0.0f;",
        "  if (!row.exists) return;\n  float x[kHeld], peak = -INFINITY, sum = 0.0f;",
        f"{DIVERGED}.*has returned",
    ),
    Mutant(
        "a fold that only some threads come to",
        "loss", "loss.metal",
        "  if (smooth) {\n    for (long i = tile.lane; i < n;",
        "  if (smooth && exists && tile.lane) {\n    for (long i = tile.lane; i < n;",
        f"{DIVERGED}|{WRONG}|not active",
    ),
    # ---- bounds
    Mutant(
        "no guard for rows past the last",
        "softmax", "softmax.metal",
        "r.exists = row < shape.count;", "r.exists = true;", OUTSIDE,
    ),
    Mutant(
        "no guard for elements past the last",
        "softmax", "softmax.metal",
        "x[j] = i < row.n ? float(in[row.first + i * row.step]) : -INFINITY;",
        "x[j] = float(in[row.first + i * row.step]);", f"{OUTSIDE}|{WRONG}",
    ),
    Mutant(
        "no guard for kept elements past the last",
        "reduce", "reduce.metal",
        "  T total = Chosen::identity<T>(), error = T(0);\n  if (kept < shape.count) {",
        "  T total = Chosen::identity<T>(), error = T(0);\n  {", OUTSIDE,
    ),
    Mutant(
        "a loop one too long",
        "matmul", "matmul.metal",
        "p < s.k; ++p) sum +=", "p <= s.k; ++p) sum +=",
        f"{OUTSIDE}|{WRONG}",
    ),
    Mutant(
        "a tile one line too deep",
        "matmul", "matmul.metal",
        "for (int q = 0; q < kSide; ++q)", "for (int q = 0; q <= kSide; ++q)",
        f"an index outside of its array|{UNWRITTEN}",
    ),
    Mutant(
        "a row more than there is",
        "matmul", "matmul.metal",
        "if (column >= s.n || row >= s.m) return;",
        "if (column >= s.n || row > s.m) return;", OUTSIDE,
    ),
    Mutant(
        "a column more than there is",
        "matmul", "matmul.metal",
        "if (row < s.m && column < s.n)", "if (row < s.m && column <= s.n)",
        f"{RACE}|{OUTSIDE}",
    ),
    Mutant(
        "no guard at the edge of the matrix",
        "matmul", "matmul.metal",
        "i < outer_left && inner < inner_left ? float(*at) : 0.0f", "float(*at)",
        f"{OUTSIDE}|{WRONG}",
    ),
    Mutant(
        "a window over the edge of the plane",
        "pool", "windows.h",
        "  w.end = min(w.end, s.in[d]);\n", "", f"{OUTSIDE}|{WRONG}",
    ),
    Mutant(
        "padding forgotten",
        "pool", "windows.h",
        "  if (w.begin < 0) w.begin +=", "  if (false) w.begin +=",
        f"{OUTSIDE}|{WRONG}",
    ),
    Mutant(
        "an ignored target used as an index",
        "loss", "loss.metal",
        "if (t != shape.ignore) {\n    bool bad",
        "if (true) {\n    bool bad", f"{OUTSIDE}|{WRONG}",
    ),
    # ---- indices and numbers
    Mutant(
        "the wrong stride",
        "matmul", "matmul.metal",
        "a[p * s.a_col]) * S(w[p * s.w_row])",
        "a[p * s.a_col]) * S(w[p * s.w_col])", f"{WRONG}|{OUTSIDE}",
    ),
    Mutant(
        "a product without its activation",
        "matmul", "matmul.metal", "*to = T(activate(sum));", "*to = T(sum);", WRONG,
    ),
    Mutant(
        "an activation before the bias",
        "matmul", "matmul.metal",
        "if (s.has_bias) sum += S(bias[column * s.bias_step]);",
        "sum = activate(sum); if (s.has_bias) sum += S(bias[column * s.bias_step]);",
        WRONG,
    ),
    Mutant(
        "the activation of another number",
        "matmul", "matmul.metal",
        "case kActivationRelu: return math::relu(x);",
        "case kActivationRelu: return math::silu(x);", WRONG,
    ),
    Mutant(
        "indices swapped",
        "matmul", "matmul.metal",
        "a_tile[y][q] * w_tile[q][x]", "a_tile[q][y] * w_tile[q][x]", WRONG,
    ),
    Mutant(
        "a matrix read transposed",
        "matmul", "tiles.h",
        "                       !a_k_inner);",
        "                       a_k_inner);", WRONG,
    ),
    Mutant(
        "a tile's padding forgotten in one place",
        "matmul", "tiles.h",
        "return k_inner ? i * (kDepth + kPad) + p", "return k_inner ? i * kDepth + p",
        f"{WRONG}|{UNWRITTEN}",
    ),
    Mutant(
        "a sum that is not scaled when the maximum rises",
        "softmax", "softmax.metal",
        "    sum *= prim::exp(peak - top);\n", "", WRONG,
    ),
    Mutant(
        "the wrong identity",
        "reduce", "fold.h",
        "template <> inline float lowest<float>() { return -INFINITY; }",
        "template <> inline float lowest<float>() { return 10.0f; }", WRONG,
    ),
    Mutant(
        "two results in one place",
        "softmax", "softmax.metal",
        "out[at] = T(logarithm ? y - by : y * by);",
        "out[at / 2] = T(logarithm ? y - by : y * by);", RACE,
    ),
    Mutant(
        "every lane of a row writes its mean",
        "norm", "norm.metal",
        "T(y);\n  }\n  if (tile.lane > 0 || row >= shape.count) return;",
        "T(y);\n  }\n  if (row >= shape.count) return;", RACE,
    ),
    Mutant(
        "threads add to one element without an atomic",
        "optim", "optim.metal",
        "  mean[i] = T(m);", "  mean[i] = T(m);\n  mean[0] += T(0);", RACE,
    ),
    Mutant(
        "a variance without its square",
        "norm", "norm.metal",
        "    sum += d * d;", "    sum += d;", WRONG,
    ),
    Mutant(
        "uninitialised tile",
        "matmul", "matmul.metal",
        "    w_tile[w_p][w_j] = j < s.n && wp < s.k ?",
        "    if (j < s.n) w_tile[w_p][w_j] = wp < s.k ?", UNWRITTEN,
    ),
    # ---- elementwise and convolutions
    Mutant(
        "no guard for elements past the last of an op",
        "elementwise", "elementwise.metal",
        "  if (i >= s.n) return;\n", "", OUTSIDE,
    ),
    Mutant(
        "the stride of another operand",
        "elementwise", "elementwise.metal",
        "index * s.in_strides[1][d]", "index * s.in_strides[0][d]", WRONG,
    ),
    Mutant(
        "swapped operands",
        "elementwise", "elementwise.metal",
        "math::name<T>(a, b)\n", "math::name<T>(b, a)\n", WRONG,
    ),
    Mutant(
        "all operands taken for flat",
        "elementwise", "elementwise.metal", "if (!flat) at =", "if (false) at =", WRONG,
    ),
    Mutant(
        "a convolution's window over the edge",
        "conv", "conv.metal",
        "at.x >= 0 && at.x < s.width;", "at.x >= 0;", f"{WRONG}|{OUTSIDE}",
    ),
    Mutant(
        "a table of places replaced while it is read",
        "conv", "conv.metal",
        f"{BARRIER}  // the tiles are there, the table is free", "",
        f"{RACE}|{UNWRITTEN}",
    ),
    Mutant(
        "filters past the last",
        "conv", "conv.metal",
        "if (at < 0 || top + r >= s->m) return;", "if (at < 0) return;",
        f"{OUTSIDE}|{RACE}",
    ),
    Mutant(
        "the bias of another filter",
        "conv", "conv.metal", "bias[top + r]", "bias[top]", WRONG,
    ),
    # ---- what MSL does not have
    Mutant(
        "double",
        "norm", "norm.metal",
        "  float xs[kHeld], sum = 0.0f;", "  double sum = 0; float xs[kHeld];",
        r"norm\.metal:\d+: error: MSL has no double",
    ),
    Mutant(
        "a parameter without an attribute",
        "pool", "pool.metal",
        "device long* index [[buffer(2)]]", "device long* index",
        r"pool\.metal:\d+: error: index of kernel max_pool has no attribute",
    ),
    Mutant(
        "a pointer into the wrong memory",
        "softmax", "fold.h",
        "inline T fold(T x, Tile tile, threadgroup T* shared) {",
        "inline T fold(T x, Tile tile, device T* shared) {",
        "error: no matching function",
    ),
    Mutant(
        "a write to what is constant",
        "optim", "optim.metal",
        "  param[i] = T(p - step.lr * d);", "  step.lr = 0;", r"error: .*const",
    ),
    Mutant(
        "a function that MSL does not have",
        "softmax", "softmax.metal",
        "float d = x[j] - peak, e = prim::exp(d);",
        "float d = x[j] - peak, e = expf(d);",
        "error: use of undeclared identifier 'expf'",
    ),
    Mutant(
        "two parameters trade places",
        "softmax", "softmax.metal",
        "device const T* y [[buffer(1)]]", "device const T* y [[buffer(2)]]",
        f"buffer|{WRONG}",
    ),
    Mutant(
        "a SIMD-group's matrix in part of its lanes",
        "matmul", "tiles.h",
        "for (int p = 0; p < kDepth; p += 8) {",
        "for (int p = 0; p < kDepth && me.lane < 31; p += 8) {",
        "a simdgroup_matrix used by only some lanes",
    ),
    # ---- copies and indices
    Mutant(
        "a tile written before it is read",
        "copy", "copy.metal",
        f"  {BARRIER}\n", "", f"{RACE}|{UNWRITTEN}",
    ),
    Mutant(
        "a tile read past the edge of its plane",
        "copy", "copy.metal",
        "if (r < rows && c < columns) tile[c][r]", "if (r < rows) tile[c][r]",
        f"{OUTSIDE}|{WRONG}",
    ),
    Mutant(
        "a tile written past the edge of its plane",
        "copy", "copy.metal",
        "if (r < rows && c < columns) to[", "if (c < columns) to[",
        f"{OUTSIDE}|{RACE}|{UNWRITTEN}",
    ),
    Mutant(
        "16 bytes where fewer are left",
        "copy", "copy.metal",
        "if (i + 16 <= s.count)", "if (i < s.count)", OUTSIDE,
    ),
    Mutant(
        "a negative index taken as it is",
        "index", "index.metal",
        "if (x < 0) x += size;", "", f"{OUTSIDE}|{WRONG}",
    ),
    Mutant(
        "every part of the table does all the indices",
        "index", "index.metal",
        "uint(s.parts - 1)) != thread_at.z) mine = false", "0u) != 0) mine = false",
        RACE,
    ),
    Mutant(
        "indices shared out between threads of one element",
        "index", "index.metal",
        "(uint(ulong(x)) & uint", "(uint(j) & uint", RACE,
    ),
    Mutant(
        "sums of counts read while they change",
        "index", "index.metal",
        f"    {BARRIER}  // all have read\n", "", RACE,
    ),
    Mutant(
        "a block counted past its end",
        "index", "index.metal",
        "if (i < s.count && in[i] != 0) ++count;", "if (in[i] != 0) ++count;", OUTSIDE,
    ),
    # ---- random numbers
    Mutant(
        "numbers past the last",
        "random", "random.metal",
        "    if (i >= shape.n) return;\n", "", OUTSIDE,
    ),
    Mutant(
        "a round of the hash left out",
        "random", "../../kernels/philox.h",
        "round < 10", "round < 9", WRONG,
    ),
    Mutant(
        "all threads hash one counter",
        "random", "random.metal",
        "shape.offset + thread_index);\n  int each", "shape.offset);\n  int each",
        WRONG,
    ),
    Mutant(
        "no barrier before the sums of others are read",
        "random", "random.metal",
        f"totals[lane] = sum;\n  {BARRIER}", "totals[lane] = sum;",
        f"{RACE}|{UNWRITTEN}",
    ),
    Mutant(
        "a piece past the row's end",
        "random", "random.metal",
        "  if (end > shape.categories) end = shape.categories;\n", "",
        f"{OUTSIDE}|{RACE}|{WRONG}",
    ),
]  # fmt: skip
