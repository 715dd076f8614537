// Draws classes one after another and keeps first occurrences until there are enough.
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
  int64_t log2_range;  // only for the log-uniform law; see LogUniformInversion
  int64_t num_sampled;
  bool unique;
};

// The maximum number of draws.
constexpr int64_t kMostTries = (int64_t{1} << 31) - 1;

// Fills classes [num_sampled]. Draw i uses word i. If `unique`, skips draws equal to an earlier
// one. Returns the number of draws up to the last class kept, or 0 if kMostTries were not enough.
// REQUIRES: range_max is in [1, 2^53], and at least num_sampled if `unique`.
int64_t Draw(const DrawOptions& options, const PhiloxWords& words, int64_t* classes);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_DRAWS_H_
