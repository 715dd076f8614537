// Draws one after another, of which the first occurrences are kept until there are enough.
#ifndef SAMPLED_COMPAT_KERNELS_DRAWS_H_
#define SAMPLED_COMPAT_KERNELS_DRAWS_H_

#include <cstdint>

#include "philox.h"

namespace sampled_compat {

// Classes are in [0, range_max).
enum class Law { kUniform, kLogUniform };

struct DrawOptions {
  Law law;
  int64_t range_max;
  int64_t log2_range;  // of the log-uniform law alone; see LogUniformInversion
  int64_t num_sampled;
  bool unique;
};

// Where drawing stops, whatever has been found.
constexpr int64_t kMostTries = (int64_t{1} << 31) - 1;

// Fills classes [num_sampled]: draw i is made of word i, and if `unique` those equal to an earlier
// one are left out. Returns how many draws there were up to the last class kept, or 0 if kMostTries
// were not enough.
// REQUIRES: range_max is in [1, 2^53], and at least num_sampled if `unique`.
int64_t Draw(const DrawOptions& options, const PhiloxWords& words, int64_t* classes);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_DRAWS_H_
