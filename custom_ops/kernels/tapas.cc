#include "tapas.h"

#include "block_products.h"
#include "log_sum_exp.h"
#include "row_blocks.h"
#include "scratch.h"
#include "thread_pool.h"

namespace sampled_compat {

// Here the lanes are classes and the columns are batch rows, so the sum over a tile's columns is
// the sum over the batch.
template <typename T>
void TapasScores(const TapasProblem<T>& p, T* scores) {
  constexpr int kL = kLanes<T>;
  const int64_t padded_batch = RoundUp(p.batch, kTileRows);
  Workspace workspace;
  workspace.Add<T>(padded_batch * p.dim);
  workspace.Add<T>(p.batch);
  workspace.Allocate();
  T* const groups = workspace.Take<T>(padded_batch * p.dim);
  T* const constants = workspace.Take<T>(p.batch);
  std::fill(constants, constants + p.batch, T(0));
  ParallelFor(CeilDiv(p.batch, kTileWidth), [&](int64_t i) {
    const int64_t begin = i * kTileWidth;
    PackTransposed<T, kTileRows>({p.inputs, nullptr, p.dim}, begin,
                                 std::min(begin + kTileWidth, p.batch), T(1) / p.temperature,
                                 groups + begin * p.dim);
  });
  const RowBlocks<T> rows(p.rows_type, p.rows, p.dim);
  constexpr int64_t kTaskRows = kPanelBlock * kL;
  ParallelFor(CeilDiv(p.num_sampled, kTaskRows), [&](int64_t task) {
    const int64_t begin = task * kTaskRows;
    const int64_t end = std::min(begin + kTaskRows, p.num_sampled);
    const int64_t panels = CeilDiv(end - begin, kL);
    Workspace memory;
    memory.Add<T>(rows.BufferSize(kTaskRows));
    memory.Add<T>(kTaskRows * p.dim);
    memory.Allocate();
    T* const buffer = memory.Take<T>(rows.BufferSize(kTaskRows));
    T* const lanes = memory.Take<T>(kTaskRows * p.dim);
    PackTransposed<T, kL>({rows.Block(begin, end, buffer), nullptr, p.dim}, 0, end - begin, T(1),
                          lanes);
    alignas(64) T tile[kTileWidth * kL];
    T reference[kTaskRows], sum[kTaskRows];
    StartLogSumExp(kTaskRows, reference, sum);
    for (int64_t b = 0; b < p.batch; b += kTileWidth) {
      const int64_t columns = std::min(kTileWidth, p.batch - b);
      for (int64_t panel = 0; panel < panels; ++panel) {
        LogitsTile<T>(groups + b * p.dim, RoundUp(columns, kTileRows), lanes + panel * kL * p.dim,
                      p.dim, tile);
        FoldSoftmax<T>(tile, columns, constants + b, nullptr, 0,
                       {reference + panel * kL, sum + panel * kL});
      }
    }
    for (int64_t s = begin; s < end; ++s) {
      const int64_t lane = s - begin;
      scores[s] = FinishLogSumExp(reference + lane, sum + lane, 1, 0) + p.biases[s] / p.temperature;
    }
  });
}

template void TapasScores(const TapasProblem<float>&, float*);
template void TapasScores(const TapasProblem<double>&, double*);

}  // namespace sampled_compat
