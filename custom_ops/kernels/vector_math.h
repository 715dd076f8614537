// exp, log and related functions of whole vectors, for float and double.
//
// Maximum errors, in ulp of the result, over the full range (tests/vector_math_test.cc checks them,
// with denormals, infinities and NaN):
//   Exp 1.5 (denormal results 1.5 of the smallest denormal), Log 1, Log1p 3 (x >= 0), Sigmoid 3,
//   Softplus 3.
// Every function returns NaN for NaN.
#ifndef SAMPLED_COMPAT_KERNELS_VECTOR_MATH_H_
#define SAMPLED_COMPAT_KERNELS_VECTOR_MATH_H_

#include <cstdint>
#include <cstring>
#include <limits>

#include "simd.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace sampled_compat {

template <typename T>
struct MathConstants;

template <>
struct MathConstants<float> {
  static constexpr int kMantissaBits = 23;
  static constexpr uint32_t kExponentBias = 127;
  static constexpr uint32_t kSqrtHalfBits = 0x3f3504f3;
  static constexpr float kRoundToInteger = 12582912.0f;  // 1.5 * 2^23: adding it rounds.
  static constexpr float kExpLow = -104.0f, kExpHigh = 89.0f;
  static constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  static constexpr float kLogLn2High = 0.693138123f, kLogLn2Low = 9.05800061e-06f;
  // e^r = 1 + r + r^2 Q(r) on |r| <= ln2 / 2, Q fitted for the relative error: 4e-9.
  static constexpr float kExpQ[] = {1.381454e-3f, 8.36874512e-3f, 4.16683908e-2f, 1.66665204e-1f,
                                    4.99999934e-1f};
  // (log(1 + f) - f + f^2 / 2 = s (f^2 / 2 + z L(z)), s = f / (2 + f), z = s^2; as in FreeBSD.
  static constexpr float kLogL[] = {0.24279078841f, 0.28498786688f, 0.40000972152f, 0.66666662693f};
};

template <>
struct MathConstants<double> {
  static constexpr int kMantissaBits = 52;
  static constexpr uint64_t kExponentBias = 1023;
  static constexpr uint64_t kSqrtHalfBits = 0x3fe6a09e667f3bcd;
  static constexpr double kRoundToInteger = 6755399441055744.0;  // 1.5 * 2^52
  static constexpr double kExpLow = -746.0, kExpHigh = 710.0;
  static constexpr double kLn2High = 6.93147180369123816490e-01,
                          kLn2Low = 1.90821492927058770002e-10;
  static constexpr double kLogLn2High = kLn2High, kLogLn2Low = kLn2Low;
  // Taylor series: the first omitted term is 4e-18 of the result.
  static constexpr double kExpQ[] = {1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0,
                                     1.0 / 3628800.0,    1.0 / 362880.0,    1.0 / 40320.0,
                                     1.0 / 5040.0,       1.0 / 720.0,       1.0 / 120.0,
                                     1.0 / 24.0,         1.0 / 6.0,         0.5};
  static constexpr double kLogL[] = {1.479819860511658591e-01, 1.531383769920937332e-01,
                                     1.818357216161805012e-01, 2.222219843214978396e-01,
                                     2.857142874366239149e-01, 3.999999999940941908e-01,
                                     6.666666666666735130e-01};
};

