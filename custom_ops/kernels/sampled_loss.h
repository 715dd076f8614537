// The sampled softmax and NCE losses of gathered rows, forward and backward, without a [B, S]
// matrix.
//
//   logit of a true class     t[b, t] = inputs[b] . rows[p] + biases[p] + true_offset[b, t],  p =
//   true_positions[b, t] logit of a sampled class  s[b, s] = inputs[b] . rows[p] + biases[p] +
//   sampled_offset[s],  p = sampled_positions[s] softmax  loss[b] = log(sum e^t[b, :] + sum e^s[b,
//   :]) - mean t[b, :] NCE      loss[b] = sum over t of (softplus(t) - t / T) + sum over s of
//   softplus(s)
// where the sampled logits of the hits are left out exactly. The offsets are -log of the expected
// counts, or zero.
#ifndef SAMPLED_COMPAT_KERNELS_SAMPLED_LOSS_H_
#define SAMPLED_COMPAT_KERNELS_SAMPLED_LOSS_H_

#include <cstdint>

namespace sampled_compat {

enum class LossKind { kSoftmax, kNce };

// REQUIRES: all positions are in [0, unique); hits are pairs (row, column) in range, sorted.
template <typename T>
struct SampledLossProblem {
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
struct SampledLossGradients {
  T* inputs;          // [batch, dim]
  T* rows;            // [unique, dim]
  T* biases;          // [unique]
  T* true_offset;     // [batch, num_true]
  T* sampled_offset;  // [num_sampled]
};

// The most that a forward pass keeps for its backward pass.
constexpr int64_t kMaxKeptBytes = int64_t{64} << 20;

// How many numbers the forward pass keeps of a problem of this size; 0 where that would be more
// than kMaxKeptBytes, and the backward pass recomputes the logits.
template <typename T>
int64_t KeptCount(int64_t batch, int64_t num_sampled);

// Fills loss [batch], normalizer [2, batch], and `kept` [KeptCount] unless that is null. A row's
// probabilities are e^(logit - normalizer[0, b]) / normalizer[1, b]: its log-sum-exp, rounded to
// one number, would be off by half a unit of ITS last place, which is many of a probability's. For
// NCE it is 0 and 1. Returns false where there is no memory.
template <typename T>
bool SampledLossForward(const SampledLossProblem<T>& problem, T* loss, T* normalizer, T* kept);

// Fills the gradients of sum(upstream * loss). `kept` is what the forward pass of the same problem
// kept, or null. Returns false where there is no memory.
template <typename T>
bool SampledLossBackward(const SampledLossProblem<T>& problem, const T* upstream,
                         const T* normalizer, const T* kept,
                         const SampledLossGradients<T>& gradients);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_SAMPLED_LOSS_H_
