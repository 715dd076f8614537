// Reductions and rankings over all classes of one piece of a table, without a [B, C] matrix.
//
//   logit[b, c] = inputs[b] . weights[c] + biases[c]
//   softmax  reduced[b] = log(sum over c of e^logit[b, c])
//   sigmoid  reduced[b] = sum over c of softplus(logit[b, c])
// The sums leave out the true classes of a row, whose logits are a result of their own. The caller
// combines the results of a table's pieces by log-sum-exp (softmax) or by a sum (sigmoid).
#ifndef SAMPLED_COMPAT_KERNELS_FULL_H_
#define SAMPLED_COMPAT_KERNELS_FULL_H_

#include <cstdint>

#include "convert.h"
#include "sampled_loss.h"

namespace sampled_compat {

// T is the type of the computation: float or double. `weights` have any type and are converted
// block by block.
template <typename T>
struct FullProblem {
  int64_t batch, classes, dim;
  const T* inputs;  // [batch, dim]
  FloatType weights_type;
  const void* weights;  // [classes, dim]
  const T* biases;      // [classes]
  // The true classes. A label outside [0, classes) is none of this piece: its true logit is 0.
  int64_t num_true = 0;
  const int64_t* labels = nullptr;  // [batch, num_true]
};

// Each function throws OutOfMemory if there is not enough.

// Fills reduced [batch] and true_logits [batch, num_true]. A row without other classes has the
// reduced -infinity (softmax) or 0 (sigmoid).
template <typename T>
void FullReduce(const FullProblem<T>& problem, LossKind kind, T* reduced, T* true_logits);

// The gradients by the results of FullReduce.
template <typename T>
struct FullUpstream {
  const T* reduced;      // [batch]
  const T* true_logits;  // [batch, num_true]
};

// Fills the gradients of sum(upstream.reduced * reduced) + sum(upstream.true_logits * true_logits):
// d_inputs [batch, dim], d_weights [classes, dim] of the weights' type, d_biases [classes].
template <typename T>
void FullReduceGradient(const FullProblem<T>& problem, LossKind kind,
                        const FullUpstream<T>& upstream, const T* reduced, T* d_inputs,
                        void* d_weights, T* d_biases);

// Fills values and indices [batch, k] with the k largest logits of each row, in descending order;
// among equals the lower class comes first. NaN ranks as -infinity. If bar [batch] of a row is not
// NaN, only logits above it count; if they are fewer than k, (-infinity, -1) follow.
// REQUIRES: 0 <= k <= classes.
template <typename T>
void FullTopK(const FullProblem<T>& problem, int64_t k, const T* bar, T* values, int64_t* indices);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_FULL_H_
