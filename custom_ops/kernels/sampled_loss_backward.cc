// Three phases. In each, only one task writes a given number:
//   1. by panels of the batch: the inputs' gradient (and, if nothing was kept, the exponentials of
//   a
//      strip of columns, which phase 2 reads);
//   2. by blocks of columns: each sampled column's gradient, over the whole batch;
//   3. by unique rows: the sum of the contributions of its columns and its labels, in order.
#include <cmath>

#include "fold.h"
#include "sampled_logits.h"
#include "sampled_loss.h"
#include "stable_groups.h"

namespace sampled_compat {
namespace {

// The approximate size of a strip of recomputed columns, which is written once and read twice.
constexpr int64_t kStripBytes = (int64_t{16} << 20) / kLimitDivisor;
// Unique rows in one task of the last phase.
constexpr int64_t kRowBlock = 64;

template <typename T>
class Backward {
 public:
  // `upstream.true_logits` is null for the gradients of the loss, whose gradient by t is known.
  Backward(const SampledProblem<T>& problem, const SampledTerms<const T>& upstream,
           const T* normalizer, const T* kept, const SampledGradients<T>& gradients)
      : p_(problem),
        upstream_(upstream.negatives),
        true_upstream_(upstream.true_logits),
        reference_(normalizer),
        sum_(normalizer + problem.batch),
        kept_(kept),
        out_(gradients),
        logits_(problem),
        panels_(logits_.panels()),
        padded_dim_(RoundUp(p_.dim, kLanes<T>)),
        strip_(StripColumns()),
        first_row_(p_.num_sampled > 0 ? p_.sampled_positions[0] : 0),
        in_place_(ColumnsLieInRows()) {}

  void Run() {
    AllocateAndPack();
    ForEachRow();
    if (p_.num_sampled == 0) FinishInputs(0, p_.batch);
    for (int64_t begin = 0; begin < p_.num_sampled; begin += strip_) {
      const int64_t end = std::min(begin + strip_, p_.num_sampled);
      InputsPhase(begin, end);
      ColumnsPhase(begin, end);
    }
    RowsPhase();
  }

 private:
  static constexpr int kL = kLanes<T>;

  // The number of columns handled at once: all if they were kept, otherwise as many as fit a strip.
  int64_t StripColumns() const {
    if (kept_ != nullptr) return std::max<int64_t>(1, p_.num_sampled);
    const int64_t fits =
        kStripBytes / static_cast<int64_t>(sizeof(T)) / std::max<int64_t>(1, panels_ * kL);
    return std::min(RoundUp(p_.num_sampled, kTileWidth),
                    std::max(kTileWidth, fits / kTileWidth * kTileWidth));
  }

  // Whether a column's gradient can be summed directly in the gradient of its row: the columns are
  // consecutive rows (true unless classes stand once and one was sampled twice), and neither
  // dimension needs padding.
  bool ColumnsLieInRows() const {
    if (p_.dim != padded_dim_ || p_.num_sampled % kTileRows != 0) return false;
    for (int64_t s = 0; s < p_.num_sampled; ++s) {
      if (p_.sampled_positions[s] != first_row_ + s) return false;
    }
    return true;
  }

