// The sampled softmax and sigmoid losses of gathered rows, forward and backward, without a [B, S]
// matrix.
//
// clang-format off
//   true classes     t[b, i] = inputs[b] . rows[true_positions[b, i]] + its bias + true_offset[b, i]
//   sampled classes  s[b, j] = inputs[b] . rows[sampled_positions[j]] + its bias + sampled_offset[j]
//
//            negatives                               loss
//   softmax  N[b] = log(sum over j of e^s[b, j])     log(e^N[b] + sum over i of e^t[b, i]) - mean over i of t[b, i]
//   sigmoid  N[b] = sum over j of softplus(s[b, j])  N[b] + sum over i of (softplus(t[b, i]) - t[b, i] / T)
// clang-format on
//
// Sampled logits that are hits are left out exactly. An offset is minus the logarithm of the
// class's expected count, or zero. Noise-contrastive estimation is the sigmoid loss with such
// offsets.
//
// Each loss is one pass. A loss of another form can be computed from N and t, which another pass of
// the same cost returns.
#ifndef SAMPLED_COMPAT_KERNELS_SAMPLED_LOSS_H_
#define SAMPLED_COMPAT_KERNELS_SAMPLED_LOSS_H_

#include <cstdint>

#include "limits.h"

namespace sampled_compat {

enum class LossKind { kSoftmax, kSigmoid };

// REQUIRES: all positions are in [0, unique); hits are pairs (row, column) in range, sorted.
template <typename T>
struct SampledProblem {
  LossKind kind;
  int64_t batch, num_true, num_sampled, dim, unique, num_hits;
  const T* inputs;                   // [batch, dim]
  const T* rows;                     // [unique, dim]
  const T* biases;                   // [unique]
  const int32_t* sampled_positions;  // [num_sampled]
  const int32_t* true_positions;     // [batch, num_true]
  const int32_t* hits;               // [num_hits, 2]
  const T* true_offset;              // [batch, num_true]
  const T* sampled_offset;           // [num_sampled]
};

template <typename T>
struct SampledGradients {
  T* inputs;          // [batch, dim]
  T* rows;            // [unique, dim]
  T* biases;          // [unique]
  T* true_offset;     // [batch, num_true]
  T* sampled_offset;  // [num_sampled]
};

// The maximum that a forward pass keeps for its backward pass.
constexpr int64_t kMaxKeptBytes = (int64_t{64} << 20) / kLimitDivisor;

// How many numbers the forward pass keeps for a problem of this size. It is 0 if they would exceed
// kMaxKeptBytes; then the backward pass recomputes the logits.
template <typename T>
int64_t KeptCount(int64_t batch, int64_t num_sampled);

// Besides their results, the forward functions fill what the backward functions need:
//
//   normalizer [2, batch]  The probability of a logit in row b is
//                          e^(logit - normalizer[0, b]) / normalizer[1, b]. One log-sum-exp would
//                          not do: rounding it loses half its ulp, many ulps of a probability. The
//                          sigmoid loss needs no normalizer: 0 and 1.
//   kept [KeptCount]       The sampled logits' exponentials or sigmoids, unless it is null.
//
// The backward functions take the normalizer and `kept` (or null) that the forward function of the
// same name filled for the same problem. All throw OutOfMemory if there is not enough.

// Fills loss [batch].
template <typename T>
void SampledLossForward(const SampledProblem<T>& problem, T* loss, T* normalizer, T* kept);

// Fills the gradients of sum(upstream * loss).
template <typename T>
void SampledLossBackward(const SampledProblem<T>& problem, const T* upstream, const T* normalizer,
                         const T* kept, const SampledGradients<T>& gradients);

// The terms of a loss; with a const T, the gradients by them.
template <typename T>
struct SampledTerms {
  T* negatives;    // [batch]: N
  T* true_logits;  // [batch, num_true]: t
};

// Fills the terms. N of a row without negatives is -infinity (softmax) or 0 (sigmoid).
template <typename T>
void SampledTermsForward(const SampledProblem<T>& problem, const SampledTerms<T>& terms,
                         T* normalizer, T* kept);

// Fills the gradients of sum(upstream.negatives * N) + sum(upstream.true_logits * t). For a row
// without negatives, upstream.negatives is ignored.
template <typename T>
void SampledTermsBackward(const SampledProblem<T>& problem, const SampledTerms<const T>& upstream,
                          const T* normalizer, const T* kept, const SampledGradients<T>& gradients);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_SAMPLED_LOSS_H_
