// How a kernel reports a bad index: the first thread to claim the words writes them, and the host
// reads them when the command buffer has ended. Kernels go on, and leave alone what a bad index
// points to.
#pragma once

inline void record_fault(device Fault* fault, int id, long index) {
  device atomic_int* claim = reinterpret_cast<device atomic_int*>(&fault->id);
  int found = 0;
  // A weak exchange can fail without cause.
  while (!atomic_compare_exchange_weak_explicit(claim, &found, id, memory_order_relaxed,
                                                memory_order_relaxed))
    if (found != 0) return;
  fault->low = int(uint(ulong(index)));
  fault->high = int(uint(ulong(index) >> 32));
}
