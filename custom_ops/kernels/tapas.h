// The first pass of TAPAS: scores each sampled class by its probability in the whole batch.
//
//   scores[s] = log(sum over b of e^((rows[s] . inputs[b] + biases[s]) / temperature))
//
// without the [S, B] matrix. Source: Bai, Goldman and Zhang, "TAPAS: Two-pass approximate adaptive
// sampling for softmax", 2017.
#ifndef SAMPLED_COMPAT_KERNELS_TAPAS_H_
#define SAMPLED_COMPAT_KERNELS_TAPAS_H_

#include <cstdint>

#include "convert.h"

namespace sampled_compat {

// T is the type of the computation: float or double. `rows` have any type.
template <typename T>
struct TapasProblem {
  int64_t batch, num_sampled, dim;
  const T* inputs;  // [batch, dim]
  FloatType rows_type;
  const void* rows;  // [num_sampled, dim]
  const T* biases;   // [num_sampled]
  T temperature;
};

// Fills scores [num_sampled]. Throws OutOfMemory.
// REQUIRES: temperature > 0.
template <typename T>
void TapasScores(const TapasProblem<T>& problem, T* scores);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_TAPAS_H_
