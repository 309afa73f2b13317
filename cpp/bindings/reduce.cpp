#include "core/ops_reduce.h"

#include "bindings/families.h"
#include "bindings/native.h"

namespace veem {

namespace {

// An op (x, dims, keepdim), where dims of None means all.
template <Op op> void def_reduction() {
  def(row(op).name, [](const Array& x, std::optional<Dims> dims, bool keepdim) {
    return reduce(op, x, dims.value_or(Dims()), keepdim);
  });
}

// sum and prod also take the dtype in which to add up.
template <Op op> void def_accumulation() {
  def(row(op).name,
      [](const Array& x, std::optional<Dims> dims, bool keepdim, std::optional<DType> dtype) {
        return reduce(op, x, dims.value_or(Dims()), keepdim, dtype ? &*dtype : nullptr);
      });
}

template <Op op> void def_arg() {
  def(row(op).name, [](const Array& x, std::optional<int64_t> dim, bool keepdim) {
    return arg_reduce(op, x, dim ? &*dim : nullptr, keepdim);
  });
}

std::tuple<Array, Array> with_indices(Op op, const Array& x, int64_t dim, bool keepdim) {
  auto [values, indices] = reduce_with_indices(op, x, dim, keepdim);
  return {values, indices};
}

}  // namespace

void bind_reduce() {
  def_accumulation<Op::sum>();
  def_accumulation<Op::prod>();
  def_reduction<Op::amax>();
  def_reduction<Op::amin>();
  def_reduction<Op::any>();
  def_reduction<Op::all>();
  def_arg<Op::argmax>();
  def_arg<Op::argmin>();
  def("mean",
      [](const Array& x, std::optional<Dims> dims, bool keepdim, std::optional<DType> dtype) {
        return mean(x, dims.value_or(Dims()), keepdim, dtype ? &*dtype : nullptr);
      });
  def("max_dim", [](const Array& x, int64_t dim, bool keepdim) {
    return with_indices(Op::argmax, x, dim, keepdim);
  });
  def("min_dim", [](const Array& x, int64_t dim, bool keepdim) {
    return with_indices(Op::argmin, x, dim, keepdim);
  });
}

}  // namespace veem