  void AllocateAndPack() {
    if (kept_ == nullptr) logits_.AddTo(&workspace_);
    const int64_t row_panels = padded_dim_ * p_.num_sampled;
    const int64_t input_panels = padded_dim_ * panels_ * kL;
    const int64_t strip = kept_ == nullptr ? panels_ * kL * strip_ : 0;
    const int64_t column_rows = in_place_ ? 0 : logits_.padded_columns() * padded_dim_;
    workspace_.Add<T>(row_panels);
    workspace_.Add<T>(input_panels);
    workspace_.Add<T>(input_panels);
    workspace_.Add<T>(strip);
    workspace_.Add<T>(column_rows);
    workspace_.Add<T>(panels_ * kL);
    workspace_.Add<T>(panels_ * kL);
    workspace_.Allocate();
    if (kept_ == nullptr) logits_.Pack(&workspace_);
    row_panels_ = workspace_.Take<T>(row_panels);
    input_panels_ = workspace_.Take<T>(input_panels);
    inputs_gradient_ = workspace_.Take<T>(input_panels);
    strip_tiles_ = workspace_.Take<T>(strip);
    column_rows_ =
        in_place_ ? out_.rows + first_row_ * padded_dim_ : workspace_.Take<T>(column_rows);
    scale_ = workspace_.Take<T>(panels_ * kL);
    padded_reference_ = workspace_.Take<T>(panels_ * kL);
    const int64_t tiles = CeilDiv(p_.num_sampled, kTileWidth);
    ParallelFor(tiles, [&](int64_t i) {
      const int64_t begin = i * kTileWidth;
      PackPanels<T>({p_.rows, p_.sampled_positions, p_.dim}, begin,
                    std::min(begin + kTileWidth, p_.num_sampled), nullptr, p_.num_sampled,
                    row_panels_ + begin * kL);
    });
  }

  // Computes each batch row's factor, its true classes' gradients, and its scaled inputs.
  void ForEachRow() {
    ParallelFor(panels_, [&](int64_t panel) {
      const int64_t begin = panel * kL, end = std::min<int64_t>(begin + kL, p_.batch);
      for (int64_t b = begin; b < begin + kL; ++b) {
        scale_[b] = b < end ? SampledScale(b) : T(0);
        padded_reference_[b] = b < end ? reference_[b] : T(0);
      }
      for (int64_t b = begin; b < end; ++b) {
        for (int64_t t = 0; t < p_.num_true; ++t) {
          out_.true_offset[b * p_.num_true + t] = TrueGradient(b, t);
        }
      }
      T* const to = input_panels_ + begin * kL;
      PackPanels<T>({p_.inputs, nullptr, p_.dim}, begin, end, scale_ + begin, panels_ * kL, to);
      for (int64_t d = 0; end < begin + kL && d < padded_dim_; d += kL) {
        T* const padding = to + d * panels_ * kL + (end - begin) * kL;
        std::fill(padding, padding + (begin + kL - end) * kL, T(0));
      }
      T* const gradient = inputs_gradient_ + begin * padded_dim_;
      std::fill(gradient, gradient + kL * padded_dim_, T(0));
    });
  }

  // The factor that turns a tile's number into the gradient of its logit. sum_ is 1 for the sigmoid
  // loss, NaN for a row whose loss is NaN, and 0 for the terms of a row without negatives.
  T SampledScale(int64_t b) const { return sum_[b] == 0 ? T(0) : upstream_[b] / sum_[b]; }

  T TrueGradient(int64_t b, int64_t t) const {
    if (true_upstream_ != nullptr) return true_upstream_[b * p_.num_true + t];
    const T x = TrueLogit(p_, b, t);
    T gradient = 0;
    switch (p_.kind) {
      case LossKind::kSoftmax:
        gradient = ExpOf<T>(x - reference_[b]) / sum_[b] - T(1) / p_.num_true;
        break;
      case LossKind::kSigmoid:
        // Computes sigmoid(x) - 1/T through sigmoid(-x), which keeps its precision where sigmoid(x)
        // rounds to 1.
        T remainder[Simd<T>::kWidth];
        Store<T>(remainder, Sigmoid<T>(Splat<T>(-x)));
        gradient = T(1) - T(1) / p_.num_true - remainder[0];
        break;
    }
    return upstream_[b] * gradient;
  }

  int64_t PanelStride() const {
    return (kept_ != nullptr ? logits_.padded_columns() : strip_) * kL;
  }
  const T* Tiles(int64_t panel) const {
    return (kept_ != nullptr ? kept_ : strip_tiles_) + panel * PanelStride();
  }

