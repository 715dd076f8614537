// What a class's logit is corrected by: minus the logarithm of its expected count.
#ifndef SAMPLED_COMPAT_KERNELS_LOG_OFFSET_H_
#define SAMPLED_COMPAT_KERNELS_LOG_OFFSET_H_

#include <cstdint>

namespace sampled_compat {

// Fills offsets [count] with -log(counts). Returns the index of the first count that is not
// positive and finite, where it stops, or -1.
template <typename T>
int64_t LogOffset(const T* counts, int64_t count, T* offsets);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_LOG_OFFSET_H_
