#include "draws.h"

#include <algorithm>

#include "inversion.h"
#include "memory.h"

namespace sampled_compat {
namespace {

// A set of classes with one bit for each: 12 KB for 100,000.
class BitSet {
 public:
  explicit BitSet(int64_t range) : bits_((range + 63) / 64) {}
  // Returns whether the class is new to the set.
  bool Add(int64_t c) {
    uint64_t& word = bits_[c >> 6];
    const uint64_t bit = uint64_t{1} << (c & 63);
    const bool is_new = (word & bit) == 0;
    word |= bit;
    return is_new;
  }

 private:
  Vector<uint64_t> bits_;
};

// The same by open addressing, for a range much larger than the set.
class HashSet {
 public:
  explicit HashSet(int64_t capacity) {
    int bits = 4;
    while ((int64_t{1} << bits) < 2 * capacity) ++bits;
    shift_ = 64 - bits;
    slots_.assign(size_t{1} << bits, -1);
  }
  bool Add(int64_t c) {
    // The high bits of the product depend on every bit of the class.
    uint64_t slot = (static_cast<uint64_t>(c) * 0x9e3779b97f4a7c15u) >> shift_;
    for (; slots_[slot] >= 0; slot = (slot + 1) & (slots_.size() - 1)) {
      if (slots_[slot] == c) return false;
    }
    slots_[slot] = c;
    return true;
  }

 private:
  Vector<int64_t> slots_;
  int shift_;
};

template <typename Inversion, typename Set>
int64_t FirstOccurrences(const Inversion& invert, const PhiloxWords& words, int64_t wanted,
                         Set* seen, int64_t* classes) {
  int64_t drawn[PhiloxWords::kBatch];
  int64_t found = 0;
  for (int64_t tries = 0; tries < kMostTries; tries += PhiloxWords::kBatch) {
    words.Fill(tries, drawn);
    for (int64_t& word : drawn) word = invert(word);
    for (int i = 0; i < PhiloxWords::kBatch; ++i) {
      classes[found] = drawn[i];
      found += seen->Add(drawn[i]);
      if (found == wanted) return tries + i + 1;
    }
  }
  return 0;
}

template <typename Inversion>
int64_t DrawBy(const Inversion& invert, const DrawOptions& options, const PhiloxWords& words,
               int64_t* classes) {
  const int64_t wanted = options.num_sampled;
  if (!options.unique) {
    int64_t drawn[PhiloxWords::kBatch];
    for (int64_t i = 0; i < wanted; i += PhiloxWords::kBatch) {
      words.Fill(i, drawn);
      const int64_t size = std::min<int64_t>(PhiloxWords::kBatch, wanted - i);
      for (int64_t j = 0; j < size; ++j) classes[i + j] = invert(drawn[j]);
    }
    return wanted;
  }
  // Use bits if they take little memory, or no more than the hash set.
  if (options.range_max / 8 <= std::max<int64_t>(1 << 18, 32 * wanted)) {
    BitSet seen(options.range_max);
    return FirstOccurrences(invert, words, wanted, &seen, classes);
  }
  HashSet seen(wanted);
  return FirstOccurrences(invert, words, wanted, &seen, classes);
}

}  // namespace

int64_t Draw(const DrawOptions& options, const PhiloxWords& words, int64_t* classes) {
  if (options.num_sampled == 0) return 0;
  if (options.law == Law::kUniform) {
    return DrawBy(UniformInversion(options.range_max), options, words, classes);
  }
  return DrawBy(LogUniformInversion(options.range_max, options.log2_range), options, words,
                classes);
}

}  // namespace sampled_compat
