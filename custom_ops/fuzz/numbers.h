// Arrays of numbers for the targets, and how the naive results are compared.
#ifndef SAMPLED_COMPAT_FUZZ_NUMBERS_H_
#define SAMPLED_COMPAT_FUZZ_NUMBERS_H_

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "../kernels/convert.h"
#include "target.h"

namespace sampled_compat {

// A block of exactly its size, so that the address sanitizer sees overruns. It starts as NaN: an
// output that is not written is not right.
template <typename T>
class Array {
 public:
  explicit Array(int64_t count) : size_(count), data_(new T[count]) {
    std::fill(begin(), end(), std::numeric_limits<T>::quiet_NaN());
  }
  T* data() const { return data_.get(); }
  T* begin() const { return data(); }
  T* end() const { return data() + size_; }
  int64_t size() const { return size_; }
  T& operator[](int64_t i) const { return data_[i]; }
  bool SameBits(const Array& other) const {
    return size_ == 0 || std::memcmp(data(), other.data(), size_ * sizeof(T)) == 0;
  }

 private:
  int64_t size_;
  std::unique_ptr<T[]> data_;
};

// Pseudo-random numbers: a few of the fuzzer's bytes make a whole array.
class Mixer {
 public:
  explicit Mixer(uint64_t seed) : state_(seed) {}
  uint64_t Next() {  // splitmix64
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // Uniform in [-1, 1).
  double Number() { return static_cast<double>(static_cast<int64_t>(Next())) * 0x1p-63; }
  int64_t Below(int64_t limit) { return static_cast<int64_t>(Next() % limit); }

 private:
  uint64_t state_;
};

// NaN, infinities, zeros, denormals, the ends of the range, or any bits.
template <typename T>
T Special(Bytes* bytes) {
  using L = std::numeric_limits<T>;
  const T kSpecial[] = {L::quiet_NaN(), L::infinity(), -L::infinity(), T(0),      T(-0.0),
                        L::max(),       L::lowest(),   L::min(),       -L::min(), L::denorm_min(),
                        T(88.7),        T(-104),       T(709.7),       T(1e-30),  T(1e30)};
  constexpr int64_t kCount = sizeof(kSpecial) / sizeof(T);
  const int64_t choice = bytes->Int(0, kCount);
  return choice == kCount ? bytes->Any<T>() : kSpecial[choice];
}

// Numbers in [-scale, scale], or small integers (equal logits; sums without a rounding error). If
// `wild`, up to seven of them are special.
template <typename T>
Array<T> Numbers(Bytes* bytes, int64_t count, double scale, bool wild) {
  Array<T> values(count);
  const uint8_t seed = bytes->Any<uint8_t>();
  Mixer mixer(seed);
  for (T& value : values) {
    value = static_cast<T>(seed % 8 == 7 ? double(mixer.Below(5) - 2) : scale * mixer.Number());
  }
  if (!wild || count == 0) return values;
  for (int64_t left = bytes->Int(0, 7); left > 0; --left) {
    const int64_t at = bytes->Int(0, count - 1);
    values[at] = Special<T>(bytes);
  }
  return values;
}

// A table of any type, and its numbers in double.
struct Table {
  Table(Bytes* bytes, int64_t count, double scale, bool wild)
      : type(bytes->Pick(
            {FloatType::kFloat, FloatType::kDouble, FloatType::kHalf, FloatType::kBfloat16})),
        block(count * SizeOf(type)),
        values(count) {
    const Array<double> wide = Numbers<double>(bytes, count, scale, wild);
    ConvertTo<double>(type, wide.data(), count, block.data());
    ConvertFrom<double>(type, block.data(), count, values.data());
  }
  const void* data() const { return block.data(); }

  const FloatType type;
  const Array<char> block;
  const Array<double> values;
};

// Whether the number is as in a usual problem: its products neither overflow nor vanish.
inline bool IsPlain(double x) { return x == 0 || (std::fabs(x) > 1e-8 && std::fabs(x) < 1e4); }

template <typename T>
bool ArePlain(const Array<T>& values) {
  return std::all_of(values.begin(), values.end(), [](T x) { return IsPlain(x); });
}

// The bound of |got - wanted| where numbers of absolute sum `sum` were added.
template <typename T>
double Bound(double sum) {
  return 64 * double(std::numeric_limits<T>::epsilon()) * (sum + 1e-3);
}

template <typename T>
void RequireClose(const char* what, int64_t index, double got, double wanted, double sum) {
  REQUIRE(std::fabs(got - wanted) <= Bound<T>(sum), "%s[%ld]: got %.17g, wanted %.17g +- %g", what,
          index, got, wanted, Bound<T>(sum));
}

inline double SoftplusOf(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}

// A size, mostly small; rarely one around the length of a part of a sum.
inline int64_t Size(Bytes* bytes, int64_t most) {
  return bytes->Rarely(16) ? bytes->Int(250, 270) : bytes->Int(0, most);
}

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_FUZZ_NUMBERS_H_