template <typename To, typename From>
inline To BitCast(From from) {
  static_assert(sizeof(To) == sizeof(From), "a bit cast keeps the size");
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

template <typename T, typename V, int kTerms>
inline V Horner(const T (&coefficients)[kTerms], V x) {
  V sum = Splat<T>(coefficients[0]);
#pragma GCC unroll 16
  for (int i = 1; i < kTerms; ++i) sum = sum * x + coefficients[i];
  return sum;
}

// x * 2^n for an integer n, given shifted = n + kRoundToInteger. n may exceed the exponents of
// normal numbers in both directions.
template <typename T>
inline typename Simd<T>::V ScaleByPowerOf2(typename Simd<T>::V x, typename Simd<T>::V n,
                                           typename Simd<T>::V shifted) {
#if defined(__AVX512F__)
  (void)shifted;
  if constexpr (sizeof(T) == 4) {
    return (typename Simd<T>::V)_mm512_scalef_ps((__m512)x, (__m512)n);
  } else {
    return (typename Simd<T>::V)_mm512_scalef_pd((__m512d)x, (__m512d)n);
  }
#else
  using C = MathConstants<T>;
  using V = typename Simd<T>::V;
  using I = typename Simd<T>::I;
  using U = typename Simd<T>::U;
  (void)n;
  // Unsigned, because a NaN's bits may overflow here. x is then NaN, and so is its product.
  const U whole = BitCast<U>(shifted) - BitCast<U>(Splat<T>(C::kRoundToInteger));
  const U half = BitCast<U>(BitCast<I>(whole) >> 1);
  const V scale1 = BitCast<V>((half + C::kExponentBias) << C::kMantissaBits);
  const V scale2 = BitCast<V>((whole - half + C::kExponentBias) << C::kMantissaBits);
  return x * scale1 * scale2;
#endif
}

// x clamped to [low, high]; NaN stays NaN.
template <typename T>
inline typename Simd<T>::V Clamp(typename Simd<T>::V x, T low, T high) {
#if defined(__AVX512F__)
  // The compiler does not generate these instructions from a comparison of vectors.
  using V = typename Simd<T>::V;
  if constexpr (sizeof(T) == 4) {
    return (V)_mm512_min_ps(_mm512_set1_ps(high), _mm512_max_ps(_mm512_set1_ps(low), (__m512)x));
  } else {
    return (V)_mm512_min_pd(_mm512_set1_pd(high), _mm512_max_pd(_mm512_set1_pd(low), (__m512d)x));
  }
#else
  x = x < low ? Splat<T>(low) : x;
  return x > high ? Splat<T>(high) : x;
#endif
}

// e^x. Overflows to infinity, underflows gradually to zero.
template <typename T>
inline typename Simd<T>::V Exp(typename Simd<T>::V x) {
  using C = MathConstants<T>;
  using V = typename Simd<T>::V;
  x = Clamp<T>(x, C::kExpLow, C::kExpHigh);
  const V shifted = x * T(1.4426950408889634) + C::kRoundToInteger;
  const V n = shifted - C::kRoundToInteger;
  const V r = (x - n * C::kLn2High) - n * C::kLn2Low;
  const V e = Horner<T, V>(C::kExpQ, r) * (r * r) + r + T(1);
  return ScaleByPowerOf2<T>(e, n, shifted);
}

// The natural logarithm; -infinity for 0, NaN for negative numbers.
template <typename T>
inline typename Simd<T>::V Log(typename Simd<T>::V x) {
  using C = MathConstants<T>;
  using V = typename Simd<T>::V;
  using I = typename Simd<T>::I;
  using U = typename Simd<T>::U;
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  // Denormals are scaled up by 2^kMantissaBits first.
  const auto tiny = x < std::numeric_limits<T>::min();
  const V scaled = tiny ? x * T(int64_t{1} << C::kMantissaBits) : x;
  const V scaled_by = tiny ? Splat<T>(T(C::kMantissaBits)) : V{};
  // x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)).
  const U bits = BitCast<U>(scaled) - C::kSqrtHalfBits;
  const I k_bits = BitCast<I>(bits) >> C::kMantissaBits;
  const V k = __builtin_convertvector(k_bits, V) - scaled_by;
  const U mantissa = U{} + ((decltype(C::kExponentBias)(1) << C::kMantissaBits) - 1);
  const V f = BitCast<V>((bits & mantissa) + C::kSqrtHalfBits) - T(1);
  const V s = f / (f + T(2));
  const V z = s * s;
  const V half_square = T(0.5) * f * f;
  const V tail = s * (half_square + z * Horner<T, V>(C::kLogL, z));
  const V y = k * C::kLogLn2High - ((half_square - (tail + k * C::kLogLn2Low)) - f);
  V result = x == kInfinity ? Splat<T>(kInfinity) : y;
  result = x == T(0) ? Splat<T>(-kInfinity) : result;
  // Negative numbers and NaN give NaN.
  return x >= T(0) ? result : Splat<T>(std::numeric_limits<T>::quiet_NaN());
}

// log(1 + x), accurate to a few ulp of the result for small x too.
// REQUIRES: x >= 0 or NaN.
template <typename T>
inline typename Simd<T>::V Log1p(typename Simd<T>::V x) {
  using V = typename Simd<T>::V;
  const V u = x + T(1);
  // The rounding error of the addition, to first order of the logarithm.
  const V lost = (x < T(1) ? x - (u - T(1)) : T(1) - (u - x)) / u;
  const V y = Log<T>(u) + lost;
  return x == std::numeric_limits<T>::infinity() ? x : y;
}

// 1 / (1 + e^-x), without overflow.
template <typename T>
inline typename Simd<T>::V Sigmoid(typename Simd<T>::V x) {
  using V = typename Simd<T>::V;
  const V e = Exp<T>(x < T(0) ? x : -x);
  return (x < T(0) ? e : Splat<T>(T(1))) / (e + T(1));
}

// log(1 + e^x), without overflow, accurate for tiny results.
template <typename T>
inline typename Simd<T>::V Softplus(typename Simd<T>::V x) {
  using V = typename Simd<T>::V;
  const V e = Exp<T>(x < T(0) ? x : -x);
  return (x < T(0) ? V{} : x) + Log1p<T>(e);
}

// The same for one number. Not the C library's, because that would require a recent one at load
// time.
template <typename T>
inline T ExpOf(T x) {
  T lanes[Simd<T>::kWidth];
  Store<T>(lanes, Exp<T>(Splat<T>(x)));
  return lanes[0];
}

template <typename T>
inline T LogOf(T x) {
  T lanes[Simd<T>::kWidth];
  Store<T>(lanes, Log<T>(Splat<T>(x)));
  return lanes[0];
}

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_VECTOR_MATH_H_
