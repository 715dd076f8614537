#include "convert.h"

#include <algorithm>
#include <cstring>

#include "limits.h"
#include "thread_pool.h"
#include "vector_math.h"

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace sampled_compat {
namespace {

// The count of numbers that one task converts.
constexpr int64_t kChunk = (1 << 16) / kLimitDivisor;

struct Half {
  uint16_t bits;
  operator float() const {
#if defined(__F16C__)
    return _cvtsh_ss(bits);
#else
    const uint32_t sign = uint32_t(bits & 0x8000u) << 16;
    const uint32_t magnitude = bits & 0x7fffu;
    if (magnitude >= 0x7c00u)
      return BitCast<float>(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
    // Converts denormals through an integer: as a float's, their bits would be denormal and
    // flushed.
    const float value = magnitude < 0x400u ? static_cast<float>(magnitude) * 0x1p-24f
                                           : BitCast<float>((magnitude << 13) + (112u << 23));
    return BitCast<float>(sign | BitCast<uint32_t>(value));
#endif
  }
  static Half From(float x) {
#if defined(__F16C__)
    return {_cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT)};
#else
    const uint32_t bits = BitCast<uint32_t>(x);
    const uint16_t sign = (bits >> 16) & 0x8000u;
    uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return {uint16_t(sign | 0x7e00u)};
    if (magnitude >= 0x477ff000u) return {uint16_t(sign | 0x7c00u)};
    if (magnitude < 0x38800000u) {
      // Below the smallest normal number, the addition rounds to the spacing of denormals.
      const float shifted = BitCast<float>(magnitude) + 0.5f;
      return {uint16_t(sign | (BitCast<uint32_t>(shifted) - 0x3f000000u))};
    }
    magnitude += 0xc8000fffu + ((magnitude >> 13) & 1u);  // Rebias, and round to even.
    return {uint16_t(sign | magnitude >> 13)};
#endif
  }
};

struct Bfloat16 {
  uint16_t bits;
  operator float() const { return BitCast<float>(uint32_t(bits) << 16); }
  static Bfloat16 From(float x) {
    const uint32_t b = BitCast<uint32_t>(x);
    if (x != x) return {uint16_t((b >> 16) | 0x40u)};  // Rounding must not turn NaN into infinity.
    return {uint16_t((b + 0x7fffu + ((b >> 16) & 1u)) >> 16)};
  }
};

template <typename F>
void InChunks(int64_t count, const F& f) {
  ParallelFor((count + kChunk - 1) / kChunk,
              [&](int64_t i) { f(i * kChunk, std::min((i + 1) * kChunk, count)); });
}

template <typename From, typename T>
void Widen(const void* from, int64_t count, T* to) {
  const From* source = static_cast<const From*>(from);
  InChunks(count, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = static_cast<T>(source[i]);
  });
}

template <typename To, typename T>
void Narrow(const T* from, int64_t count, void* to) {
  To* target = static_cast<To*>(to);
  InChunks(count, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) target[i] = To::From(static_cast<float>(from[i]));
  });
}

template <typename To, typename T>
void Cast(const T* from, int64_t count, void* to) {
  To* target = static_cast<To*>(to);
  InChunks(count, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) target[i] = static_cast<To>(from[i]);
  });
}

}  // namespace

int64_t SizeOf(FloatType type) {
  return type == FloatType::kDouble ? 8 : type == FloatType::kFloat ? 4 : 2;
}

template <typename T>
void ConvertFrom(FloatType type, const void* from, int64_t count, T* to) {
  switch (type) {
    case FloatType::kHalf:
      return Widen<Half>(from, count, to);
    case FloatType::kBfloat16:
      return Widen<Bfloat16>(from, count, to);
    case FloatType::kFloat:
      return Widen<float>(from, count, to);
    case FloatType::kDouble:
      return Widen<double>(from, count, to);
  }
}

template <typename T>
void ConvertTo(FloatType type, const T* from, int64_t count, void* to) {
  switch (type) {
    case FloatType::kHalf:
      return Narrow<Half>(from, count, to);
    case FloatType::kBfloat16:
      return Narrow<Bfloat16>(from, count, to);
    case FloatType::kFloat:
      return Cast<float>(from, count, to);
    case FloatType::kDouble:
      return Cast<double>(from, count, to);
  }
}

template void ConvertFrom<float>(FloatType, const void*, int64_t, float*);
template void ConvertFrom<double>(FloatType, const void*, int64_t, double*);
template void ConvertTo<float>(FloatType, const float*, int64_t, void*);
template void ConvertTo<double>(FloatType, const double*, int64_t, void*);

}  // namespace sampled_compat
