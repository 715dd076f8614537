// Maps uniform words to classes in integer arithmetic. core/samplers/inversion.py computes the same
// bits.
#ifndef SAMPLED_COMPAT_KERNELS_INVERSION_H_
#define SAMPLED_COMPAT_KERNELS_INVERSION_H_

#include <algorithm>
#include <cstdint>

namespace sampled_compat {

// floor(a * b / 2^62).
// REQUIRES: a and b are in [0, 2^62).
inline int64_t HighProduct(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<unsigned __int128>(a) * static_cast<uint64_t>(b) >> 62);
}

// Class floor(u * range_max) for u = word / 2^62.
// REQUIRES: range_max < 2^62.
class UniformInversion {
 public:
  explicit UniformInversion(int64_t range_max) : range_max_(range_max) {}
  int64_t operator()(int64_t word) const { return HighProduct(word, range_max_); }

 private:
  const int64_t range_max_;
};

// 2^61 * 2^(i / 2^11) and 2^61 * 2^(i / 2^22).
struct PowerTables {
  static constexpr int kBits = 11;
  PowerTables();
  int64_t coarse[1 << kBits];
  int64_t fine[1 << kBits];
};
const PowerTables& Powers();

// Class floor((range_max + 1)^u) - 1 for u = word / 2^62.
class LogUniformInversion {
 public:
  // REQUIRES: log2_range = floor(log2(range_max + 1) * 2^56), and range_max <= 2^53.
  LogUniformInversion(int64_t range_max, int64_t log2_range)
      : powers_(Powers()), range_max_(range_max), log2_range_(log2_range) {}

  int64_t operator()(int64_t word) const {
    constexpr int kFractionBits = 56;
    constexpr int kRestBits = kFractionBits - 2 * PowerTables::kBits;
    constexpr int64_t kMask = (1 << PowerTables::kBits) - 1;
    constexpr int64_t kLn2 = 3196577161300663914;  // floor(ln 2 * 2^62)
    const int64_t exponent = HighProduct(word, log2_range_);
    const int64_t whole = exponent >> kFractionBits;
    int64_t power =
        HighProduct(powers_.coarse[(exponent >> (kFractionBits - PowerTables::kBits)) & kMask],
                    powers_.fine[(exponent >> kRestBits) & kMask]);
    const int64_t rest = exponent & ((int64_t{1} << kRestBits) - 1);
    const int64_t x = HighProduct(rest << 6, kLn2);  // rest * ln 2, times 2^62
    const int64_t half = x >> 20;
    power += HighProduct(power, x + (half * half >> 23));
    return std::min((power >> (60 - whole)) - 1, range_max_ - 1);
  }

 private:
  const PowerTables& powers_;
  const int64_t range_max_;
  const int64_t log2_range_;
};

// Class k with probability (cumulative[k] - cumulative[k - 1]) / cumulative[range_max - 1].
class WeightedInversion {
 public:
  // REQUIRES: cumulative [range_max] ends with a number in [1, 2^62). If it does not ascend,
  // classes are still in [0, range_max).
  WeightedInversion(int64_t range_max, const int64_t* cumulative)
      : cumulative_(cumulative),
        range_max_(range_max),
        total_(cumulative[range_max - 1]),
        levels_(64 - __builtin_clzll(range_max)) {}

  // Replaces words by their classes. All of them go down one level at a time, because a word alone
  // would wait for memory at each level.
  void operator()(int count, int64_t* words) const {
    constexpr int kMost = 64;
    int64_t below[kMost];  // So many sums are known not to exceed the target.
    for (int done = 0; done < count; done += kMost) {
      const int size = std::min(kMost, count - done);
      int64_t* const targets = words + done;
      for (int i = 0; i < size; ++i) {
        targets[i] = HighProduct(targets[i], total_);
        below[i] = 0;
      }
      for (int level = levels_ - 1; level >= 0; --level) {
        for (int i = 0; i < size; ++i) {
          const int64_t next = below[i] + (int64_t{1} << level);
          const int64_t sum = cumulative_[std::min(next, range_max_) - 1];
          below[i] = next <= range_max_ && sum <= targets[i] ? next : below[i];
        }
      }
      for (int i = 0; i < size; ++i) targets[i] = std::min(below[i], range_max_ - 1);
    }
  }

 private:
  const int64_t* const cumulative_;
  const int64_t range_max_;
  const int64_t total_;
  const int levels_;
};

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_INVERSION_H_
