// Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3",
// 2011): the random words of every device but the CPU. It has no state that is handed on: words
// 4 c to 4 c + 3 of the stream of a seed are a hash of (seed, c), so every thread makes its own.
// One text for host and GPU, as the two must agree. Included inside the includer's namespace.
//
// A draw of n numbers starts at the generator's offset, a count of hashes, and moves it on by as
// many as it used:
//   numbers from 32 bits:  number i takes word i % 4 of hash offset + i / 4
//   numbers from 64 bits:  number i takes words 2 (i % 2), the high one, and 2 (i % 2) + 1 of
//                          hash offset + i / 2
//   normal numbers:        2 i and 2 i + 1 are made of the words that would be theirs
// where i counts elements in the order in which they lie in memory.
#pragma once

struct Words {
  unsigned w[4];
};

// Ten rounds over a counter of 128 bits, with a key of 64: two multiplications of 32 by 32 bits
// each, whose halves change places.
static inline Words philox(Words counter, unsigned key0, unsigned key1) {
  unsigned a = counter.w[0], b = counter.w[1], c = counter.w[2], d = counter.w[3];
  for (int round = 0; round < 10; ++round) {
    unsigned long p = 0xd2511f53ul * a, q = 0xcd9e8d57ul * c;
    a = static_cast<unsigned>(q >> 32) ^ b ^ key0;
    b = static_cast<unsigned>(q);
    c = static_cast<unsigned>(p >> 32) ^ d ^ key1;
    d = static_cast<unsigned>(p);
    key0 += 0x9e3779b9u;  // the golden ratio
    key1 += 0xbb67ae85u;  // sqrt(3) - 1
  }
  Words out;
  out.w[0] = a;
  out.w[1] = b;
  out.w[2] = c;
  out.w[3] = d;
  return out;
}

// Words 4 at ... 4 at + 3 of a seed's stream.
static inline Words philox_words(unsigned long seed, unsigned long at) {
  Words counter;
  counter.w[0] = static_cast<unsigned>(at);
  counter.w[1] = static_cast<unsigned>(at >> 32);
  counter.w[2] = counter.w[3] = 0;
  return philox(counter, static_cast<unsigned>(seed), static_cast<unsigned>(seed >> 32));
}

static inline unsigned long word64(unsigned high, unsigned low) {
  return static_cast<unsigned long>(high) << 32 | low;
}
