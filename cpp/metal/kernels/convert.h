// Elements of a dtype that a function constant names, read as another type: the switch is gone
// once the pipeline is compiled. `at` counts elements.
#pragma once

namespace dtype {
enum { Bool, UInt8, Int8, Int16, Int32, Int64, Float16, BFloat16, Float32 };  // core/dtype.h
}

template <class T>
inline T load(device const char* from, long at, int type) {
  switch (type) {
    case dtype::Bool: return T(reinterpret_cast<device const bool*>(from)[at]);
    case dtype::UInt8: return T(reinterpret_cast<device const uchar*>(from)[at]);
    case dtype::Int8: return T(reinterpret_cast<device const char*>(from)[at]);
    case dtype::Int16: return T(reinterpret_cast<device const short*>(from)[at]);
    case dtype::Int32: return T(reinterpret_cast<device const int*>(from)[at]);
    case dtype::Int64: return T(reinterpret_cast<device const long*>(from)[at]);
    case dtype::Float16: return T(float(reinterpret_cast<device const half*>(from)[at]));
    case dtype::BFloat16: return T(float(reinterpret_cast<device const bfloat*>(from)[at]));
    default: return T(reinterpret_cast<device const float*>(from)[at]);
  }
}

template <class T>
inline void store(device char* to, long at, int type, T x) {
  switch (type) {
    case dtype::Bool: reinterpret_cast<device bool*>(to)[at] = x != T(0); break;
    case dtype::UInt8: reinterpret_cast<device uchar*>(to)[at] = uchar(x); break;
    case dtype::Int8: reinterpret_cast<device char*>(to)[at] = char(x); break;
    case dtype::Int16: reinterpret_cast<device short*>(to)[at] = short(x); break;
    case dtype::Int32: reinterpret_cast<device int*>(to)[at] = int(x); break;
    case dtype::Int64: reinterpret_cast<device long*>(to)[at] = long(x); break;
    case dtype::Float16: reinterpret_cast<device half*>(to)[at] = half(float(x)); break;
    case dtype::BFloat16: reinterpret_cast<device bfloat*>(to)[at] = bfloat(float(x)); break;
    default: reinterpret_cast<device float*>(to)[at] = float(x);
  }
}
