// The logits of a sampled loss: the true ones one by one, the sampled ones tile by tile.
#ifndef SAMPLED_COMPAT_KERNELS_SAMPLED_LOGITS_H_
#define SAMPLED_COMPAT_KERNELS_SAMPLED_LOGITS_H_

#include <algorithm>
#include <limits>

#include "block_products.h"
#include "sampled_loss.h"
#include "scratch.h"
#include "thread_pool.h"

namespace sampled_compat {

// The number of panels per task: enough to share the cache's contents, few enough to occupy all
// threads. It does not change a panel's results.
inline int64_t PanelsPerTask(int64_t panels) {
  return std::max<int64_t>(1, std::min(kPanelBlock, panels / (2 * Threads())));
}

// Whether one thread finishes a problem before a second could start: about 20 us of arithmetic.
template <typename T>
bool IsSmall(const SampledProblem<T>& p) {
  return static_cast<double>(p.batch) * p.dim * (p.num_sampled + p.num_true) <
         (1 << 21) / kLimitDivisor;
}

template <typename T>
T TrueLogit(const SampledProblem<T>& p, int64_t b, int64_t t) {
  const int64_t i = b * p.num_true + t;
  const int32_t position = p.true_positions[i];
  return Dot(p.inputs + b * p.dim, p.rows + position * p.dim, p.dim) + p.biases[position] +
         p.true_offset[i];
}

// Tiles of the sampled logits with hits masked, before the columns' constants are added.
template <typename T>
class SampledLogits {
 public:
  explicit SampledLogits(const SampledProblem<T>& problem)
      : p_(problem),
        panels_(CeilDiv(p_.batch, kLanes<T>)),
        padded_columns_(RoundUp(p_.num_sampled, kTileRows)) {}

  int64_t panels() const { return panels_; }
  // The number of columns, padded to whole groups.
  int64_t padded_columns() const { return padded_columns_; }
  // The number of batch rows in a panel; the other lanes are padding.
  int64_t LanesInUse(int64_t panel) const {
    return std::min<int64_t>(kLanes<T>, p_.batch - panel * kLanes<T>);
  }

  void AddTo(Workspace* workspace) const {
    workspace->Add<T>(padded_columns_ * p_.dim);
    workspace->Add<T>(panels_ * kLanes<T> * p_.dim);
    workspace->Add<T>(p_.num_sampled);
    workspace->Add<T>(p_.num_sampled);
  }

  // Packs both operands. REQUIRES: AddTo(workspace) was called, and earlier arrays have been taken.
  void Pack(Workspace* workspace) {
    groups_ = workspace->Take<T>(padded_columns_ * p_.dim);
    lanes_ = workspace->Take<T>(panels_ * kLanes<T> * p_.dim);
    constants_ = workspace->Take<T>(p_.num_sampled);
    lost_ = workspace->Take<T>(p_.num_sampled);
    const RowSource<T> rows{p_.rows, p_.sampled_positions, p_.dim};
    const RowSource<T> inputs{p_.inputs, nullptr, p_.dim};
    const int64_t tiles = CeilDiv(p_.num_sampled, kTileWidth);
    ParallelFor(tiles + panels_, [&](int64_t i) {
      if (i < tiles) {
        const int64_t begin = i * kTileWidth;
        const int64_t end = std::min(begin + kTileWidth, p_.num_sampled);
        PackTransposed<T, kTileRows>(rows, begin, end, T(1), groups_ + begin * p_.dim);
        for (int64_t s = begin; s < end; ++s) {
          AddConstants(s, p_.biases[p_.sampled_positions[s]], p_.sampled_offset[s]);
        }
      } else {
        const int64_t begin = (i - tiles) * kLanes<T>;
        const int64_t end = std::min<int64_t>(begin + kLanes<T>, p_.batch);
        PackTransposed<T, kLanes<T>>(inputs, begin, end, T(1), lanes_ + begin * p_.dim);
      }
    });
  }

  const T* Constants(int64_t column) const { return constants_ + column; }

  // Fills `tile` with the logits of `columns` columns from `begin` on.
  // REQUIRES: begin is a multiple of kTileWidth, columns <= kTileWidth; the tile has room for
  // columns rounded up to kTileRows.
  void Tile(int64_t panel, int64_t begin, int64_t columns, T* tile) const {
    LogitsTile<T>(groups_ + begin * p_.dim, RoundUp(columns, kTileRows),
                  lanes_ + panel * kLanes<T> * p_.dim, p_.dim, tile);
    for (int64_t c = 0; c < columns; ++c) {
      for (int j = 0; j < kLanes<T>; j += Simd<T>::kWidth) {
        T* const at = tile + c * kLanes<T> + j;
        const typename Simd<T>::V logit = Load<T>(at) + lost_[begin + c];
        Store<T>(at, logit);
      }
    }
    const int32_t first_row = static_cast<int32_t>(panel * kLanes<T>);
    const Hit* hits = reinterpret_cast<const Hit*>(p_.hits);
    const Hit* hit = std::lower_bound(hits, hits + p_.num_hits, Hit{first_row, 0});
    for (; hit != hits + p_.num_hits && hit->row < first_row + kLanes<T>; ++hit) {
      const int64_t column = hit->column - begin;
      if (column < 0 || column >= columns) continue;
      tile[column * kLanes<T> + (hit->row - first_row)] = -std::numeric_limits<T>::infinity();
    }
  }

  // Zeroes the padding lanes of a folded tile: they hold no row and must add nothing.
  void ClearPadding(int64_t panel, int64_t columns, T* tile) const {
    const int64_t in_use = LanesInUse(panel);
    for (int64_t c = 0; in_use < kLanes<T> && c < columns; ++c) {
      std::fill(tile + c * kLanes<T> + in_use, tile + (c + 1) * kLanes<T>, T(0));
    }
  }

 private:
  struct Hit {
    int32_t row, column;
    bool operator<(const Hit& other) const {
      return row != other.row ? row < other.row : column < other.column;
    }
  };

  // Stores the sum of a column's constants and its rounding error. Without it, every batch row
  // would have the same error, and these would add up in the gradient of the column's bias.
  void AddConstants(int64_t s, T bias, T offset) {
    const T sum = bias + offset;
    const T added = sum - bias;
    const T lost = (bias - (sum - added)) + (offset - added);
    constants_[s] = sum;
    lost_[s] = lost == lost ? lost : T(0);  // Infinite constants lose nothing.
  }

  const SampledProblem<T>& p_;
  const int64_t panels_;
  const int64_t padded_columns_;
  T* groups_ = nullptr;
  T* lanes_ = nullptr;
  T* constants_ = nullptr;
  T* lost_ = nullptr;
};

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_SAMPLED_LOGITS_H_
