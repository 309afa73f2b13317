#include <cstdint>

#include "test.h"

namespace {
#include "kernels/philox.h"
}

// Random123's known answers.
TEST("philox: known answers") {
  struct Known {
    unsigned counter[4], key[2], answer[4];
  };
  const Known all[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}},
      {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}},
      {{0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u},
       {0xa4093822u, 0x299f31d0u},
       {0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}}};
  for (const Known& k : all) {
    Words counter{{k.counter[0], k.counter[1], k.counter[2], k.counter[3]}};
    Words got = philox(counter, k.key[0], k.key[1]);
    for (int i = 0; i < 4; ++i) CHECK_EQUAL(got.w[i], k.answer[i]);
  }
  CHECK_EQUAL(philox_words(0, 0).w[0], 0x6627e8d5u);
  CHECK(philox_words(1ul << 32, 0).w[0] != philox_words(0, 0).w[0]);
  CHECK(philox_words(0, 1ul << 32).w[0] != philox_words(0, 0).w[0]);
}
