#include <algorithm>
#include <cmath>

#include "fold.h"
#include "log_sum_exp.h"
#include "sampled_logits.h"
#include "sampled_loss.h"

namespace sampled_compat {
namespace {

// A true class's part of the sigmoid loss: softplus(x) - target * x.
template <typename T>
T TrueCrossEntropy(T x, T target) {
  T softplus[Simd<T>::kWidth];
  Store<T>(softplus, Softplus<T>(Splat<T>(x)));
  return softplus[0] - x * target;
}

// Starts and finishes a row's sum, for the loss.
template <typename T>
struct LossOfRow {
  // The sum starts with the true classes' logits `x`.
  static void Open(const SampledProblem<T>& p, const T* x, T* reference, T* sum) {
    T largest = -std::numeric_limits<T>::infinity();
    for (int64_t t = 0; t < p.num_true; ++t) largest = x[t] > largest ? x[t] : largest;
    // Only a finite number can be subtracted from the logits.
    *reference = std::isfinite(largest) ? largest : 0;
    *sum = 0;
    for (int64_t t = 0; t < p.num_true; ++t) {
      switch (p.kind) {
        case LossKind::kSoftmax:
          *sum += ExpOf<T>(x[t] - *reference);
          break;
        case LossKind::kSigmoid:
          *sum += TrueCrossEntropy<T>(x[t], T(1) / p.num_true);
          break;
      }
    }
  }

  static T LogSumExp(const SampledProblem<T>& p, const T* x, T reference, T log_sum) {
    T total = 0;
    for (int64_t t = 0; t < p.num_true; ++t) total += x[t];
    return (reference - total / p.num_true) + log_sum;
  }

  static bool IsValid(T loss) { return std::isfinite(loss); }
};

// The same for the terms: the sum of the negatives alone.
template <typename T>
struct TermsOfRow {
  static void Open(const SampledProblem<T>&, const T*, T* reference, T* sum) {
    StartLogSumExp<T>(1, reference, sum);
  }

  static T LogSumExp(const SampledProblem<T>&, const T*, T reference, T log_sum) {
    return reference + log_sum;
  }

  // Without negatives it is -infinity, which is valid.
  static bool IsValid(T negatives) { return negatives < std::numeric_limits<T>::infinity(); }
};

// Folds all tiles of one panel. Row is LossOfRow or TermsOfRow.
template <typename T, typename Row>
class PanelForward {
 public:
  // Fills the panel's rows of `true_logits` [batch, num_true].
  PanelForward(const SampledProblem<T>& problem, const SampledLogits<T>& logits, int64_t panel,
               T* true_logits)
      : p_(problem),
        logits_(logits),
        panel_(panel),
        in_use_(logits.LanesInUse(panel)),
        true_logits_(true_logits) {
    for (int lane = 0; lane < in_use_; ++lane) {
      T* const x = TrueLogits(lane);
      for (int64_t t = 0; t < p_.num_true; ++t) x[t] = TrueLogit(p_, BatchRow(lane), t);
      Row::Open(p_, x, reference_ + lane, sum_ + lane);
    }
  }

  // Folds the columns from `begin` on, in `tile`. `kept` points to the panel's first column, or is
  // null if nothing is kept.
  void Fold(int64_t begin, T* tile, T* kept) {
    const int64_t columns = std::min(kTileWidth, p_.num_sampled - begin);
    logits_.Tile(panel_, begin, columns, tile);
    const T* constants = logits_.Constants(begin);
    switch (p_.kind) {
      case LossKind::kSoftmax:
        FoldSoftmax<T>(tile, columns, constants, kept, kept == nullptr ? 0 : begin,
                       {reference_, sum_});
        break;
      case LossKind::kSigmoid:
        FoldSigmoid<T>(tile, columns, constants, sum_);
        break;
    }
    if (kept != nullptr) logits_.ClearPadding(panel_, columns, tile);
  }

