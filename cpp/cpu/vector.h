// Vectors of the instruction set, by the compiler's vector types.
#pragma once

namespace veem {
namespace VEEM_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif
template <class T> constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));

// A vector that may lie at any address that its elements may.
template <class T> struct Simd;
template <> struct Simd<float> {
  typedef float Vec __attribute__((vector_size(kVectorBytes), aligned(4), may_alias));
};
template <> struct Simd<double> {
  typedef double Vec __attribute__((vector_size(kVectorBytes), aligned(8), may_alias));
};

}  // namespace
}  // namespace VEEM_ISA
}  // namespace veem
