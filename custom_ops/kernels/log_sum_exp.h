// Starts, joins and finishes the running log-sum-exps of fold.h.
#ifndef SAMPLED_COMPAT_KERNELS_LOG_SUM_EXP_H_
#define SAMPLED_COMPAT_KERNELS_LOG_SUM_EXP_H_

#include <algorithm>
#include <cmath>
#include <limits>

#include "fold.h"

namespace sampled_compat {

// Sets a state without terms. Its reference is not -infinity, because -infinity cannot be
// subtracted from a logit of -infinity.
template <typename T>
void StartLogSumExp(int64_t lanes, T* reference, T* sum) {
  std::fill(reference, reference + lanes, std::numeric_limits<T>::lowest());
  std::fill(sum, sum + lanes, T(0));
}

// reference + log(sum), joined in order over `count` states of one lane at distance `stride`.
template <typename T>
T FinishLogSumExp(const T* reference, const T* sum, int64_t count, int64_t stride) {
  T largest = std::numeric_limits<T>::lowest(), total = 0;
  for (int64_t i = 0; i < count; ++i) largest = std::max(largest, reference[i * stride]);
  for (int64_t i = 0; i < count; ++i) {
    total += sum[i * stride] * ExpOf<T>(reference[i * stride] - largest);
  }
  return largest + LogOf<T>(total);
}

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_LOG_SUM_EXP_H_
