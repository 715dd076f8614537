// Philox4x32-10, with the key that TensorFlow's stateless random ops derive from a seed.
#ifndef SAMPLED_COMPAT_KERNELS_PHILOX_H_
#define SAMPLED_COMPAT_KERNELS_PHILOX_H_

#include <cstdint>

namespace sampled_compat {

// The random words of a seed: word i depends on the seed and on i alone.
class PhiloxWords {
 public:
  // The number of words that Fill makes: a few vectors.
  static constexpr int kBatch = 64;

  PhiloxWords(uint64_t seed0, uint64_t seed1);

  // Writes the words first, ..., first + kBatch - 1, each 64-bit word shifted right by 2 and so
  // less than 2^62. REQUIRES: first is even.
  void Fill(uint64_t first, int64_t* words) const;

 private:
  uint32_t key_[2];
  uint32_t high_[2];
};

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_PHILOX_H_
