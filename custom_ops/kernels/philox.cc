#include "philox.h"

namespace sampled_compat {
namespace {

constexpr int kRounds = 10;

// Ten rounds over kLanes counters at once; x[0][l], ..., x[3][l] are the words of lane l.
template <int kLanes>
void Rounds(uint32_t key0, uint32_t key1, uint32_t (*x)[kLanes]) {
  for (int round = 0; round < kRounds; ++round) {
    for (int l = 0; l < kLanes; ++l) {
      const uint64_t product0 = uint64_t{0xd2511f53} * x[0][l];
      const uint64_t product1 = uint64_t{0xcd9e8d57} * x[2][l];
      x[0][l] = static_cast<uint32_t>(product1 >> 32) ^ x[1][l] ^ key0;
      x[1][l] = static_cast<uint32_t>(product1);
      x[2][l] = static_cast<uint32_t>(product0 >> 32) ^ x[3][l] ^ key1;
      x[3][l] = static_cast<uint32_t>(product0);
    }
    key0 += 0x9e3779b9;
    key1 += 0xbb67ae85;
  }
}

}  // namespace

PhiloxWords::PhiloxWords(uint64_t seed0, uint64_t seed1) {
  // TensorFlow scrambles the seed with a fixed key, so that even similar seeds give unrelated
  // words.
  uint32_t x[4][1] = {{static_cast<uint32_t>(seed0)},
                      {static_cast<uint32_t>(seed0 >> 32)},
                      {static_cast<uint32_t>(seed1)},
                      {static_cast<uint32_t>(seed1 >> 32)}};
  Rounds<1>(0x3ec8f720, 0x02461e29, x);
  key_[0] = x[0][0];
  key_[1] = x[1][0];
  high_[0] = x[2][0];
  high_[1] = x[3][0];
}

void PhiloxWords::Fill(uint64_t first, int64_t* words) const {
  constexpr int kLanes = kBatch / 2;
  uint32_t x[4][kLanes];
  for (int l = 0; l < kLanes; ++l) {
    const uint64_t block = first / 2 + l;
    x[0][l] = static_cast<uint32_t>(block);
    x[1][l] = static_cast<uint32_t>(block >> 32);
    x[2][l] = high_[0];
    x[3][l] = high_[1];
  }
  Rounds<kLanes>(key_[0], key_[1], x);
  for (int l = 0; l < kLanes; ++l) {
    words[2 * l] = static_cast<int64_t>((x[0][l] | uint64_t{x[1][l]} << 32) >> 2);
    words[2 * l + 1] = static_cast<int64_t>((x[2][l] | uint64_t{x[3][l]} << 32) >> 2);
  }
}

}  // namespace sampled_compat
