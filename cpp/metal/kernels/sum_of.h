// What sums are made in. Unsigned integers wrap around, where signed ones may not.
#pragma once

template <class T> struct SumOf {
  using type = float;
};
template <> struct SumOf<uchar> {
  using type = uint;
};
template <> struct SumOf<char> {
  using type = uint;
};
template <> struct SumOf<short> {
  using type = uint;
};
template <> struct SumOf<int> {
  using type = uint;
};
template <> struct SumOf<long> {
  using type = ulong;
};
