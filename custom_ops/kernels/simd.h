// The vector types of one instruction set: GCC's vector extension, at the width the build targets.
//
// The same sources are compiled once per instruction set (see the Makefile). So the compiler's own
// macros choose everything here, and nothing is dispatched at run time.
#ifndef SAMPLED_COMPAT_KERNELS_SIMD_H_
#define SAMPLED_COMPAT_KERNELS_SIMD_H_

#include <cstdint>
#include <cstring>

namespace sampled_compat {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
constexpr const char* kInstructionSet = "avx512";
#elif defined(__AVX2__) && defined(__FMA__)
constexpr int kVectorBytes = 32;
constexpr const char* kInstructionSet = "avx2";
#else
constexpr int kVectorBytes = 16;
constexpr const char* kInstructionSet = "baseline";
#endif

template <typename T>
struct Simd;

template <>
struct Simd<float> {
  typedef float V __attribute__((vector_size(kVectorBytes)));
  typedef int32_t I __attribute__((vector_size(kVectorBytes)));
  typedef uint32_t U __attribute__((vector_size(kVectorBytes)));
  static constexpr int kWidth = kVectorBytes / sizeof(float);
};

template <>
struct Simd<double> {
  typedef double V __attribute__((vector_size(kVectorBytes)));
  typedef int64_t I __attribute__((vector_size(kVectorBytes)));
  typedef uint64_t U __attribute__((vector_size(kVectorBytes)));
  static constexpr int kWidth = kVectorBytes / sizeof(double);
};

// memcpy instead of a cast: it needs no alignment and compiles to one unaligned load.
template <typename T>
inline typename Simd<T>::V Load(const T* p) {
  typename Simd<T>::V v;
  std::memcpy(&v, p, sizeof(v));
  return v;
}

template <typename T>
inline void Store(T* p, typename Simd<T>::V v) {
  std::memcpy(p, &v, sizeof(v));
}

template <typename T>
inline typename Simd<T>::V Splat(T x) {
  return x - typename Simd<T>::V{};
}

// If either is NaN, returns `b`, as the hardware's max does.
template <typename V>
inline V Max(V a, V b) {
  return a > b ? a : b;
}

template <typename V>
inline V Min(V a, V b) {
  return a < b ? a : b;
}

// Sums the lanes in a fixed order, so that the result never depends on how the work was split.
template <typename T>
inline T SumLanes(typename Simd<T>::V v) {
  T lanes[Simd<T>::kWidth];
  Store<T>(lanes, v);
  for (int n = Simd<T>::kWidth / 2; n > 0; n /= 2) {
    for (int i = 0; i < n; ++i) lanes[i] += lanes[i + n];
  }
  return lanes[0];
}

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_SIMD_H_
