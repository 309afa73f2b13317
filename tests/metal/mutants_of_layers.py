"""Faults in the kernels of larger layers: see mutants.py."""

from faults import BARRIER, OUTSIDE, RACE, UNWRITTEN, WRONG, Mutant

ROWS = [
    # ---- norms of channels
    Mutant(
        "the parameters of another channel",
        "channel_norm", "channel_norm.metal",
        "channel = runs.channel + run * runs.channel_step;", "channel = runs.channel;",
        WRONG,
    ),
    Mutant(
        "rows of a batch past the last",
        "channel_norm", "channel_norm.metal",
        "int n = row < shape.count ? shape.n : 0, steps", "int n = shape.n, steps",
        OUTSIDE,
    ),
    Mutant(
        "the moments of another group",
        "channel_norm", "channel_norm.metal",
        "    if (shape.groups) row = image", "    if (false) row = image",
        f"{WRONG}|{OUTSIDE}",
    ),
    Mutant(
        "runs of a channel that begin too early",
        "channel_norm", "channel_norm.metal",
        "r.step = s.channels * s.inner;", "r.step = s.inner;", f"{WRONG}|{RACE}",
    ),
    # ---- attention
    Mutant(
        "a key beyond the last",
        "attention", "attention.metal",
        "if (query >= s.queries || key >= s.keys || (causal",
        "if (query >= s.queries || (causal", f"{OUTSIDE}|{WRONG}",
    ),
    Mutant(
        "a query that looks ahead",
        "attention", "attention.metal", "key > query", "key > query + 1", WRONG,
    ),
    Mutant(
        "what was made is not scaled to the new peak",
        "attention", "attention.metal",
        "for (int e = 0; e < kEach; ++e) sums[e] *= less;", "", WRONG,
    ),
    Mutant(
        "weights used before they are there",
        "attention", "attention.metal",
        f"{BARRIER}  // and the weights\n", "\n", f"{RACE}|{UNWRITTEN}",
    ),
    Mutant(
        "the next queries while the last are used",
        "attention", "attention.metal",
        "      for (int e = 0; e < kEach && part + e * kShare < mine.width; ++e)\n"
        "        k_sums[e] += slope * q_tile[c * kLine + part + e * kShare];\n"
        f"    }}\n    {BARRIER}  // all used: the next may come",
        "      for (int e = 0; e < kEach && part + e * kShare < mine.width; ++e)\n"
        "        k_sums[e] += slope * q_tile[c * kLine + part + e * kShare];\n    }",
        RACE,
    ),
    Mutant(
        "a row written past the last",
        "attention", "attention.metal",
        "  if (row >= rows) return;\n  long at = long(group.y) * s.keys",
        "  long at = long(group.y) * s.keys", f"{OUTSIDE}|{RACE}|{WRONG}",
    ),
    Mutant(
        "a dropped weight that does not count in the divisor",
        "attention", "attention.metal",
        "total += prim::abs(weight);", "total += weight < 0.0f ? 0.0f : weight;", WRONG,
    ),
    Mutant(
        "four weights of one hash that are all its first word's",
        "attention", "attention.metal", "words.w[i % 4]", "words.w[0]", WRONG,
    ),
    Mutant(
        "a chunk of a wide head that is not the last loaded",
        "attention", "attention.metal",
        "(last + 1 + n) % count", "(last + n) % count", WRONG,
    ),
    Mutant(
        "the next chunk while the last is used",
        "attention", "attention.metal",
        "      Chunk c = chunk_of(n, s.width);\n"
        f"      if (n > 0) {BARRIER}  // the last chunk is used\n",
        "      Chunk c = chunk_of(n, s.width);\n", RACE,
    ),
    Mutant(
        "the gradient of a mask from one of its heads",
        "attention", "attention.metal",
        "if (s.dmask_batch[d] == 0) members *= uint(s.batch_shape[d]);", ";", WRONG,
    ),
    # ---- what meets in an element of a table
    Mutant(
        "a product that is a sum",
        "index", "index.metal",
        "if (kind == kIndexedMul) return math::mul(a, b);", "", WRONG,
    ),
    Mutant(
        "the largest for the smallest",
        "index", "index.metal",
        "if (kind == kIndexedMin) return math::minimum(a, b);",
        "if (kind == kIndexedMin) return math::maximum(a, b);", WRONG,
    ),
    Mutant(
        "each index of a run begins it",
        "index", "index.metal",
        " || (i > 0 && index[i - 1] == x)", "", f"{RACE}|{WRONG}",
    ),
    Mutant(
        "values of a run that are not in the indices' order",
        "index", "index.metal", "values[order[i] *", "values[i *", WRONG,
    ),
    # ---- resample, unfold and fold
    Mutant(
        "the weights of another element",
        "resample", "resample.metal",
        "long t = first[at]; t", "long t = first[at > 0 ? at - 1 : 0]; t", WRONG,
    ),
    Mutant(
        "rows of another plane",
        "resample", "resample.metal",
        "outer * s.n * s.inner + b", "outer * s.out_n * s.inner + b", WRONG,
    ),
    Mutant(
        "one weight too many",
        "resample", "resample.metal",
        "t < first[at + 1]", "t <= first[at + 1]", f"{WRONG}|{OUTSIDE}",
    ),
    Mutant(
        "a window that reads the padding",
        "unfold", "unfold.metal",
        "inside ? planes[from] : T(0)", "planes[from]", f"{OUTSIDE}|{WRONG}",
    ),
    Mutant(
        "places between the steps of a window",
        "unfold", "unfold.metal",
        "at * s.stride[d] == steps && ", "", f"{OUTSIDE}|{WRONG}",
    ),
    Mutant(
        "places past the last",
        "unfold", "unfold.metal", " && at < s.out[d]", "", f"{OUTSIDE}|{WRONG}",
    ),
    # ---- probe, search
    Mutant(
        "threads that walk over each other's vectors",
        "probe", "probe.metal",
        "at += shape.threads) to[at]", "at += 1) to[at]", RACE,
    ),
    Mutant(
        "a vector past the last",
        "probe", "probe.metal",
        "shape.n; at += shape.threads) sum", "shape.n + 1; at += shape.threads) sum",
        OUTSIDE,
    ),
    Mutant(
        "an addition for a multiply-add",
        "probe", "probe.metal",
        "fma(chain[c], shape.factor, shape.term)", "chain[c] + shape.term", WRONG,
    ),
]  # fmt: skip
