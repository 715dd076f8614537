#include "words.h"

#include <algorithm>
#include <cstdio>

namespace sampled_compat {
namespace {

std::string Words(IdsSource source, const IdsLimits& limits) {
  switch (source) {
    case IdsSource::kLabels:
      return "labels";
    case IdsSource::kSampledCandidates:
      return "sampled_values: sampled_candidates";
    case IdsSource::kDrawnCandidates:
      return "weights, biases: sampled with num_classes = " + std::to_string(limits.num_classes);
  }
  return "";
}

std::string Words(CountsSource source) {
  switch (source) {
    case CountsSource::kTrueExpectedCount:
      return "sampled_values: true_expected_count";
    case CountsSource::kSampledExpectedCount:
      return "sampled_values: sampled_expected_count";
  }
  return "";
}

}  // namespace

int64_t IdsLimits::Rows() const {
  if (weights_rows < 0 || biases_rows < 0) return std::max(weights_rows, biases_rows);
  return std::min(weights_rows, biases_rows);
}

std::string BadClassId(IdsSource source, const IdsLimits& limits, int64_t got) {
  const int64_t rows = limits.Rows();
  std::string words = Words(source, limits) + ": expected class ids in [0, ";
  words += std::to_string(rows) + ")";
  if (rows != limits.weights_rows) {
    words += ", as biases have " + std::to_string(limits.biases_rows) + " rows";
  }
  return words + ", got " + std::to_string(got);
}

std::string BadCount(CountsSource source, double got) {
  char number[32];
  std::snprintf(number, sizeof(number), "%g", got);
  return Words(source) +
         ": expected positive finite counts (the loss takes their logarithm), got " + number;
}

}  // namespace sampled_compat
