#include "draws.h"

#include <algorithm>

#include "inversion.h"
#include "memory.h"

namespace sampled_compat {
namespace {

constexpr int kBatch = PhiloxWords::kBatch;

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
  // Adding to a set of bits waits for no memory.
  void Prefetch(int64_t) const {}

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
    uint64_t slot = FirstSlot(c);
    for (; slots_[slot] >= 0; slot = (slot + 1) & (slots_.size() - 1)) {
      if (slots_[slot] == c) return false;
    }
    slots_[slot] = c;
    return true;
  }
  void Prefetch(int64_t c) const { __builtin_prefetch(&slots_[FirstSlot(c)], 1); }

 private:
  // The high bits of the product depend on every bit of the class.
  uint64_t FirstSlot(int64_t c) const {
    return (static_cast<uint64_t>(c) * 0x9e3779b97f4a7c15u) >> shift_;
  }

  Vector<int64_t> slots_;
  int shift_;
};

template <typename Inversion>
void Independent(const Inversion& invert, const DrawOptions& options, const PhiloxWords& words,
                 DrawState* state, int64_t* classes) {
  int64_t drawn[kBatch];
  const int64_t end = std::min(options.num_sampled, state->found + kMostTriesInPiece);
  while (state->found < end) {
    words.Fill(state->tries, drawn);
    invert(drawn);
    const int64_t size = std::min<int64_t>(kBatch, end - state->found);
    std::copy(drawn, drawn + size, classes + state->found);
    state->found += size;
    state->tries += size;
  }
}

template <typename Inversion, typename Set>
void FirstOccurrences(const Inversion& invert, const DrawOptions& options, const PhiloxWords& words,
                      Set* seen, DrawState* state, int64_t* classes) {
  int64_t found = state->found;
  for (int64_t i = 0; i < found; ++i) {
    seen->Prefetch(classes[std::min(i + kBatch, found - 1)]);
    seen->Add(classes[i]);
  }
  if (found == options.num_sampled) return;
  int64_t drawn[kBatch];
  const int64_t end = state->tries + kMostTriesInPiece;
  for (int64_t tries = state->tries; tries < end; tries += kBatch) {
    words.Fill(tries, drawn);
    invert(drawn);
    for (const int64_t c : drawn) seen->Prefetch(c);
    for (int i = 0; i < kBatch; ++i) {
      classes[found] = drawn[i];
      found += seen->Add(drawn[i]);
      if (found == options.num_sampled) {
        *state = {found, tries + i + 1};
        return;
      }
    }
  }
  *state = {found, end};
}

template <typename Inversion>
void DrawBy(const Inversion& invert, const DrawOptions& options, const PhiloxWords& words,
            DrawState* state, int64_t* classes) {
  if (!options.unique) return Independent(invert, options, words, state, classes);
  const int64_t most = std::min(options.num_sampled, state->found + kMostTriesInPiece);
  // Use bits if they take little memory, or no more than the hash set.
  if (options.range_max / 8 <= std::max<int64_t>(1 << 18, 32 * most)) {
    BitSet seen(options.range_max);
    return FirstOccurrences(invert, options, words, &seen, state, classes);
  }
  HashSet seen(most);
  FirstOccurrences(invert, options, words, &seen, state, classes);
}

// Applies an inversion of one word to a batch.
template <typename Inversion>
auto ForBatches(const Inversion& invert) {
  return [&invert](int64_t (&words)[kBatch]) {
    for (int64_t& word : words) word = invert(word);
  };
}

}  // namespace

void DrawPiece(const DrawOptions& options, const PhiloxWords& words, DrawState* state,
               int64_t* classes) {
  switch (options.law) {
    case Law::kUniform: {
      const UniformInversion invert(options.range_max);
      return DrawBy(ForBatches(invert), options, words, state, classes);
    }
    case Law::kLogUniform: {
      const LogUniformInversion invert(options.range_max, options.log2_range);
      return DrawBy(ForBatches(invert), options, words, state, classes);
    }
    case Law::kWeighted: {
      const WeightedInversion invert(options.range_max, options.cumulative);
      return DrawBy([&invert](int64_t (&words)[kBatch]) { invert(kBatch, words); }, options, words,
                    state, classes);
    }
  }
}

}  // namespace sampled_compat
