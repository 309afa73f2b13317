// Elementwise ops: out[i] = f(in0[i], in1[i], in2[i]).
//
// Memory is the bound: an add reads 8 bytes and writes 4 for one flop. The loop therefore works
// on blocks that fit the L1 cache. An operand that lies in memory as the loop walks it, in the
// dtype that is computed, is read where it is; any other (broadcast, transposed, of another
// dtype, a number) is first gathered into a block of its own. So every formula is compiled once
// per dtype, as one plain loop over contiguous blocks which the compiler vectorises, and casts
// and broadcasting never make a temporary tensor.
#include "core/threads.h"
#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {

#include "cpu/primitives.h"
#include "kernels/math.h"

namespace {

constexpr int64_t kBlock = 512;          // elements: five blocks of doubles are 20 KiB
constexpr int64_t kGrain = 32 * kBlock;  // a part of the work that is worth a thread

// ---- the formulas of ops.def as loops over blocks -------------------------------------------

// A row's formula with the arguments that it does not take dropped.
#define VEEM_CALL_1(name) math::name(a)
#define VEEM_CALL_2(name) math::name(a, b)
#define VEEM_CALL_3(name) math::name(a, b, c)
#define VEEM_CALL_4(name) math::name(a, b, c, d)
#define VEEM_RESULT_Same T
#define VEEM_RESULT_Bool bool
#define VEEM_ELEMENTWISE(name, arity, takes, gives)               \
  struct name##_formula {                                         \
    template <class A, class T>                                   \
    static inline VEEM_RESULT_##gives apply(A a, T b, T c, T d) { \
      (void)b, (void)c, (void)d;                                  \
      return VEEM_CALL_##arity(name);                             \
    }                                                             \
  };
#include "ops.def"

// The dtype of a formula's first operand: `where` alone reads a bool there.
template <class F, class T> struct First {
  using type = T;
};
template <class T> struct First<where_formula, T> {
  using type = bool;
};

using BlockFn = void (*)(void* out, const void* const* in, int64_t n);

template <class F, class T, int arity>
void block_loop(void* out, const void* const* in, int64_t n) {
  using A = typename First<F, T>::type;
  using R = decltype(F::apply(A(), T(), T(), T()));
  R* o = static_cast<R*>(out);
  const A* a = static_cast<const A*>(in[0]);
  const T* b = static_cast<const T*>(in[arity > 1 ? 1 : 0]);
  const T* c = static_cast<const T*>(in[arity > 2 ? 2 : 0]);
  const T* d = static_cast<const T*>(in[arity > 3 ? 3 : 0]);
  VEEM_VECTORIZE
  for (int64_t i = 0; i < n; ++i) o[i] = F::apply(a[i], b[i], c[i], d[i]);
}

struct LoopTable {
  BlockFn loops[kOpCount][kDTypes] = {};
  template <class F, int arity, Takes takes>
  constexpr void add(Op op) {
#define VEEM_TYPE(T, D)                   \
  if constexpr (accepts(takes, DType::D)) \
    loops[static_cast<int>(op)][static_cast<int>(DType::D)] = block_loop<F, T, arity>;
    VEEM_COMPUTE_TYPES(VEEM_TYPE)
#undef VEEM_TYPE
  }
  constexpr LoopTable() {
#define VEEM_ELEMENTWISE(name, arity, takes, gives) \
  add<name##_formula, arity, Takes::takes>(Op::name);
#include "ops.def"
  }
};
constexpr LoopTable kLoops;

// ---- operands that do not lie as the loop walks them ----------------------------------------

// The elements [begin, begin + n) of an operand in the order of the loop, one run along the
// innermost dimension after the other: visit(address, stride, count) for each run.
template <class Visit>
inline void for_runs(const Operand& x, const ElementwiseArgs& args, int64_t begin, int64_t n,
                     const Visit& visit) {
  int last = args.ndim - 1;
  int64_t index[kMaxDims], inner = args.shape[last], at = 0;
  for (int64_t d = last, rest = begin; d >= 0; --d) {
    index[d] = rest % args.shape[d];
    rest /= args.shape[d];
    at += index[d] * x.strides[d];
  }
  while (n > 0) {
    int64_t run = inner - index[last] < n ? inner - index[last] : n;
    visit(at, x.strides[last], run);
    n -= run;
    index[last] += run;
    at += run * x.strides[last];
    for (int d = last; d > 0 && index[d] == args.shape[d]; --d) {
      at += x.strides[d - 1] - index[d] * x.strides[d];
      index[d] = 0;
      ++index[d - 1];
    }
  }
}

template <class From, class To>
void gather(void* block, const Operand& x, const ElementwiseArgs& args, int64_t begin, int64_t n) {
  To* to = static_cast<To*>(block);
  const From* from = reinterpret_cast<const From*>(x.data);
  for_runs(x, args, begin, n, [&](int64_t at, int64_t stride, int64_t count) {
    const From* p = from + at;
    if (stride == 1) {
      for (int64_t i = 0; i < count; ++i) to[i] = static_cast<To>(p[i]);
    } else if (stride == 0) {
      To value = static_cast<To>(*p);
      for (int64_t i = 0; i < count; ++i) to[i] = value;
    } else {
      for (int64_t i = 0; i < count; ++i) to[i] = static_cast<To>(p[i * stride]);
    }
    to += count;
  });
}

