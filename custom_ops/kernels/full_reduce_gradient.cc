// One pass over the classes. It recomputes a block's probabilities. They give the whole gradient of
// the block's weights and a part of the inputs' gradient. Each chunk sums its own parts, and these
// sums are added at the end, in order.
#include "class_stream.h"
#include "fold.h"
#include "full.h"

namespace sampled_compat {
namespace {

// The memory limit for the chunks' sums of the inputs' gradient, and the minimum number of chunks.
constexpr int64_t kPartsBytes = (int64_t{32} << 20) / kLimitDivisor;
constexpr int64_t kFewestChunks = 4, kMostChunks = 32;

template <typename T>
class Gradient {
 public:
  Gradient(const FullProblem<T>& problem, LossKind kind, const FullUpstream<T>& upstream,
           const T* reduced, T* d_inputs, void* d_weights, T* d_biases)
      : p_(problem),
        kind_(kind),
        upstream_(upstream.reduced),
        true_upstream_(upstream.true_logits),
        reduced_(reduced),
        d_inputs_(d_inputs),
        d_weights_(static_cast<char*>(d_weights)),
        d_biases_(d_biases),
        padded_dim_(RoundUp(problem.dim, kL)),
        part_(RoundUp(problem.batch, kL) * padded_dim_),
        stream_(problem, std::clamp(kPartsBytes / static_cast<int64_t>(sizeof(T)) /
                                        std::max<int64_t>(1, part_),
                                    kFewestChunks, kMostChunks)) {}

  void Run() {
    Workspace workspace;
    stream_.AddTo(&workspace);
    workspace.Add<T>(part_);
    workspace.Add<T>(stream_.lanes());
    workspace.Add<T>(stream_.lanes());
    workspace.Add<T>(stream_.chunks() * part_);
    workspace.Allocate();
    stream_.Pack(&workspace);
    input_panels_ = workspace.Take<T>(part_);
    scale_ = workspace.Take<T>(stream_.lanes());
    log_sum_ = workspace.Take<T>(stream_.lanes());
    parts_ = workspace.Take<T>(stream_.chunks() * part_);
    std::fill(input_panels_, input_panels_ + part_, T(0));
    std::fill(scale_, scale_ + stream_.lanes(), T(0));
    std::fill(log_sum_, log_sum_ + stream_.lanes(), T(0));
    std::copy(upstream_, upstream_ + p_.batch, scale_);
    std::copy(reduced_, reduced_ + p_.batch, log_sum_);
    // The sum of a row without other classes. Any finite reference gives their exponentials, 0.
    std::replace(log_sum_, log_sum_ + p_.batch, -std::numeric_limits<T>::infinity(), T(0));
    PackPanels<T>({p_.inputs, nullptr, p_.dim}, 0, p_.batch, scale_, stream_.lanes(),
                  input_panels_);
    ParallelFor(stream_.chunks(), [&](int64_t chunk) {
      std::fill(parts_ + chunk * part_, parts_ + (chunk + 1) * part_, T(0));
    });
    stream_.ForEachBlock(false, [&](int64_t chunk, int64_t, int64_t, int64_t first_class,
                                    int64_t columns, const T* rows, const T* groups) {
      Block(parts_ + chunk * part_, first_class, columns, rows, groups);
    });
    JoinParts();
  }

 private:
  static constexpr int kL = kLanes<T>;

  void Block(T* part, int64_t first_class, int64_t columns, const T* rows, const T* groups) {
    const int64_t padded = RoundUp(columns, kTileRows);
    const bool same_type = SizeOf(p_.weights_type) == static_cast<int64_t>(sizeof(T));
    Workspace memory;
    memory.Add<T>(kPanelBlock * kTileWidth * kL);
    memory.Add<T>(kTileWidth * padded_dim_);
    memory.Add<T>(kTileWidth * padded_dim_);
    memory.Add<T>(kTileWidth * p_.dim);
    memory.Allocate();
    T* const tiles = memory.Take<T>(kPanelBlock * kTileWidth * kL);
    T* const row_panels = memory.Take<T>(kTileWidth * padded_dim_);
    T* const gradient = memory.Take<T>(kTileWidth * padded_dim_);
    T* const dense = memory.Take<T>(kTileWidth * p_.dim);
    alignas(64) T sums[kTileWidth * Simd<T>::kWidth] = {};
    PackPanels<T>({rows, nullptr, p_.dim}, 0, columns, nullptr, kTileWidth, row_panels);
    std::fill(gradient, gradient + kTileWidth * padded_dim_, T(0));
    constexpr int64_t kTileStride = kTileWidth * kL;
    for (int64_t panel = 0; panel < stream_.panels(); panel += kPanelBlock) {
      const int64_t count = std::min(kPanelBlock, stream_.panels() - panel);
      for (int64_t i = 0; i < count; ++i) {
        FoldTile(panel + i, first_class, columns, groups, tiles + i * kTileStride);
        AddColumnSums<T>(tiles + i * kTileStride, columns, scale_ + (panel + i) * kL, sums);
      }
      AddInputsGradient<T>(tiles, count, kTileStride, columns, row_panels, kTileWidth,
                           part + panel * kL * padded_dim_, padded_dim_);
      RowsGradient<T>(tiles, count, kTileStride, padded, input_panels_ + panel * kL * kL,
                      stream_.lanes(), true, gradient, padded_dim_);
    }
    for (int64_t panel = 0; panel < stream_.panels(); ++panel) {
      stream_.ForEachTrue(panel, first_class, columns, [&](int64_t i, int64_t b, int64_t column) {
        const T* const from = p_.inputs + b * p_.dim;
        T* const to = gradient + column * padded_dim_;
        for (int64_t d = 0; d < p_.dim; ++d) to[d] += true_upstream_[i] * from[d];
        sums[column * Simd<T>::kWidth] += true_upstream_[i];
      });
    }
    T* const out = same_type ? reinterpret_cast<T*>(d_weights_) + first_class * p_.dim : dense;
    for (int64_t c = 0; c < columns; ++c) {
      std::copy(gradient + c * padded_dim_, gradient + c * padded_dim_ + p_.dim, out + c * p_.dim);
      d_biases_[first_class + c] = SumLanes<T>(Load<T>(sums + c * Simd<T>::kWidth));
    }
    if (!same_type) {
      ConvertTo<T>(p_.weights_type, dense, columns * p_.dim,
                   d_weights_ + first_class * p_.dim * SizeOf(p_.weights_type));
    }
  }

