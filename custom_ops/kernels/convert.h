// Converts between the four floating point types of tensors and the two of the kernels.
#ifndef SAMPLED_COMPAT_KERNELS_CONVERT_H_
#define SAMPLED_COMPAT_KERNELS_CONVERT_H_

#include <cstdint>

namespace sampled_compat {

enum class FloatType { kHalf, kBfloat16, kFloat, kDouble };

int64_t SizeOf(FloatType type);

// to[i] = from[i], exact if T is wide enough, otherwise rounded to nearest, ties to even.
// T is float or double.
template <typename T>
void ConvertFrom(FloatType type, const void* from, int64_t count, T* to);
template <typename T>
void ConvertTo(FloatType type, const T* from, int64_t count, void* to);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_CONVERT_H_
