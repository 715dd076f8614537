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

int64_t ClassOf(const DrawOptions& options, int64_t word) {
  return options.law == Law::kUniform
             ? UniformInversion(options.range_max)(word)
             : LogUniformInversion(options.range_max, options.log2_range)(word);
}

// floor((range_max + 1)^u) - 1 in long doubles, within their rounding.
void CheckInversion(const DrawOptions& options, int64_t word, int64_t got) {
  REQUIRE(got >= 0 && got < options.range_max, "class %ld of %ld", got, options.range_max);
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
  const PhiloxWords words(seed0, seed1);
  const Array<int64_t> classes(options.num_sampled);
  DrawState state{0, 0};
  do {
    DrawPiece(options, words, &state, classes.data());
  } while (state.found < options.num_sampled);
  const int64_t tries = state.tries;

  std::set<int64_t> seen;
  int64_t found = 0, wanted_tries = 0;
  for (int64_t drawn[PhiloxWords::kBatch]; found < options.num_sampled; ++wanted_tries) {
    words.Fill(wanted_tries & ~int64_t{1}, drawn);
    const int64_t word = drawn[wanted_tries & 1], c = ClassOf(options, word);
    CheckInversion(options, word, c);
    if (options.unique && !seen.insert(c).second) continue;
    REQUIRE(classes[found] == c, "class %ld at %ld, wanted %ld", classes[found], found, c);
    ++found;
  }
  REQUIRE(tries == wanted_tries, "%ld tries, wanted %ld", tries, wanted_tries);
  const int64_t word = bytes->Int(0, (int64_t{1} << 62) - 1);
  CheckInversion(options, word, ClassOf(options, word));
}

}  // namespace sampled_compat