  void FoldTile(int64_t panel, int64_t first_class, int64_t columns, const T* groups, T* tile) {
    stream_.Tile(panel, columns, groups, tile);
    stream_.MaskTrue(panel, first_class, columns, tile);
    switch (kind_) {
      case LossKind::kSoftmax:
        FoldExponentials<T>(tile, columns, p_.biases + first_class, log_sum_ + panel * kL);
        break;
      case LossKind::kSigmoid:
        FoldSigmoid<T>(tile, columns, p_.biases + first_class, nullptr);
        break;
    }
    // Padding lanes must add nothing, not even the NaN of 0 * infinity.
    const int64_t in_use = std::min<int64_t>(kL, p_.batch - panel * kL);
    for (int64_t c = 0; in_use < kL && c < columns; ++c) {
      std::fill(tile + c * kL + in_use, tile + (c + 1) * kL, T(0));
    }
  }

  void JoinParts() {
    ParallelFor(stream_.panels(), [&](int64_t panel) {
      Workspace memory;
      memory.Add<T>(stream_.weights().BufferSize(1));
      memory.Allocate();
      T* const buffer = memory.Take<T>(stream_.weights().BufferSize(1));
      for (int64_t b = panel * kL; b < std::min<int64_t>((panel + 1) * kL, p_.batch); ++b) {
        T* const to = d_inputs_ + b * p_.dim;
        std::fill(to, to + p_.dim, T(0));
        for (int64_t chunk = 0; chunk < stream_.chunks(); ++chunk) {
          const T* const from = parts_ + chunk * part_ + b * padded_dim_;
          for (int64_t d = 0; d < p_.dim; ++d) to[d] += from[d];
        }
        for (int64_t d = 0; d < p_.dim; ++d) to[d] *= upstream_[b];
      }
      stream_.ForEachTrue(panel, 0, p_.classes, [&](int64_t i, int64_t b, int64_t label) {
        const T* const row = stream_.weights().Block(label, label + 1, buffer);
        T* const to = d_inputs_ + b * p_.dim;
        for (int64_t d = 0; d < p_.dim; ++d) to[d] += true_upstream_[i] * row[d];
      });
    });
  }

  const FullProblem<T>& p_;
  const LossKind kind_;
  const T* const upstream_;
  const T* const true_upstream_;
  const T* const reduced_;
  T* const d_inputs_;
  char* const d_weights_;
  T* const d_biases_;
  const int64_t padded_dim_;
  const int64_t part_;  // Numbers in one chunk's part of the inputs' gradient.
  ClassStream<T> stream_;
  T* input_panels_ = nullptr;
  T* scale_ = nullptr;
  T* log_sum_ = nullptr;
  T* parts_ = nullptr;
};

}  // namespace

template <typename T>
void FullReduceGradient(const FullProblem<T>& problem, LossKind kind,
                        const FullUpstream<T>& upstream, const T* reduced, T* d_inputs,
                        void* d_weights, T* d_biases) {
  Gradient<T>(problem, kind, upstream, reduced, d_inputs, d_weights, d_biases).Run();
}

template void FullReduceGradient(const FullProblem<float>&, LossKind, const FullUpstream<float>&,
                                 const float*, float*, void*, float*);
template void FullReduceGradient(const FullProblem<double>&, LossKind, const FullUpstream<double>&,
                                 const double*, double*, void*, double*);

}  // namespace sampled_compat
