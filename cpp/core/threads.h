// A pool of threads for loops. How work is cut into pieces never depends on how many threads
// there are, so neither do results.
#pragma once

#include <cstdint>

namespace veem {

int num_threads();
void set_num_threads(int n);  // ValueError unless n >= 1

// Calls body(context, begin, end) on parts of [0, n) that are at least `grain` long, on several
// threads at once; the caller is one of them. Nested calls and calls from a second thread while
// the pool is busy run alone. What a body throws is thrown here, once all have stopped. Names no
// std:: type, so that code compiled for several instruction sets can call it.
using LoopBody = void (*)(void* context, int64_t begin, int64_t end);
void parallel_for_raw(int64_t n, int64_t grain, LoopBody body, void* context);

// Around work during which other threads may fork: a fork waits for its end, so that the child
// finds no lock held and nothing half done.
void begin_work();
void end_work();

template <class F>
static inline void parallel_for(int64_t n, int64_t grain, const F& f) {
  struct Call {
    static void body(void* context, int64_t begin, int64_t end) {
      (*static_cast<const F*>(context))(begin, end);
    }
  };
  if (n > grain) parallel_for_raw(n, grain, Call::body, const_cast<F*>(&f));
  else if (n > 0) f(int64_t{0}, n);
}

}  // namespace veem
