// Memory that several processes see. A segment has no name, only descriptors: the system frees it
// with the last process that maps it or holds one, however that process ends.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/storage.h"

namespace veem {

// A new segment in this process. Raises MemoryError where the system has no such memory left.
StoragePtr new_shared(Backend& backend, size_t bytes);

// The segment that a descriptor stands for, which another process has passed on. The descriptor
// is taken over; unless it is to be kept, for passing it on, it is closed.
StoragePtr map_shared(Backend& backend, int fd, size_t bytes, bool keep);

bool is_shared(const Storage& storage);
int shared_descriptor(const Storage& storage);  // -1 where it has none

// Memory that was passed on may be written again when its reader is done, and the segment itself
// says so: it is lent until the process that mapped it lets go of it. If that one has forked
// meanwhile, whose child would see the writing, the segment is kept for good.
enum class Loan : uint32_t { Free, Lent, Kept };
void lend(const Storage& storage);
Loan loan(const Storage& storage);

// Moves a storage, with all tensors that show it, into a segment that has a descriptor. Arrays
// that others had borrowed from it keep the old memory, which stays.
void move_to_shared(Storage& storage);

}  // namespace veem
