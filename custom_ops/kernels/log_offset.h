// The correction of a class's logit: minus the logarithm of its expected count.
#ifndef SAMPLED_COMPAT_KERNELS_LOG_OFFSET_H_
#define SAMPLED_COMPAT_KERNELS_LOG_OFFSET_H_

#include <cstdint>

namespace sampled_compat {

// Fills offsets [count] with -log(counts). Stops at the first count that is not positive and finite
// and returns its index, or returns -1.
template <typename T>
int64_t LogOffset(const T* counts, int64_t count, T* offsets);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_LOG_OFFSET_H_