  // Fills the panel's rows of `results` [batch] and `normalizer`.
  void Finish(T* results, T* normalizer) const {
    T logs[kLanes<T>];
    for (int i = 0; i < kLanes<T>; i += Simd<T>::kWidth) {
      Store<T>(logs + i, Log<T>(Load<T>(sum_ + i)));
    }
    for (int lane = 0; lane < in_use_; ++lane) {
      const int64_t b = BatchRow(lane);
      T* const reference = normalizer + b;
      T* const sum = normalizer + p_.batch + b;
      switch (p_.kind) {
        case LossKind::kSoftmax:
          results[b] = Row::LogSumExp(p_, TrueLogits(lane), reference_[lane], logs[lane]);
          *reference = reference_[lane];
          *sum = sum_[lane];
          break;
        case LossKind::kSigmoid:
          results[b] = sum_[lane];
          *reference = 0;
          *sum = 1;
          break;
      }
      if (Row::IsValid(results[b]) && IsFinite(p_.inputs + b * p_.dim)) continue;
      // A row with an infinite logit has no cross entropy, and its softmax has no gradient.
      results[b] = std::numeric_limits<T>::quiet_NaN();
      if (p_.kind == LossKind::kSoftmax) *sum = results[b];
    }
  }

 private:
  int64_t BatchRow(int lane) const { return panel_ * kLanes<T> + lane; }
  T* TrueLogits(int lane) const { return true_logits_ + BatchRow(lane) * p_.num_true; }
  bool IsFinite(const T* x) const {
    return std::all_of(x, x + p_.dim, [](T number) { return std::isfinite(number); });
  }

  const SampledProblem<T>& p_;
  const SampledLogits<T>& logits_;
  const int64_t panel_;
  const int64_t in_use_;
  T* const true_logits_;
  T reference_[kLanes<T>] = {};
  T sum_[kLanes<T>] = {};
};

// Fills results [batch] by Row, and `true_logits` unless it is null.
template <typename T, typename Row>
void Forward(const SampledProblem<T>& p, T* results, T* true_logits, T* normalizer, T* kept) {
  const SmallWork small(IsSmall(p));
  SampledLogits<T> logits(p);
  Workspace workspace;
  logits.AddTo(&workspace);
  const int64_t own_logits = true_logits == nullptr ? p.batch * p.num_true : 0;
  workspace.Add<T>(own_logits);
  workspace.Allocate();
  logits.Pack(&workspace);
  if (true_logits == nullptr) true_logits = workspace.Take<T>(own_logits);
  const int64_t panel_stride = logits.padded_columns() * kLanes<T>;
  const int64_t per_task = PanelsPerTask(logits.panels());
  ParallelFor(CeilDiv(logits.panels(), per_task), [&](int64_t task) {
    const int64_t first = task * per_task;
    const int64_t count = std::min(per_task, logits.panels() - first);
    alignas(64) T unkept_tile[kTileWidth * kLanes<T>];
    Vector<PanelForward<T, Row>> panels;
    panels.reserve(count);
    for (int64_t i = 0; i < count; ++i) panels.emplace_back(p, logits, first + i, true_logits);
    for (int64_t begin = 0; begin < p.num_sampled; begin += kTileWidth) {
      for (int64_t i = 0; i < count; ++i) {
        T* const base = kept == nullptr ? nullptr : kept + (first + i) * panel_stride;
        panels[i].Fold(begin, base == nullptr ? unkept_tile : base + begin * kLanes<T>, base);
      }
    }
    for (int64_t i = 0; i < count; ++i) panels[i].Finish(results, normalizer);
  });
}

}  // namespace

template <typename T>
int64_t KeptCount(int64_t batch, int64_t num_sampled) {
  const int64_t lanes = RoundUp(batch, kLanes<T>);
  const int64_t columns = RoundUp(num_sampled, kTileRows);
  // Compares by a quotient, because the product may overflow.
  if (lanes == 0 || columns > kMaxKeptBytes / static_cast<int64_t>(sizeof(T)) / lanes) return 0;
  return lanes * columns;
}

template <typename T>
void SampledLossForward(const SampledProblem<T>& p, T* loss, T* normalizer, T* kept) {
  Forward<T, LossOfRow<T>>(p, loss, nullptr, normalizer, kept);
}

template <typename T>
void SampledTermsForward(const SampledProblem<T>& p, const SampledTerms<T>& terms, T* normalizer,
                         T* kept) {
  Forward<T, TermsOfRow<T>>(p, terms.negatives, terms.true_logits, normalizer, kept);
}

template int64_t KeptCount<float>(int64_t, int64_t);
template int64_t KeptCount<double>(int64_t, int64_t);
template void SampledLossForward(const SampledProblem<float>&, float*, float*, float*);
template void SampledLossForward(const SampledProblem<double>&, double*, double*, double*);
template void SampledTermsForward(const SampledProblem<float>&, const SampledTerms<float>&, float*,
                                  float*);
template void SampledTermsForward(const SampledProblem<double>&, const SampledTerms<double>&,
                                  double*, double*);

}  // namespace sampled_compat
