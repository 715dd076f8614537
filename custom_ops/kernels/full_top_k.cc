#include <cmath>

#include "class_stream.h"
#include "fold.h"
#include "full.h"

namespace sampled_compat {
namespace {

template <typename T>
struct Candidate {
  T value;
  int64_t index;
};

template <typename T>
bool Better(const Candidate<T>& a, const Candidate<T>& b) {
  const T lowest = -std::numeric_limits<T>::infinity();
  const T x = std::isnan(a.value) ? lowest : a.value, y = std::isnan(b.value) ? lowest : b.value;
  return x != y ? x > y : a.index < b.index;
}

// A heap of the best k candidates above a bar, with the worst on top. Candidates come in the order
// of their indices, so an equal one is never better.
template <typename T>
class BestK {
 public:
  BestK(Candidate<T>* heap, int64_t* size, int64_t k, T bar)
      : heap_(heap), size_(size), k_(k), bar_(bar) {}

  // Whether no logit up to `largest` can be among them (NaN aside).
  bool Excludes(T largest) const {
    return Exceeds(bar_, largest) || (*size_ == k_ && Exceeds(heap_->value, largest));
  }

  void Offer(const Candidate<T>& candidate) {
    if (Excludes(candidate.value)) return;
    if (*size_ == k_) {
      if (!Better(candidate, heap_[0])) return;
      std::pop_heap(heap_, heap_ + k_, Better<T>);
      heap_[k_ - 1] = candidate;
    } else {
      heap_[(*size_)++] = candidate;
    }
    std::push_heap(heap_, heap_ + *size_, Better<T>);
  }

 private:
  // A NaN is no limit.
  static bool Exceeds(T limit, T value) { return !std::isnan(limit) && !(value > limit); }

  Candidate<T>* const heap_;
  int64_t* const size_;
  const int64_t k_;
  const T bar_;
};

}  // namespace

template <typename T>
void FullTopK(const FullProblem<T>& p, int64_t k, const T* bar, T* values, int64_t* indices) {
  if (k == 0 || p.batch == 0) return;
  constexpr int kL = kLanes<T>;
  // The ranking is a total order, so the number of chunks may depend on the threads. Each chunk has
  // to fill an empty heap, the largest cost without a bar, so there should be few.
  ClassStream<T> stream(p, 2 * Threads());
  Workspace workspace;
  stream.AddTo(&workspace);
  workspace.Add<Candidate<T>>(stream.chunks() * p.batch * k);
  workspace.Add<int64_t>(stream.chunks() * p.batch);
  workspace.Allocate();
  stream.Pack(&workspace);
  auto* const candidates = workspace.Take<Candidate<T>>(stream.chunks() * p.batch * k);
  int64_t* const sizes = workspace.Take<int64_t>(stream.chunks() * p.batch);
  std::fill(sizes, sizes + stream.chunks() * p.batch, 0);
  stream.ForEachBlock(true, [&](int64_t chunk, int64_t first_panel, int64_t end_panel,
                                int64_t first_class, int64_t columns, const T*, const T* groups) {
    alignas(64) T tile[kTileWidth * kL];
    T largest[kL];
    for (int64_t panel = first_panel; panel < end_panel; ++panel) {
      stream.Tile(panel, columns, groups, tile);
      LargestLogits<T>(tile, columns, p.biases + first_class, largest);
      const int64_t in_use = std::min<int64_t>(kL, p.batch - panel * kL);
      for (int64_t lane = 0; lane < in_use; ++lane) {
        const int64_t at = chunk * p.batch + panel * kL + lane;
        BestK<T> best(candidates + at * k, sizes + at, k, bar[panel * kL + lane]);
        if (best.Excludes(largest[lane])) continue;  // Few tiles get past this.
        for (int64_t c = 0; c < columns; ++c) {
          best.Offer({tile[c * kL + lane] + p.biases[first_class + c], first_class + c});
        }
      }
    }
  });
  ParallelFor(stream.panels(), [&](int64_t panel) {
    Vector<Candidate<T>> all;
    for (int64_t b = panel * kL; b < std::min<int64_t>((panel + 1) * kL, p.batch); ++b) {
      all.clear();
      for (int64_t chunk = 0; chunk < stream.chunks(); ++chunk) {
        const int64_t at = chunk * p.batch + b;
        all.insert(all.end(), candidates + at * k, candidates + at * k + sizes[at]);
      }
      all.resize(std::max<int64_t>(k, all.size()), {-std::numeric_limits<T>::infinity(), -1});
      std::partial_sort(all.begin(), all.begin() + k, all.end(), [](const auto& a, const auto& b) {
        return (a.index < 0) != (b.index < 0) ? b.index < 0 : Better(a, b);
      });
      for (int64_t i = 0; i < k; ++i) {
        values[b * k + i] = all[i].value;
        indices[b * k + i] = all[i].index;
      }
    }
  });
}

template void FullTopK(const FullProblem<float>&, int64_t, const float*, float*, int64_t*);
template void FullTopK(const FullProblem<double>&, int64_t, const double*, double*, int64_t*);

}  // namespace sampled_compat
