// Processes a tile of logits while it is in the cache.
//
// All functions take a tile [columns][kLanes] and add its columns' constants (bias and offset).
// They work lane by lane, so a batch row's result never depends on its neighbours. A masked logit
// is -infinity before the constants are added.
#ifndef SAMPLED_COMPAT_KERNELS_FOLD_H_
#define SAMPLED_COMPAT_KERNELS_FOLD_H_

#include <limits>

#include "packing.h"
#include "vector_math.h"

namespace sampled_compat {

// The running log-sum-exp of one panel's lanes: reference + log(sum) with
// sum = sum of e^(logit - reference).
template <typename T>
struct LogSumExp {
  T* reference;  // [kLanes]
  T* sum;        // [kLanes]
};

// The reference is raised when a logit exceeds it by more than this. Raising costs a pass over all
// kept exponentials, so it should be rare. e^40 times any number of columns is far from overflow.
constexpr int kMaxRise = 40;

// Raises `state.reference` to `largest` in the lanes where it is too low. Scales the sum and the
// `kept` exponentials [num_kept][kLanes] (null if none are kept) accordingly.
template <typename T>
void RaiseReference(const T* largest, T* kept, int64_t num_kept, LogSumExp<T> state) {
  using V = typename Simd<T>::V;
  constexpr int kWidth = Simd<T>::kWidth;
  T factor[kLanes<T>];
  bool any = false;
  for (int lane = 0; lane < kLanes<T>; ++lane) {
    factor[lane] = 1;
    // An infinite logit cannot be a reference: inf - inf is NaN.
    if (!(largest[lane] > state.reference[lane] + kMaxRise) ||
        largest[lane] > std::numeric_limits<T>::max()) {
      continue;
    }
    T shift[kWidth];
    Store<T>(shift, Exp<T>(Splat<T>(state.reference[lane] - largest[lane])));
    factor[lane] = shift[0];
    state.reference[lane] = largest[lane];
    any = true;
  }
  if (!any) return;
  for (int lane = 0; lane < kLanes<T>; ++lane) state.sum[lane] *= factor[lane];
  if (kept == nullptr) return;
  for (int64_t c = 0; c < num_kept; ++c) {
    for (int j = 0; j < kLanes<T>; j += kWidth) {
      T* e = kept + c * kLanes<T> + j;
      const V scaled = Load<T>(e) * Load<T>(factor + j);
      Store<T>(e, scaled);
    }
  }
}

// The largest logit of each lane, constants included; NaN is ignored.
template <typename T>
void LargestLogits(const T* tile, int64_t columns, const T* constants, T* largest) {
  using V = typename Simd<T>::V;
  V max[kTileVectors];
  for (V& m : max) m = Splat<T>(-std::numeric_limits<T>::infinity());
  for (int64_t c = 0; c < columns; ++c) {
#pragma GCC unroll 4
    for (int j = 0; j < kTileVectors; ++j) {
      const V logit = Load<T>(tile + c * kLanes<T> + j * Simd<T>::kWidth) + constants[c];
      max[j] = Max(logit, max[j]);
    }
  }
  for (int j = 0; j < kTileVectors; ++j) Store<T>(largest + j * Simd<T>::kWidth, max[j]);
}

// Turns logits into e^(logit - reference) and adds them to the state. `kept` holds the num_kept
// columns of this panel that were folded before. They are scaled if the reference rises.
template <typename T>
void FoldSoftmax(T* tile, int64_t columns, const T* constants, T* kept, int64_t num_kept,
                 LogSumExp<T> state) {
  using V = typename Simd<T>::V;
  constexpr int kWidth = Simd<T>::kWidth;
  T largest[kLanes<T>];
  LargestLogits<T>(tile, columns, constants, largest);
  RaiseReference<T>(largest, kept, num_kept, state);
  V reference[kTileVectors], sum[kTileVectors];
  for (int j = 0; j < kTileVectors; ++j) {
    reference[j] = Load<T>(state.reference + j * kWidth);
    sum[j] = V{};
  }
  for (int64_t c = 0; c < columns; ++c) {
#pragma GCC unroll 4
    for (int j = 0; j < kTileVectors; ++j) {
      T* at = tile + c * kLanes<T> + j * kWidth;
      const V e = Exp<T>(Load<T>(at) + constants[c] - reference[j]);
      sum[j] += e;
      Store<T>(at, e);
    }
  }
  // Sums tile by tile: the error grows with the number of tiles, not of columns.
  for (int j = 0; j < kTileVectors; ++j) {
    T* const total = state.sum + j * kWidth;
    sum[j] += Load<T>(total);
    Store<T>(total, sum[j]);
  }
}

// Turns logits into e^(logit - reference): probabilities if the reference is the log-sum-exp.
template <typename T>
void FoldExponentials(T* tile, int64_t columns, const T* constants, const T* reference) {
  using V = typename Simd<T>::V;
  constexpr int kWidth = Simd<T>::kWidth;
  V references[kTileVectors];
  for (int j = 0; j < kTileVectors; ++j) references[j] = Load<T>(reference + j * kWidth);
  for (int64_t c = 0; c < columns; ++c) {
#pragma GCC unroll 4
    for (int j = 0; j < kTileVectors; ++j) {
      T* at = tile + c * kLanes<T> + j * kWidth;
      const V p = Exp<T>(Load<T>(at) + constants[c] - references[j]);
      Store<T>(at, p);
    }
  }
}

// Turns logits into sigmoids, and adds log(1 + e^logit) of each lane to `sum` unless that is null.
template <typename T>
void FoldSigmoid(T* tile, int64_t columns, const T* constants, T* sum) {
  using V = typename Simd<T>::V;
  constexpr int kWidth = Simd<T>::kWidth;
  // log(1 + e^x) = max(x, 0) + log1p(e^-|x|). The sum of log1p(e) is log1p(q) with
  // 1 + q = product of (1 + e): one logarithm for kRun columns. Storing q instead of 1 + q keeps
  // the sum accurate to a few ulp when all e are tiny. q < 2^kRun cannot overflow.
  constexpr int64_t kRun = 64;
  for (int64_t begin = 0; begin < columns; begin += kRun) {
    const int64_t end = std::min(begin + kRun, columns);
    V q[kTileVectors], positive[kTileVectors];
    for (int j = 0; j < kTileVectors; ++j) q[j] = V{}, positive[j] = V{};
    for (int64_t c = begin; c < end; ++c) {
#pragma GCC unroll 4
      for (int j = 0; j < kTileVectors; ++j) {
        T* at = tile + c * kLanes<T> + j * kWidth;
        const V x = Load<T>(at) + constants[c];
        const auto negative = x < T(0);
        const V e = Exp<T>(negative ? x : -x);
        positive[j] += negative ? V{} : x;
        q[j] = (q[j] + e) + q[j] * e;
        const V sigmoid = (negative ? e : Splat<T>(T(1))) / (e + T(1));
        Store<T>(at, sigmoid);
      }
    }
    if (sum == nullptr) continue;
    for (int j = 0; j < kTileVectors; ++j) {
      const V total = Load<T>(sum + j * kWidth) + (positive[j] + Log1p<T>(q[j]));
      Store<T>(sum + j * kWidth, total);
    }
  }
}

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_FOLD_H_
