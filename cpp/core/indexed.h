// The loop behind every op with index tensors, and the checks that they share.
#pragma once

#include "core/ops.h"

namespace veem {

// A loop over values on one side and, on the other, a table in which indices move.
struct IndexedLoop {
  Dims shape, table, values;  // strides; a table's is 0 in dimensions where only indices move
  struct Mover {
    Array index;
    Dims strides;
    int64_t step, size;  // of the table's dimension that it indexes
  };
  std::vector<Mover> movers;
};
void run_indexed(IndexedKind kind, const Array& table, const Array& values, IndexedLoop loop);

// An index as int64 on x's device. Raises `error` when one of its numbers is not in dimension
// dim, which has this size; where `negative`, those from -size on are.
Array checked_index(const Array& index, const Array& x, int dim, int64_t size, bool negative,
                    const char* op, ErrorKind error = ErrorKind::Index);

// Is a number outside of [low, high) in index, which names what op reads or writes of dimension
// dim? *skip is let pass. A GPU says no at once, and raises what it finds when it is waited for.
bool find_outside(const Array& index, int64_t low, int64_t high, const char* op, int dim,
                  int64_t* bad, const int64_t* skip = nullptr, ErrorKind error = ErrorKind::Index);

[[noreturn]] void raise_out_of_bounds(ErrorKind error, const char* op, int64_t index, int dim,
                                      int64_t size);

// A number as a 0-d tensor of x's dtype; a tensor as it is.
Array as_array(const Input& value, const Array& x, const char* op);

// What is read while x is written must not lie in it: a copy where it may.
Array apart(const Array& a, const Array& x);

}  // namespace veem
