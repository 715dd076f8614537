#include "class_stream.h"
#include "full.h"
#include "log_sum_exp.h"

namespace sampled_compat {

template <typename T>
void FullReduce(const FullProblem<T>& p, LossKind kind, T* reduced, T* true_logits) {
  // Enough chunks for every thread, but few enough that their states are small beside the inputs.
  ClassStream<T> stream(
      p, std::clamp<int64_t>((int64_t{1} << 21) / kLimitDivisor / std::max<int64_t>(1, p.batch), 1,
                             64));
  const int64_t lanes = stream.lanes();
  Workspace workspace;
  stream.AddTo(&workspace);
  workspace.Add<T>(stream.chunks() * lanes);
  workspace.Add<T>(stream.chunks() * lanes);
  workspace.Allocate();
  stream.Pack(&workspace);
  T* const reference = workspace.Take<T>(stream.chunks() * lanes);
  T* const sum = workspace.Take<T>(stream.chunks() * lanes);
  StartLogSumExp(stream.chunks() * lanes, reference, sum);
  std::fill(true_logits, true_logits + p.batch * p.num_true, T(0));
  stream.ForEachBlock(true, [&](int64_t chunk, int64_t first_panel, int64_t end_panel,
                                int64_t first_class, int64_t columns, const T*, const T* groups) {
    alignas(64) T tile[kTileWidth * kLanes<T>];
    for (int64_t panel = first_panel; panel < end_panel; ++panel) {
      const int64_t at = chunk * lanes + panel * kLanes<T>;
      stream.Tile(panel, columns, groups, tile);
      const T* const biases = p.biases + first_class;
      stream.ForEachTrue(panel, first_class, columns, [&](int64_t i, int64_t b, int64_t column) {
        true_logits[i] = tile[column * kLanes<T> + b % kLanes<T>] + biases[column];
      });
      stream.MaskTrue(panel, first_class, columns, tile);
      switch (kind) {
        case LossKind::kSoftmax:
          FoldSoftmax<T>(tile, columns, biases, nullptr, 0, {reference + at, sum + at});
          break;
        case LossKind::kSigmoid:
          FoldSigmoid<T>(tile, columns, biases, sum + at);
          break;
      }
    }
  });
  for (int64_t b = 0; b < p.batch; ++b) {
    switch (kind) {
      case LossKind::kSoftmax:
        reduced[b] = FinishLogSumExp(reference + b, sum + b, stream.chunks(), lanes);
        break;
      case LossKind::kSigmoid:
        reduced[b] = 0;
        for (int64_t chunk = 0; chunk < stream.chunks(); ++chunk) {
          reduced[b] += sum[chunk * lanes + b];
        }
        break;
    }
  }
}

template void FullReduce(const FullProblem<float>&, LossKind, float*, float*);
template void FullReduce(const FullProblem<double>&, LossKind, double*, double*);

}  // namespace sampled_compat
