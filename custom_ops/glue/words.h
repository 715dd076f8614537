// The text of the errors that users see for values inside a graph.
//
// A graph's node holds a short code and a few sizes, not the text. So the text may change while
// saved graphs stay valid. core/arguments/checks has the same text for values that Python knows.
#ifndef SAMPLED_COMPAT_GLUE_WORDS_H_
#define SAMPLED_COMPAT_GLUE_WORDS_H_

#include <cstdint>
#include <string>

namespace sampled_compat {

// Where class ids come from: attribute `argument` of SampledCompat>ClassIds.
enum class IdsSource { kLabels, kSampledCandidates, kDrawnCandidates };

// Numbers of classes; -1 if unknown. `num_classes` is the sampler's number.
struct IdsLimits {
  int64_t weights_rows, biases_rows, num_classes;
  // The smaller number of rows of the two tables; -1 if neither is known.
  int64_t Rows() const;
};

std::string BadClassId(IdsSource source, const IdsLimits& limits, int64_t got);

// Where counts come from: attribute `argument` of SampledCompat>LogOffset.
enum class CountsSource { kTrueExpectedCount, kSampledExpectedCount };

std::string BadCount(CountsSource source, double got);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_GLUE_WORDS_H_
