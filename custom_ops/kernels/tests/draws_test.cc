// Stateless draws: compares Philox with TensorFlow's values, powers with long doubles, and the kept
// classes with a naive search.
#include "../draws.h"

#include <algorithm>

#include "../inversion.h"
#include "check.h"

namespace sampled_compat {
namespace {

// Compares with TensorFlow's StatelessRandomUniformFullIntV2, shifted right by 2.
void CheckPhilox() {
  const struct {
    uint64_t seed[2];
    int64_t words[4];
  } kKnown[] = {
      {{0, 0},
       {2897670134345154723, 3096412024045410846, 1656156964483002193, 2361660091515133100}},
      {{1, 2}, {1866220036570153611, 397761409439490319, 4347318829541012516, 631090879001750550}},
      {{8589934597, 9223372036854775807},
       {302702707566828834, 3810706387912028272, 2266087768089728123, 2689487156244627314}}};
  int64_t words[PhiloxWords::kBatch];
  for (const auto& known : kKnown) {
    const PhiloxWords philox(known.seed[0], known.seed[1]);
    philox.Fill(0, words);
    CHECK_THAT(std::equal(known.words, known.words + 4, words), "words of seed %lu", known.seed[0]);
    int64_t later[PhiloxWords::kBatch];
    philox.Fill(2, later);
    CHECK_THAT(std::equal(words + 2, words + PhiloxWords::kBatch, later), "words from 2 on");
    // Across the end of the counter's lower 32 bits.
    philox.Fill((uint64_t{1} << 33) - 2, words);
    philox.Fill(uint64_t{1} << 33, later);
    CHECK_THAT(std::equal(words + 2, words + PhiloxWords::kBatch, later), "words from 2^33 on");
  }
}

int64_t Log2(int64_t n) {
  return static_cast<int64_t>(std::floor(std::log2(static_cast<long double>(n)) * 0x1p56L));
}

void CheckLogUniform(int64_t range_max) {
  const LogUniformInversion invert(range_max, Log2(range_max + 1));
  std::mt19937_64 generator(range_max);
  for (int i = 0; i < 2000; ++i) {
    const int64_t word = generator() >> 2;
    const long double exact =
        std::pow(static_cast<long double>(range_max + 1), word * 0x1p-62L) - 1;
    const int64_t got = invert(word);
    // Rounding changes the logarithm of the class by 2^-56 (of u) and 2^-64 (of long doubles).
    const long double off = (exact + 1) * 0x1p-50L;
    CHECK_THAT(got <= exact + off && got + 1 >= exact - off, "class %ld of %ld for %ld", got,
               range_max, word);
  }
  CHECK_THAT(invert(0) == 0, "the first word");
  CHECK_THAT(invert((int64_t{1} << 62) - 1) == range_max - 1, "the last word of %ld", range_max);
}

void CheckDraws(Law law, int64_t num_sampled, int64_t range_max, bool unique, uint64_t seed) {
  const DrawOptions options{law, range_max, Log2(range_max + 1), num_sampled, unique};
  const PhiloxWords philox(seed, 7);
  std::vector<int64_t> classes(num_sampled), naive;
  const int64_t tries = Draw(options, philox, classes.data());
  int64_t naive_tries = 0;
  int64_t words[PhiloxWords::kBatch];
  while (static_cast<int64_t>(naive.size()) < num_sampled) {
    philox.Fill(naive_tries & ~int64_t{1}, words);
    const int64_t word = words[naive_tries & 1];
    const int64_t c = law == Law::kUniform
                          ? UniformInversion(range_max)(word)
                          : LogUniformInversion(range_max, options.log2_range)(word);
    if (!unique || std::find(naive.begin(), naive.end(), c) == naive.end()) naive.push_back(c);
    ++naive_tries;
  }
  CHECK_THAT(classes == naive, "%ld classes of %ld", num_sampled, range_max);
  CHECK_THAT(tries == naive_tries, "%ld tries, not %ld", tries, naive_tries);
}

}  // namespace
}  // namespace sampled_compat

int main() {
  using namespace sampled_compat;
  CheckPhilox();
  for (const int64_t range_max : {int64_t{1}, int64_t{2}, int64_t{10}, int64_t{1000000},
                                  int64_t{1} << 31, (int64_t{1} << 31) + 7, int64_t{1} << 40}) {
    CheckLogUniform(range_max);
  }
  uint64_t seed = 1;
  for (const Law law : {Law::kUniform, Law::kLogUniform}) {
    for (const bool unique : {false, true}) {
      for (const int64_t num_sampled : {1, 2, 63, 64, 65, 200}) {
        // Bits and hashing; all classes; one class.
        for (const int64_t range_max : {int64_t{1}, num_sampled, int64_t{300}, int64_t{1} << 40}) {
          if (!unique || num_sampled <= range_max)
            CheckDraws(law, num_sampled, range_max, unique, ++seed);
        }
      }
    }
  }
  return Report("draws_test");
}
