// Stateless draws against a search by hand.
#include <set>

#include "../kernels/draws.h"
#include "../kernels/inversion.h"
#include "numbers.h"

namespace sampled_compat {
namespace {

int64_t Log2(int64_t n) {
  return static_cast<int64_t>(std::floor(std::log2(static_cast<long double>(n)) * 0x1p56L));
}

int64_t RangeMax(Bytes* bytes) {
  switch (bytes->Int(0, 3)) {
    case 0:
      return bytes->Int(1, 10);
    case 1:
      return bytes->Int(1, 1000);
    case 2:
      return int64_t{1} << bytes->Int(0, 53);
    default:
      return bytes->Int(1, int64_t{1} << 53);
  }
}

// The running sums of weights, many of them 0: the last is in [1, 2^61].
Array<int64_t> Cumulative(Bytes* bytes, int64_t range_max) {
  Array<int64_t> sums(range_max);
  Mixer mixer(bytes->Any<uint8_t>());
  const int64_t most = bytes->Pick({int64_t{1}, int64_t{100}, (int64_t{1} << 61) / range_max});
  int64_t sum = 0;
  for (int64_t& each : sums) each = sum += mixer.Below(3) == 0 ? 0 : mixer.Below(most + 1);
  sums[range_max - 1] = std::max<int64_t>(1, sum);
  return sums;
}

int64_t ClassOf(const DrawOptions& options, int64_t word) {
  switch (options.law) {
    case Law::kUniform:
      return UniformInversion(options.range_max)(word);
    case Law::kLogUniform:
      return LogUniformInversion(options.range_max, options.log2_range)(word);
    case Law::kWeighted: {
      const int64_t *first = options.cumulative, *end = first + options.range_max;
      const auto target = static_cast<unsigned __int128>(word) * end[-1] >> 62;
      return std::upper_bound(first, end, static_cast<int64_t>(target)) - first;
    }
  }
}

// floor((range_max + 1)^u) - 1 in long doubles, within their rounding.
void CheckInversion(const DrawOptions& options, int64_t word, int64_t got) {
  REQUIRE(got >= 0 && got < options.range_max, "class %ld of %ld", got, options.range_max);
  if (options.law == Law::kWeighted) return;
  const long double u = word * 0x1p-62L, n = options.range_max;
  const long double exact = options.law == Law::kUniform ? u * n : std::pow(n + 1, u) - 1;
  const long double error = (exact + 1) * 0x1p-50L;
  REQUIRE(got <= exact + error && got + 1 >= exact - error, "class %ld of %ld for the word %ld",
          got, options.range_max, word);
}

}  // namespace

FUZZ_TARGET(draws) {
  DrawOptions options{};
  options.law = bytes->Bool() ? Law::kUniform : Law::kLogUniform;
  options.unique = bytes->Bool();
  options.range_max = RangeMax(bytes);
  options.log2_range = Log2(options.range_max + 1);
  const int64_t most = options.unique ? std::min<int64_t>(200, options.range_max) : 200;
  options.num_sampled = bytes->Int(0, most);
  const uint64_t seed0 = bytes->Any<uint64_t>(), seed1 = bytes->Any<uint64_t>();
  const int64_t word = bytes->Int(0, (int64_t{1} << 62) - 1);
  const bool weighted = bytes->Bool() && options.range_max <= 1000;
  const Array<int64_t> cumulative = Cumulative(bytes, weighted ? options.range_max : 1);
  if (weighted) {
    options.law = Law::kWeighted;
    options.cumulative = cumulative.data();
  }

  // A draw may need very many tries: classes of small or no weight. So only some pieces are made.
  constexpr int kMostPieces = 8;
  const PhiloxWords words(seed0, seed1);
  const Array<int64_t> classes(options.num_sampled);
  DrawState state{0, 0};
  int pieces = 0;
  do {
    DrawPiece(options, words, &state, classes.data());
  } while (state.found < options.num_sampled && ++pieces < kMostPieces);

  std::set<int64_t> seen;
  int64_t found = 0;
  int64_t drawn[PhiloxWords::kBatch];
  for (int64_t tries = 0; tries < state.tries; ++tries) {
    if (tries % PhiloxWords::kBatch == 0) words.Fill(tries, drawn);
    const int64_t each = drawn[tries % PhiloxWords::kBatch], c = ClassOf(options, each);
    CheckInversion(options, each, c);
    if (options.unique && !seen.insert(c).second) continue;
    REQUIRE(found < state.found && classes[found] == c, "class %ld at %ld of %ld", c, found,
            state.found);
    ++found;
  }
  REQUIRE(found == state.found, "%ld classes, wanted %ld", state.found, found);
  if (state.found < options.num_sampled) {
    REQUIRE(state.tries == kMostPieces * kMostTriesInPiece, "%ld tries", state.tries);
  }
  CheckInversion(options, word, ClassOf(options, word));
}

}  // namespace sampled_compat
