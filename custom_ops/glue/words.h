// The words of the errors that users of the package see from inside a graph.
//
// A node of a graph holds a short code and a few sizes, not English: what is said may change while
// saved graphs stay. core/arguments/checks.py says the same where a value is known to Python.
#ifndef SAMPLED_COMPAT_GLUE_WORDS_H_
#define SAMPLED_COMPAT_GLUE_WORDS_H_

#include <cstdint>
#include <string>

namespace sampled_compat {

// Where class ids come from: attribute `argument` of SampledCompat>ClassIds.
enum class IdsSource { kLabels, kSampledCandidates, kDrawnCandidates };

// How many class ids there are; -1 for what is not known. `num_classes` is what candidates were
// drawn with.
struct IdsLimits {
  int64_t weights_rows, biases_rows, num_classes;
  // The rows that both tables have; -1 if neither is known.
  int64_t Rows() const;
};

std::string BadClassId(IdsSource source, const IdsLimits& limits, int64_t got);

// Which counts: attribute `argument` of SampledCompat>LogOffset.
enum class CountsSource { kTrueExpectedCount, kSampledExpectedCount };

std::string BadCount(CountsSource source, double got);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_GLUE_WORDS_H_
