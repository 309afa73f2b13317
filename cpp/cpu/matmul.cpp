// Matrix products, row by row: out[i] += a[i][p] * w[p].
#include "core/threads.h"
#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {
namespace {

template <class T>
void product(const MatmulArgs& args, const T* a, const T* w, T* out) {
  const T* bias = reinterpret_cast<const T*>(args.bias.data);
  parallel_for(args.m, 1 + 100000 / (args.k * args.n + 1), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      T* row = out + i * args.n;
      for (int64_t j = 0; j < args.n && !args.accumulate; ++j) row[j] = bias ? bias[j] : T(0);
      for (int64_t p = 0; p < args.k; ++p) {
        T x = a[i * args.a_row + p * args.a_col];
        const T* line = w + p * args.w_row;
        if (args.w_col == 1)
          for (int64_t j = 0; j < args.n; ++j) row[j] += x * line[j];
        else
          for (int64_t j = 0; j < args.n; ++j) row[j] += x * line[j * args.w_col];
      }
    }
  });
}

template <class T>
void batches(const MatmulArgs& args) {
  int64_t count = 1;
  for (int d = 0; d < args.batch_dims; ++d) count *= args.batch_shape[d];
  for (int64_t b = 0; b < count; ++b) {
    int64_t rest = b, a = 0, w = 0;
    for (int d = args.batch_dims - 1; d >= 0; --d) {
      a += rest % args.batch_shape[d] * args.a.strides[d];
      w += rest % args.batch_shape[d] * args.w.strides[d];
      rest /= args.batch_shape[d];
    }
    product(args, reinterpret_cast<const T*>(args.a.data) + a,
            reinterpret_cast<const T*>(args.w.data) + w,
            reinterpret_cast<T*>(args.out.data) + b * args.m * args.n);
  }
}

}  // namespace

void matmul(const MatmulArgs& args) {
  switch (args.dtype) {
#define VEEM_TYPE(T, D) case DType::D: return batches<T>(args);
    VEEM_INTEGER_TYPES(VEEM_TYPE)
    VEEM_FLOAT_TYPES(VEEM_TYPE)
#undef VEEM_TYPE
    default: return;
  }
}

}  // namespace VEEM_ISA
}  // namespace veem
