#include "core/threads.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"

namespace veem {

namespace {

// Workers look for work this many times before they sleep: the kernels of a training step follow
// each other within microseconds, and waking a thread costs about as much as a small kernel.
constexpr int kSpins = 2000;

int default_threads() {
  if (const char* text = std::getenv("VEEM_NUM_THREADS"))
    if (int n = std::atoi(text); n >= 1) return n;
  return std::max(1u, std::thread::hardware_concurrency());
}

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

class Pool {
 public:
  explicit Pool(int threads) : threads_(threads) {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
  }
  ~Pool() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    for (auto& w : workers_) w.join();
  }
  int threads() const { return threads_; }

  void run(int64_t n, int64_t grain, LoopBody body, void* context) {
    // A few pieces a thread, so that one that starts late or is interrupted does fewer.
    int64_t pieces = std::min<int64_t>((n + grain - 1) / grain, threads_ * 4);
    step_ = (n + pieces - 1) / pieces;
    n_ = n;
    body_ = body;
    context_ = context;
    next_.store(0, std::memory_order_relaxed);
    busy_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      generation_.fetch_add(1, std::memory_order_release);
    }
    if (sleepers_.load() > 0) wake_.notify_all();
    guarded_loop();
    for (int spins = 0; busy_.load(std::memory_order_acquire) > 0;)
      if (++spins < kSpins) relax();
      else std::this_thread::yield();
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  void loop() {
    for (;;) {
      int64_t begin = next_.fetch_add(step_, std::memory_order_relaxed);
      if (begin >= n_) return;
      body_(context_, begin, std::min(begin + step_, n_));
    }
  }
  // What a body throws (out of memory) ends the loop; the caller gets it.
  void guarded_loop() {
    try {
      loop();
    } catch (...) {
      next_.store(n_);
      std::lock_guard<std::mutex> lock(mutex_);
      error_ = std::current_exception();
    }
  }
  void work() {
    uint64_t seen = 0;
    for (;;) {
      for (int i = 0; i < kSpins && generation_.load(std::memory_order_acquire) == seen; ++i)
        relax();
      if (generation_.load(std::memory_order_acquire) == seen) {
        std::unique_lock<std::mutex> lock(mutex_);
        sleepers_.fetch_add(1);
        wake_.wait(lock, [&] { return generation_.load() != seen; });
        sleepers_.fetch_sub(1);
      }
      seen = generation_.load(std::memory_order_acquire);
      if (stop_) return;
      guarded_loop();
      busy_.fetch_sub(1, std::memory_order_release);
    }
  }

  const int threads_;
  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<uint64_t> generation_{0};
  std::atomic<int> sleepers_{0}, busy_{0};
  std::atomic<int64_t> next_{0};
  int64_t n_ = 0, step_ = 0;
  LoopBody body_ = nullptr;
  void* context_ = nullptr;
  bool stop_ = false;
  std::exception_ptr error_;
};

std::mutex pool_mutex;  // held while a loop runs
Pool* pool = nullptr;   // never deleted at exit: threads may outlive static objects
std::atomic<int> threads_wanted{0};
thread_local bool inside_loop = false;

std::shared_mutex work;  // shared by those who work, held by who forks

void before_fork() { work.lock(); }
void after_fork_here() { work.unlock(); }
// The child has none of the parent's threads: it starts a pool of its own when needed.
void after_fork_there() {
  pool = nullptr;
  new (&pool_mutex) std::mutex;
  new (&work) std::shared_mutex;
}
const int fork_handlers = pthread_atfork(before_fork, after_fork_here, after_fork_there);

}  // namespace

int num_threads() {
  int n = threads_wanted.load();
  if (n == 0) threads_wanted.store(n = default_threads());
  return n;
}

void set_num_threads(int n) {
  VEEM_CHECK_AS(Value, n >= 1, "set_num_threads", "expected a positive number, got ", n);
  threads_wanted.store(n);
}

void begin_work() { work.lock_shared(); }
void end_work() { work.unlock_shared(); }

void parallel_for_raw(int64_t n, int64_t grain, LoopBody body, void* context) {
  int threads = num_threads();
  if (threads == 1 || inside_loop || !pool_mutex.try_lock()) {
    body(context, 0, n);
    return;
  }
  std::lock_guard<std::mutex> held(pool_mutex, std::adopt_lock);
  if (!pool || pool->threads() != threads) {
    delete pool;
    pool = new Pool(threads);
  }
  struct Inside {
    Inside() { inside_loop = true; }
    ~Inside() { inside_loop = false; }
  } inside;
  pool->run(n, std::max<int64_t>(grain, 1), body, context);
}

}  // namespace veem
