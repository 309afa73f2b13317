// All elementwise ops: out[i] = op(in[0][i], in[1][i], ...), one thread for each i.
//
// Memory is the bound. The op, the dtypes and the layout are function constants: the compiler
// folds the switches below, and what is left of the kernel is the one formula of
// kernels/math.h between its loads and its store. So there is one kernel to compile for floats,
// one for integers (computed in 64 bits, in which results wrap around as they should when they
// are stored) and one for bools.
//
// Neighbouring threads touch neighbouring elements, which the GPU fetches as one. Where operands
// do not lie flat, the thread's number is taken apart into an index per dimension.
#include "kernels/common.h"
#include "kernels/convert.h"

constant int op [[function_constant(0)]];
constant int out_type [[function_constant(1)]];  // a DType
constant int type_0 [[function_constant(2)]];    // likewise; -1 for a number
constant int type_1 [[function_constant(3)]];
constant int type_2 [[function_constant(4)]];
constant int type_3 [[function_constant(5)]];
constant int flat [[function_constant(6)]];      // all contiguous, and as large as out
constant int wide [[function_constant(7)]];      // more than 2^32 elements

enum {  // in the order of core/optable.h
#define VEEM_ELEMENTWISE(name, arity, takes, gives) op_##name,
#define VEEM_REDUCTION(name, takes, gives) op_##name,
#include "ops.def"
};

// Which formulas exist for T? The rest is never asked for.
template <class T> constexpr bool takes_Any() { return true; }
template <class T> constexpr bool takes_Number() { return !math::is_bool<T>(); }
template <class T> constexpr bool takes_Float() { return math::is_float<T>(); }
template <class T> constexpr bool takes_Bits() { return !math::is_float<T>(); }
template <class T> constexpr bool takes_Integer() { return takes_Number<T>() && takes_Bits<T>(); }
template <class T> constexpr bool takes_Exact() { return math::is_float<T>(); }

#define VEEM_CALL_1(name) math::name<T>(a)
#define VEEM_CALL_2(name) math::name<T>(a, b)
#define VEEM_CALL_3(name) math::name<T>(a, b, c)
#define VEEM_CALL_4(name) math::name<T>(a, b, c, d)

template <class T>
inline T apply(T a, T b, T c, T d) {
  switch (op) {
#define VEEM_ELEMENTWISE(name, arity, takes, gives)                     \
  case op_##name:                                                       \
    if constexpr (takes_##takes<T>()) return T(VEEM_CALL_##arity(name)); \
    break;
#include "ops.def"
  }
  return a;
}

struct Places {  // of one element, in elements of each operand
  long out, in[4];
};

template <class I>
inline Places places_of(I i, constant ElementwiseShape& s) {
  Places at = {0, {0, 0, 0, 0}};
  for (int d = s.ndim - 1; d >= 0; --d) {
    I size = I(s.shape[d]), rest = i / size;
    long index = long(i - rest * size);
    at.out += index * s.out_strides[d];
    if (type_0 >= 0) at.in[0] += index * s.in_strides[0][d];
    if (type_1 >= 0) at.in[1] += index * s.in_strides[1][d];
    if (type_2 >= 0) at.in[2] += index * s.in_strides[2][d];
    if (type_3 >= 0) at.in[3] += index * s.in_strides[3][d];
    i = rest;
  }
  return at;
}

inline float number(float, constant ElementwiseShape& s, int i) { return s.real[i]; }
inline long number(long, constant ElementwiseShape& s, int i) { return s.integer[i]; }
inline bool number(bool, constant ElementwiseShape& s, int i) { return s.integer[i] != 0; }

template <class T>
[[kernel]] void elementwise(device const char* in_0 [[buffer(0)]],
                            device const char* in_1 [[buffer(1)]],
                            device const char* in_2 [[buffer(2)]],
                            device const char* in_3 [[buffer(3)]],
                            device char* out [[buffer(4)]],
                            constant ElementwiseShape& s [[buffer(5)]],
                            uint3 thread_index [[thread_position_in_grid]],
                            uint3 size [[threads_per_grid]]) {
  long i = long(thread_index.y) * long(size.x) + long(thread_index.x);
  if (i >= s.n) return;
  Places at = {i, {i, i, i, i}};
  if (!flat) at = wide ? places_of<ulong>(ulong(i), s) : places_of<uint>(uint(i), s);
  T a = type_0 < 0 ? number(T(0), s, 0) : load<T>(in_0, at.in[0], type_0);
  T b = type_1 < 0 ? number(T(0), s, 1) : load<T>(in_1, at.in[1], type_1);
  T c = type_2 < 0 ? number(T(0), s, 2) : load<T>(in_2, at.in[2], type_2);
  T d = type_3 < 0 ? number(T(0), s, 3) : load<T>(in_3, at.in[3], type_3);
  store<T>(out, at.out, out_type, apply<T>(a, b, c, d));
}

VEEM_KERNEL("elementwise_float", elementwise<float>)
VEEM_KERNEL("elementwise_long", elementwise<long>)
VEEM_KERNEL("elementwise_bool", elementwise<bool>)
