// The divisor of the sizes from which on a kernel works in another way: in strips, in more parts,
// on more threads. The fuzzers' build makes these sizes small, so that small problems take every
// way.
#ifndef SAMPLED_COMPAT_KERNELS_LIMITS_H_
#define SAMPLED_COMPAT_KERNELS_LIMITS_H_

#include <cstdint>

namespace sampled_compat {

#ifdef SAMPLED_COMPAT_SMALL_LIMITS
constexpr int64_t kLimitDivisor = 1024;
#else
constexpr int64_t kLimitDivisor = 1;
#endif

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_LIMITS_H_
