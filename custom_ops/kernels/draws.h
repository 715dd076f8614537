// Draws classes one after another and keeps first occurrences until there are enough, in pieces of
// bounded work.
#ifndef SAMPLED_COMPAT_KERNELS_DRAWS_H_
#define SAMPLED_COMPAT_KERNELS_DRAWS_H_

#include <cstdint>

#include "limits.h"
#include "philox.h"

namespace sampled_compat {

// Classes are in [0, range_max).
enum class Law { kUniform, kLogUniform, kWeighted };

struct DrawOptions {
  Law law;
  int64_t range_max;
  int64_t log2_range;         // only for the log-uniform law; see LogUniformInversion
  const int64_t* cumulative;  // [range_max], only for the weighted law; see WeightedInversion
  int64_t num_sampled;
  bool unique;
};

// How far a draw has come.
struct DrawState {
  int64_t found;  // how many classes are kept
  int64_t tries;  // how many words are used
};

// The maximum number of tries in one piece: well below a second for up to ten million classes kept.
constexpr int64_t kMostTriesInPiece = (int64_t{1} << 22) / kLimitDivisor;

// Continues a draw by at most kMostTriesInPiece tries. Try i uses word i. If `unique`, skips
// classes equal to an earlier one. When there are num_sampled classes, `tries` is the number of
// tries up to the last one kept.
// REQUIRES: range_max is in [1, 2^53]; found <= num_sampled; tries is even;
// classes [min(num_sampled, found + kMostTriesInPiece)] starts with the `found` classes kept so
// far.
void DrawPiece(const DrawOptions& options, const PhiloxWords& words, DrawState* state,
               int64_t* classes);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_DRAWS_H_
