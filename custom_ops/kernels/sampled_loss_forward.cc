#include <algorithm>
#include <cmath>
#include <vector>

#include "fold.h"
#include "sampled_logits.h"
#include "sampled_loss.h"

namespace sampled_compat {
namespace {

// What a true class adds to the sigmoid loss: softplus(x) - target * x.
template <typename T>
T TrueCrossEntropy(T x, T target) {
  T softplus[Simd<T>::kWidth];
  Store<T>(softplus, Softplus<T>(Splat<T>(x)));
  return softplus[0] - x * target;
}

// Folds all tiles of one panel.
template <typename T>
class PanelForward {
 public:
  // Takes `true_logits` [batch, num_true] to fill its panel's rows of it.
  PanelForward(const SampledLossProblem<T>& problem, const SampledLogits<T>& logits, int64_t panel,
               T* true_logits)
      : p_(problem), logits_(logits), panel_(panel), in_use_(logits.LanesInUse(panel)) {
    for (int lane = 0; lane < in_use_; ++lane) {
      const int64_t b = panel * kLanes<T> + lane;
      T* const x = true_logits + b * p_.num_true;
      for (int64_t t = 0; t < p_.num_true; ++t) x[t] = TrueLogit(p_, b, t);
      StartRow(x, lane);
    }
  }

  // `tile` is where the columns from `begin` on are folded; `kept` where the panel's first column
  // is, if it is kept.
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

  void Finish(T* loss, T* normalizer) const {
    T logs[kLanes<T>];
    for (int i = 0; i < kLanes<T>; i += Simd<T>::kWidth) {
      Store<T>(logs + i, Log<T>(Load<T>(sum_ + i)));
    }
    for (int lane = 0; lane < in_use_; ++lane) {
      const int64_t b = panel_ * kLanes<T> + lane;
      T* const reference = normalizer + b;
      T* const sum = normalizer + p_.batch + b;
      switch (p_.kind) {
        case LossKind::kSoftmax:
          loss[b] = (reference_[lane] - true_mean_[lane]) + logs[lane];
          *reference = reference_[lane];
          *sum = sum_[lane];
          break;
        case LossKind::kSigmoid:
          loss[b] = sum_[lane];
          *reference = 0;
          *sum = 1;
          break;
      }
      if (std::isfinite(loss[b]) && IsFinite(p_.inputs + b * p_.dim)) continue;
      // A row with an infinite logit has no cross entropy, and its softmax has no gradient.
      loss[b] = std::numeric_limits<T>::quiet_NaN();
      if (p_.kind == LossKind::kSoftmax) *sum = loss[b];
    }
  }

 private:
  bool IsFinite(const T* x) const {
    return std::all_of(x, x + p_.dim, [](T number) { return std::isfinite(number); });
  }

  // The true classes open a row's sum.
  void StartRow(const T* x, int lane) {
    T largest = -std::numeric_limits<T>::infinity(), total = 0, sum = 0;
    for (int64_t t = 0; t < p_.num_true; ++t) {
      largest = x[t] > largest ? x[t] : largest;
      total += x[t];
    }
    true_mean_[lane] = total / p_.num_true;
    // Only a finite number can be subtracted from the logits.
    reference_[lane] = std::isfinite(largest) ? largest : 0;
    for (int64_t t = 0; t < p_.num_true; ++t) {
      switch (p_.kind) {
        case LossKind::kSoftmax:
          sum += ExpOf<T>(x[t] - reference_[lane]);
          break;
        case LossKind::kSigmoid:
          sum += TrueCrossEntropy<T>(x[t], T(1) / p_.num_true);
          break;
      }
    }
    sum_[lane] = sum;
  }

  const SampledLossProblem<T>& p_;
  const SampledLogits<T>& logits_;
  const int64_t panel_;
  const int64_t in_use_;
  T reference_[kLanes<T>] = {};
  T sum_[kLanes<T>] = {};
  T true_mean_[kLanes<T>] = {};
};

}  // namespace

template <typename T>
int64_t KeptCount(int64_t batch, int64_t num_sampled) {
  const int64_t lanes = RoundUp(batch, kLanes<T>);
  const int64_t columns = RoundUp(num_sampled, kTileRows);
  // As a quotient: the product of the two may not fit.
  if (lanes == 0 || columns > kMaxKeptBytes / static_cast<int64_t>(sizeof(T)) / lanes) return 0;
  return lanes * columns;
}

template <typename T>
bool SampledLossForward(const SampledLossProblem<T>& p, T* loss, T* normalizer, T* kept) {
  const SmallWork small(IsSmall(p));
  SampledLogits<T> logits(p);
  Workspace workspace;
  logits.AddTo(&workspace);
  workspace.Add<T>(p.batch * p.num_true);
  if (!workspace.Allocate()) return false;
  logits.Pack(&workspace);
  T* const true_logits = workspace.Take<T>(p.batch * p.num_true);
  const int64_t panel_stride = logits.padded_columns() * kLanes<T>;
  const int64_t per_task = PanelsPerTask(logits.panels());
  ParallelFor(CeilDiv(logits.panels(), per_task), [&](int64_t task) {
    const int64_t first = task * per_task;
    const int64_t count = std::min(per_task, logits.panels() - first);
    alignas(64) T unkept_tile[kTileWidth * kLanes<T>];
    std::vector<PanelForward<T>> panels;
    panels.reserve(count);
    for (int64_t i = 0; i < count; ++i) panels.emplace_back(p, logits, first + i, true_logits);
    for (int64_t begin = 0; begin < p.num_sampled; begin += kTileWidth) {
      for (int64_t i = 0; i < count; ++i) {
        T* const base = kept == nullptr ? nullptr : kept + (first + i) * panel_stride;
        panels[i].Fold(begin, base == nullptr ? unkept_tile : base + begin * kLanes<T>, base);
      }
    }
    for (int64_t i = 0; i < count; ++i) panels[i].Finish(loss, normalizer);
  });
  return true;
}

template int64_t KeptCount<float>(int64_t, int64_t);
template int64_t KeptCount<double>(int64_t, int64_t);
template bool SampledLossForward(const SampledLossProblem<float>&, float*, float*, float*);
template bool SampledLossForward(const SampledLossProblem<double>&, double*, double*, double*);

}  // namespace sampled_compat