template <class From, class To>
void scatter(const void* block, const Operand& x, const ElementwiseArgs& args, int64_t begin,
             int64_t n) {
  const From* from = static_cast<const From*>(block);
  To* to = reinterpret_cast<To*>(x.data);
  for_runs(x, args, begin, n, [&](int64_t at, int64_t stride, int64_t count) {
    for (int64_t i = 0; i < count; ++i) to[at + i * stride] = static_cast<To>(from[i]);
    from += count;
  });
}

using GatherFn = void (*)(void*, const Operand&, const ElementwiseArgs&, int64_t, int64_t);
using ScatterFn = void (*)(const void*, const Operand&, const ElementwiseArgs&, int64_t, int64_t);

// Between any dtype and those that are computed in.
struct ConversionTable {
  GatherFn gathers[kDTypes][kDTypes] = {};    // [stored][computed]
  ScatterFn scatters[kDTypes][kDTypes] = {};  // [computed][stored]
  template <class Stored>
  constexpr void add(int stored) {
#define VEEM_TYPE(T, D)                                            \
  gathers[stored][static_cast<int>(DType::D)] = gather<Stored, T>; \
  scatters[static_cast<int>(DType::D)][stored] = scatter<T, Stored>;
    VEEM_COMPUTE_TYPES(VEEM_TYPE)
#undef VEEM_TYPE
  }
  constexpr ConversionTable() {
#define VEEM_TYPE(T, D) add<T>(static_cast<int>(DType::D));
    VEEM_ALL_TYPES(VEEM_TYPE)
#undef VEEM_TYPE
  }
};
constexpr ConversionTable kConvert;

bool walks_contiguously(const Operand& x, const ElementwiseArgs& args) {
  return args.ndim == 1 && (x.strides[0] == 1 || args.shape[0] == 1);
}

void fill_block(void* block, const int64_t* value, DType dtype, int64_t n) {
  switch (item_size(dtype)) {
    case 1: {
      __builtin_memset(block, *reinterpret_cast<const char*>(value), n);
      return;
    }
    case 4: {
      int32_t v;
      __builtin_memcpy(&v, value, 4);
      for (int64_t i = 0; i < n; ++i) static_cast<int32_t*>(block)[i] = v;
      return;
    }
    default:
      for (int64_t i = 0; i < n; ++i) static_cast<int64_t*>(block)[i] = *value;
  }
}

}  // namespace

void elementwise(const ElementwiseArgs& args) {
  BlockFn loop = kLoops.loops[static_cast<int>(args.op)][static_cast<int>(args.compute)];
  int64_t total = 1;
  for (int d = 0; d < args.ndim; ++d) total *= args.shape[d];

  bool direct_out = args.out.dtype == args.result && walks_contiguously(args.out, args);
  bool direct[kMaxInputs], blocked = !direct_out;
  DType wanted[kMaxInputs];
  for (int i = 0; i < args.inputs; ++i) {
    wanted[i] = args.op == Op::where && i == 0 ? DType::Bool : args.compute;
    direct[i] =
        args.in[i].storage && args.in[i].dtype == wanted[i] && walks_contiguously(args.in[i], args);
    blocked |= !direct[i];
  }
  int64_t out_size = item_size(args.result);

  parallel_for(total, kGrain, [&](int64_t begin, int64_t end) {
    alignas(64) char blocks[kMaxInputs + 1][kBlock * 8];
    int64_t step = blocked ? kBlock : end - begin;
    const void* in[kMaxInputs];
    for (int i = 0; i < args.inputs; ++i) {
      in[i] = blocks[i];
      if (!args.in[i].storage)
        fill_block(blocks[i], &args.immediate[i], wanted[i],
                   end - begin < step ? end - begin : step);
    }
    for (int64_t at = begin; at < end; at += step) {
      int64_t n = end - at < step ? end - at : step;
      for (int i = 0; i < args.inputs; ++i) {
        const Operand& x = args.in[i];
        if (direct[i]) in[i] = x.data + at * item_size(x.dtype);
        else if (x.storage)
          kConvert.gathers[static_cast<int>(x.dtype)][static_cast<int>(wanted[i])](blocks[i], x,
                                                                                   args, at, n);
      }
      if (direct_out) {
        loop(args.out.data + at * out_size, in, n);
        continue;
      }
      loop(blocks[kMaxInputs], in, n);
      kConvert.scatters[static_cast<int>(args.result)][static_cast<int>(args.out.dtype)](
          blocks[kMaxInputs], args.out, args, at, n);
    }
  });
}

}  // namespace VEEM_ISA
}  // namespace veem
