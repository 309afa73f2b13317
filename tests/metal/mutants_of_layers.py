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
]  # fmt: skip
