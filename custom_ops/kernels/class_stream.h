// Visits the logits of all classes tile by tile, in chunks of classes that run in parallel.
#ifndef SAMPLED_COMPAT_KERNELS_CLASS_STREAM_H_
#define SAMPLED_COMPAT_KERNELS_CLASS_STREAM_H_

#include <algorithm>
#include <limits>

#include "block_products.h"
#include "full.h"
#include "row_blocks.h"
#include "scratch.h"
#include "thread_pool.h"

namespace sampled_compat {

template <typename T>
class ClassStream {
 public:
  static constexpr int kL = kLanes<T>;

  // Uses at most max_chunks chunks. Their number depends on the shapes alone, and so does the order
  // of sums over chunks.
  ClassStream(const FullProblem<T>& problem, int64_t max_chunks)
      : p_(problem),
        weights_(problem.weights_type, problem.weights, problem.dim),
        panels_(CeilDiv(problem.batch, kL)),
        chunk_classes_(std::max(
            kTileWidth,
            RoundUp(CeilDiv(problem.classes, std::max<int64_t>(1, max_chunks)), kTileWidth))),
        chunks_(CeilDiv(problem.classes, chunk_classes_)) {}

  const RowBlocks<T>& weights() const { return weights_; }
  int64_t panels() const { return panels_; }
  int64_t lanes() const { return panels_ * kL; }
  int64_t chunks() const { return chunks_; }

  void AddTo(Workspace* workspace) const { workspace->Add<T>(lanes() * p_.dim); }

  // Packs the inputs. REQUIRES: AddTo(workspace) was called, and earlier arrays have been taken.
  void Pack(Workspace* workspace) {
    inputs_ = workspace->Take<T>(lanes() * p_.dim);
    ParallelFor(panels_, [&](int64_t panel) {
      PackTransposed<T, kL>({p_.inputs, nullptr, p_.dim}, panel * kL,
                            std::min<int64_t>((panel + 1) * kL, p_.batch), T(1),
                            inputs_ + panel * kL * p_.dim);
    });
  }

  // Calls visit(chunk, first_panel, end_panel, first_class, columns, rows, groups) for each block
  // of classes, in order within a chunk. `rows` are the block's rows as T, and `groups` the same
  // packed for LogitsTile. Chunks run in parallel, and with split_panels the panels may too.
  template <typename Visit>
  void ForEachBlock(bool split_panels, const Visit& visit) const {
    const int64_t wanted = CeilDiv(2 * Threads(), std::max<int64_t>(1, chunks_));
    const int64_t shares = split_panels ? std::max<int64_t>(1, std::min(panels_, wanted)) : 1;
    const int64_t share = CeilDiv(panels_, shares);
    ParallelFor(chunks_ * shares, [&](int64_t task) {
      const int64_t chunk = task / shares;
      const int64_t first_panel = task % shares * share;
      const int64_t end_panel = std::min(first_panel + share, panels_);
      if (split_panels && first_panel >= end_panel) return;
      Workspace memory;
      memory.Add<T>(weights_.BufferSize(kTileWidth));
      memory.Add<T>(kTileWidth * p_.dim);
      memory.Allocate();
      T* const buffer = memory.Take<T>(weights_.BufferSize(kTileWidth));
      T* const groups = memory.Take<T>(kTileWidth * p_.dim);
      const int64_t end = std::min((chunk + 1) * chunk_classes_, p_.classes);
      for (int64_t c = chunk * chunk_classes_; c < end; c += kTileWidth) {
        const int64_t columns = std::min(kTileWidth, end - c);
        const T* const rows = weights_.Block(c, c + columns, buffer);
        PackTransposed<T, kTileRows>({rows, nullptr, p_.dim}, 0, columns, T(1), groups);
        visit(chunk, first_panel, end_panel, c, columns, rows, groups);
      }
    });
  }

  void Tile(int64_t panel, int64_t columns, const T* groups, T* tile) const {
    LogitsTile<T>(groups, RoundUp(columns, kTileRows), inputs_ + panel * kL * p_.dim, p_.dim, tile);
  }

  // Calls visit(i, b, column) for each label i, of batch row b, that is one of the `columns`
  // classes from first_class on, for the rows of a panel.
  template <typename Visit>
  void ForEachTrue(int64_t panel, int64_t first_class, int64_t columns, const Visit& visit) const {
    for (int64_t b = panel * kL; b < std::min<int64_t>((panel + 1) * kL, p_.batch); ++b) {
      for (int64_t i = b * p_.num_true; i < (b + 1) * p_.num_true; ++i) {
        const int64_t label = p_.labels[i];
        if (label >= first_class && label < first_class + columns) visit(i, b, label - first_class);
      }
    }
  }

  // Leaves the true classes out of a tile, before the constants are added.
  void MaskTrue(int64_t panel, int64_t first_class, int64_t columns, T* tile) const {
    ForEachTrue(panel, first_class, columns, [&](int64_t, int64_t b, int64_t column) {
      tile[column * kL + b % kL] = -std::numeric_limits<T>::infinity();
    });
  }

 private:
  const FullProblem<T>& p_;
  const RowBlocks<T> weights_;
  const int64_t panels_;
  const int64_t chunk_classes_;
  const int64_t chunks_;
  T* inputs_ = nullptr;
};

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_CLASS_STREAM_H_