  void InputsPhase(int64_t begin, int64_t end) {
    const int64_t per_task = PanelsPerTask(panels_);
    ParallelFor(CeilDiv(panels_, per_task), [&](int64_t task) {
      const int64_t first = task * per_task;
      const int64_t count = std::min(per_task, panels_ - first);
      if (kept_ == nullptr) RecomputeStrip(first, count, begin, end);
      AddInputsGradient<T>(Tiles(first), count, PanelStride(), end - begin,
                           row_panels_ + begin * kL, p_.num_sampled,
                           inputs_gradient_ + first * kL * padded_dim_, padded_dim_);
      if (end == p_.num_sampled) FinishInputs(first * kL, count * kL);
    });
  }

  void RecomputeStrip(int64_t first, int64_t count, int64_t begin, int64_t end) {
    for (int64_t column = begin; column < end; column += kTileWidth) {
      const int64_t columns = std::min(kTileWidth, end - column);
      for (int64_t panel = first; panel < first + count; ++panel) {
        T* const tile = strip_tiles_ + panel * PanelStride() + (column - begin) * kL;
        logits_.Tile(panel, column, columns, tile);
        const T* const constants = logits_.Constants(column);
        switch (p_.kind) {
          case LossKind::kSoftmax:
            FoldExponentials<T>(tile, columns, constants, padded_reference_ + panel * kL);
            break;
          case LossKind::kSigmoid:
            FoldSigmoid<T>(tile, columns, constants, nullptr);
            break;
        }
        logits_.ClearPadding(panel, columns, tile);
      }
    }
  }

  // Applies the row's factor, and adds the part of its true classes.
  void FinishInputs(int64_t first, int64_t count) {
    for (int64_t b = first; b < std::min(first + count, p_.batch); ++b) {
      const T* const sampled = inputs_gradient_ + b * padded_dim_;
      T* const to = out_.inputs + b * p_.dim;
      for (int64_t d = 0; d < p_.dim; ++d) to[d] = sampled[d] * scale_[b];
      for (int64_t i = b * p_.num_true; i < (b + 1) * p_.num_true; ++i) {
        const T* const row = p_.rows + p_.true_positions[i] * p_.dim;
        const T g = out_.true_offset[i];
        for (int64_t d = 0; d < p_.dim; ++d) to[d] += g * row[d];
      }
    }
  }

  void ColumnsPhase(int64_t begin, int64_t end) {
    const int64_t width = ColumnsPerTask(end - begin);
    ParallelFor(CeilDiv(end - begin, width), [&](int64_t task) {
      const int64_t first = begin + task * width;
      ColumnBlock(first - begin, first, std::min(width, end - first));
    });
  }

  // Narrow blocks occupy more threads; wide ones read the inputs less often. Any width gives the
  // same sums.
  int64_t ColumnsPerTask(int64_t columns) const {
    const int64_t even = RoundUp(CeilDiv(columns, 4 * Threads()), kTileRows);
    return std::max<int64_t>(kTileRows, std::min(kTileWidth, even));
  }

  void ColumnBlock(int64_t offset, int64_t first, int64_t columns) {
    const int64_t padded = RoundUp(columns, kTileRows);
    T* const gradient = column_rows_ + first * padded_dim_;
    alignas(64) T sums[kTileWidth * Simd<T>::kWidth];
    std::fill(sums, sums + columns * Simd<T>::kWidth, T(0));
    if (panels_ == 0) std::fill(gradient, gradient + padded * padded_dim_, T(0));
    for (int64_t panel = 0; panel < panels_; panel += kPanelBlock) {
      const int64_t count = std::min(kPanelBlock, panels_ - panel);
      const T* const tiles = Tiles(panel) + offset * kL;
      RowsGradient<T>(tiles, count, PanelStride(), padded, input_panels_ + panel * kL * kL,
                      panels_ * kL, panel > 0, gradient, padded_dim_);
      for (int64_t i = 0; i < count; ++i) {
        AddColumnSums<T>(tiles + i * PanelStride(), columns, scale_ + (panel + i) * kL, sums);
      }
    }
    for (int64_t c = 0; c < columns; ++c) {
      out_.sampled_offset[first + c] = SumLanes<T>(Load<T>(sums + c * Simd<T>::kWidth));
    }
  }

