// The logits of classes that differ from row to row, forward and backward, without a
// [batch, columns, dim] array.
//
//   logits[b, j] = inputs[b] . rows[positions[b, j]] + biases[positions[b, j]]
//
// Each number of a row that is read takes part in one multiplication, so memory limits the speed. A
// loss of the [batch, columns] logits costs little beside that, and TensorFlow's ops compute it.
#ifndef SAMPLED_COMPAT_KERNELS_ROW_LOGITS_H_
#define SAMPLED_COMPAT_KERNELS_ROW_LOGITS_H_

#include <cstdint>

namespace sampled_compat {

// REQUIRES: all positions are in [0, unique); there are fewer than 2^30.
template <typename T>
struct RowLogitsProblem {
  int64_t batch, columns, dim, unique;
  const T* inputs;           // [batch, dim]
  const T* rows;             // [unique, dim]
  const int32_t* positions;  // [batch, columns]
};

// Fills logits [batch, columns]; biases is [unique].
template <typename T>
void RowLogits(const RowLogitsProblem<T>& problem, const T* biases, T* logits);

template <typename T>
struct RowLogitsGradients {
  T* inputs;  // [batch, dim]
  T* rows;    // [unique, dim]
  T* biases;  // [unique]
};

// Fills the gradients of sum(upstream * logits). Throws OutOfMemory.
template <typename T>
void RowLogitsGradient(const RowLogitsProblem<T>& problem, const T* upstream,
                       const RowLogitsGradients<T>& gradients);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_ROW_LOGITS_H_
