#include "core/threads.h"

#include <atomic>
#include <thread>

#include "core/error.h"
#include "test.h"

using namespace veem;

namespace {

// How often each index in [0, n) was visited.
std::vector<int> visits(int64_t n, int64_t grain) {
  std::vector<std::atomic<int>> counts(n);
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ++counts[i];
  });
  return {counts.begin(), counts.end()};
}

bool all_once(const std::vector<int>& counts) {
  for (int c : counts)
    if (c != 1) return false;
  return true;
}

}  // namespace

TEST("threads: every index is visited once, for any number of threads") {
  int before = num_threads();
  for (int threads : {1, 2, 3, 7}) {
    set_num_threads(threads);
    for (int64_t n : {0, 1, 5, 1000, 4096}) CHECK(all_once(visits(n, 16)));
  }
  set_num_threads(before);
  CHECK_RAISES(Value, "positive", set_num_threads(0));
}

TEST("threads: loops in loops and loops on several threads run to their ends") {
  std::atomic<int> done{0};
  parallel_for(64, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      parallel_for(10, 1, [&](int64_t b, int64_t e) { done += static_cast<int>(e - b); });
  });
  CHECK_EQUAL(done.load(), 640);

  std::vector<std::thread> callers;
  std::atomic<int> good{0};
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) good += all_once(visits(1000, 10));
    });
  for (auto& c : callers) c.join();
  CHECK_EQUAL(good.load(), 200);
}

TEST("threads: an error in a body ends the loop and reaches the caller") {
  for (int64_t bad : {0, 500, 999}) {
    auto body = [&](int64_t begin, int64_t end) {
      VEEM_CHECK_AS(Memory, bad < begin || bad >= end, "body", "none left");
    };
    CHECK_RAISES(Memory, "none left", parallel_for(1000, 10, body));
  }
  CHECK(all_once(visits(1000, 10)));
}