  void RowsPhase() {
    const StableGroups labels(p_.true_positions, p_.batch * p_.num_true, p_.unique);
    const StableGroups columns(p_.sampled_positions, in_place_ ? 0 : p_.num_sampled, p_.unique);
    ParallelFor(CeilDiv(p_.unique, kRowBlock), [&](int64_t task) {
      const int64_t end = std::min((task + 1) * kRowBlock, p_.unique);
      for (int64_t u = task * kRowBlock; u < end; ++u) {
        T* const row = out_.rows + u * p_.dim;
        T bias = 0;
        const int64_t column = u - first_row_;
        if (in_place_ && column >= 0 && column < p_.num_sampled) {
          bias = out_.sampled_offset[column];
        } else {
          std::fill(row, row + p_.dim, T(0));
        }
        for (const int32_t s : columns[u]) {
          const T* const from = column_rows_ + s * padded_dim_;
          for (int64_t d = 0; d < p_.dim; ++d) row[d] += from[d];
          bias += out_.sampled_offset[s];
        }
        for (const int32_t i : labels[u]) {
          const T* const from = p_.inputs + i / p_.num_true * p_.dim;
          const T g = out_.true_offset[i];
          for (int64_t d = 0; d < p_.dim; ++d) row[d] += g * from[d];
          bias += g;
        }
        out_.biases[u] = bias;
      }
    });
  }

  const SampledProblem<T>& p_;
  const T* const upstream_;       // [batch]
  const T* const true_upstream_;  // [batch, num_true], or null
  const T* const reference_;      // [batch]
  const T* const sum_;            // [batch]
  const T* const kept_;
  const SampledGradients<T>& out_;
  SampledLogits<T> logits_;
  const int64_t panels_;
  const int64_t padded_dim_;
  const int64_t strip_;
  const int64_t first_row_;  // The row of column 0.
  const bool in_place_;
  Workspace workspace_;
  T* row_panels_ = nullptr;        // PackPanels of the sampled columns' rows
  T* input_panels_ = nullptr;      // PackPanels of the inputs, each row times its scale
  T* inputs_gradient_ = nullptr;   // [panels * kL, padded_dim], before the row's scale
  T* strip_tiles_ = nullptr;       // [panels][strip][kL], where nothing was kept
  T* column_rows_ = nullptr;       // [columns, padded_dim]: the gradient of each column's row
  T* scale_ = nullptr;             // [panels * kL]
  T* padded_reference_ = nullptr;  // [panels * kL]
};

}  // namespace

template <typename T>
void SampledLossBackward(const SampledProblem<T>& problem, const T* upstream, const T* normalizer,
                         const T* kept, const SampledGradients<T>& gradients) {
  const SmallWork small(IsSmall(problem));
  Backward<T>(problem, {upstream, nullptr}, normalizer, kept, gradients).Run();
}

template <typename T>
void SampledTermsBackward(const SampledProblem<T>& problem, const SampledTerms<const T>& upstream,
                          const T* normalizer, const T* kept,
                          const SampledGradients<T>& gradients) {
  const SmallWork small(IsSmall(problem));
  Backward<T>(problem, upstream, normalizer, kept, gradients).Run();
}

template void SampledLossBackward(const SampledProblem<float>&, const float*, const float*,
                                  const float*, const SampledGradients<float>&);
template void SampledLossBackward(const SampledProblem<double>&, const double*, const double*,
                                  const double*, const SampledGradients<double>&);
template void SampledTermsBackward(const SampledProblem<float>&, const SampledTerms<const float>&,
                                   const float*, const float*, const SampledGradients<float>&);
template void SampledTermsBackward(const SampledProblem<double>&, const SampledTerms<const double>&,
                                   const double*, const double*, const SampledGradients<double>&);

}  // namespace sampled_compat
