// Stateless draws: compares Philox with TensorFlow's values, powers with long doubles, and the kept
// classes with a naive search.
#include "../draws.h"

#include <algorithm>
#include <limits>

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

// Integer weights: two heavy classes, many light ones, some that cannot be drawn.
std::vector<int64_t> Cumulative(int64_t range_max) {
  std::vector<int64_t> cumulative(range_max);
  int64_t total = 0;
  for (size_t k = 0; k < cumulative.size(); ++k) {
    total += k % 7 == 3 ? 0 : k < 2 ? int64_t{1} << 40 : (int64_t{1} << 38) + k;
    cumulative[k] = total;
  }
  return cumulative;
}

// The largest num_sampled that can be drawn.
int64_t Drawable(Law law, int64_t range_max, bool unique) {
  if (law == Law::kWeighted && range_max > 1000) return 0;  // Too many weights for a test.
  if (!unique) return std::numeric_limits<int64_t>::max();
  return law == Law::kWeighted ? range_max - (range_max + 3) / 7 : range_max;
}

// One word at a time, and sums from the first class on.
int64_t NaiveClass(const DrawOptions& options, int64_t word) {
  if (options.law == Law::kUniform) return UniformInversion(options.range_max)(word);
  if (options.law == Law::kLogUniform) {
    return LogUniformInversion(options.range_max, options.log2_range)(word);
  }
  const int64_t total = options.cumulative[options.range_max - 1];
  const auto target = static_cast<int64_t>(static_cast<unsigned __int128>(word) * total >> 62);
  int64_t k = 0;
  while (options.cumulative[k] <= target) ++k;
  return k;
}

void CheckDraws(Law law, int64_t num_sampled, int64_t range_max, bool unique, uint64_t seed) {
  const std::vector<int64_t> cumulative = Cumulative(law == Law::kWeighted ? range_max : 0);
  const DrawOptions options{law,         range_max, Log2(range_max + 1), cumulative.data(),
                            num_sampled, unique};
  const PhiloxWords philox(seed, 7);
  std::vector<int64_t> naive, tries_at;
  int64_t words[PhiloxWords::kBatch];
  for (int64_t tries = 0; static_cast<int64_t>(naive.size()) < num_sampled; ++tries) {
    philox.Fill(tries & ~int64_t{1}, words);
    const int64_t c = NaiveClass(options, words[tries & 1]);
    if (unique && std::find(naive.begin(), naive.end(), c) != naive.end()) continue;
    naive.push_back(c);
    tries_at.push_back(tries + 1);
  }
  // From the start, from an even number of tries in the middle, and when all are found.
  const int64_t all = tries_at.back();
  for (const int64_t begin : {int64_t{0}, all / 4 * 2, all + all % 2}) {
    DrawState state{0, begin};
    if (unique)
      state.found = std::upper_bound(tries_at.begin(), tries_at.end(), begin) - tries_at.begin();
    if (!unique && begin > 0) continue;
    std::vector<int64_t> classes(naive.begin(), naive.begin() + state.found);
    classes.resize(num_sampled, -1);
    DrawPiece(options, philox, &state, classes.data());
    CHECK_THAT(classes == naive, "%ld classes of %ld from %ld on", num_sampled, range_max, begin);
    CHECK_THAT(state.found == num_sampled, "%ld classes", state.found);
    CHECK_THAT(state.tries == std::max(all, begin), "%ld tries, not %ld", state.tries, all);
  }
}

// Draws that take several pieces: each piece ends after its tries, and loses none.
void CheckPieces() {
  // Class 1 comes up once in 2^24 tries.
  const int64_t cumulative[] = {(int64_t{1} << 24) - 1, int64_t{1} << 24};
  const DrawOptions rare{Law::kWeighted, 2, 0, cumulative, 2, true};
  const PhiloxWords philox(5, 6);
  int64_t classes[2] = {-1, -1};
  DrawState state{0, 0};
  int64_t pieces = 0;
  for (; state.found < 2 && pieces < 1000; ++pieces) {
    CHECK_THAT(state.tries == pieces * kMostTriesInPiece, "%ld tries", state.tries);
    DrawPiece(rare, philox, &state, classes);
  }
  CHECK_THAT(pieces > 1 && classes[0] == 0 && classes[1] == 1, "%ld pieces", pieces);
  int64_t naive_tries = 0;
  int64_t words[PhiloxWords::kBatch];
  do {
    if (naive_tries % PhiloxWords::kBatch == 0) philox.Fill(naive_tries, words);
  } while (NaiveClass(rare, words[naive_tries++ % PhiloxWords::kBatch]) == 0);
  CHECK_THAT(state.tries == naive_tries, "%ld tries, not %ld", state.tries, naive_tries);

  // More classes than a piece has tries, so that a piece cannot complete them.
  const int64_t many = kMostTriesInPiece + 100;
  const DrawOptions large{Law::kUniform, int64_t{1} << 53, 0, nullptr, many, true};
  std::vector<int64_t> drawn(many, -1);
  state = {0, 0};
  DrawPiece(large, philox, &state, drawn.data());
  CHECK_THAT(state.tries == kMostTriesInPiece && state.found <= kMostTriesInPiece, "%ld tries",
             state.tries);
  CHECK_THAT(drawn[kMostTriesInPiece] == -1, "a class beyond the piece: %ld",
             drawn[kMostTriesInPiece]);
  DrawPiece(large, philox, &state, drawn.data());
  CHECK_THAT(state.found == many, "%ld classes", state.found);
  std::sort(drawn.begin(), drawn.end());
  CHECK_THAT(std::adjacent_find(drawn.begin(), drawn.end()) == drawn.end(), "a class comes twice");
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
  CheckPieces();
  uint64_t seed = 1;
  for (const Law law : {Law::kUniform, Law::kLogUniform, Law::kWeighted}) {
    for (const bool unique : {false, true}) {
      for (const int64_t num_sampled : {1, 2, 63, 64, 65, 200}) {
        // Bits and hashing; all classes; one class.
        for (const int64_t range_max : {int64_t{1}, num_sampled, int64_t{300}, int64_t{1} << 40}) {
          if (num_sampled <= Drawable(law, range_max, unique)) {
            CheckDraws(law, num_sampled, range_max, unique, ++seed);
          }
        }
      }
    }
  }
  return Report("draws_test");
}
