// The gradient has two phases. In each, only one task writes a given number:
//   1. by batch rows: the inputs' gradient, the sum over the row's columns;
//   2. by unique rows: the sum over all places where the row stands, in order.
#include "row_logits.h"

#include <algorithm>

#include "limits.h"
#include "packing.h"
#include "stable_groups.h"
#include "thread_pool.h"

namespace sampled_compat {
namespace {

// The multiplications of one task, about 10 us.
constexpr int64_t kTaskWork = (int64_t{1} << 16) / kLimitDivisor;
// The terms of one part of a long sum. A sum of parts loses less to rounding.
constexpr int64_t kPart = 128;
// The vectors of a row that are summed in registers.
constexpr int kSumVectors = 4;
// How many columns ahead a row is fetched: positions are random, so the hardware cannot guess them.
constexpr int64_t kAhead = 4;
constexpr int64_t kFetchedBytes = 1024;

template <typename T>
bool IsSmall(const RowLogitsProblem<T>& p) {
  return static_cast<double>(p.batch) * p.columns * p.dim < (1 << 18) / kLimitDivisor;
}

// Batch rows in one task.
template <typename T>
int64_t RowsPerTask(const RowLogitsProblem<T>& p) {
  return std::max<int64_t>(1, kTaskWork / std::max<int64_t>(1, p.columns * p.dim));
}

template <typename T>
void Fetch(const T* row, int64_t dim) {
  const char* const bytes = reinterpret_cast<const char*>(row);
  const int64_t end = std::min<int64_t>(dim * sizeof(T), kFetchedBytes);
  for (int64_t i = 0; i < end; i += 64) __builtin_prefetch(bytes + i);
}

// Calls f(first, end) for the batch rows of each task.
template <typename T, typename F>
void ForBatchRows(const RowLogitsProblem<T>& p, const F& f) {
  const int64_t per_task = RowsPerTask(p);
  ParallelFor((p.batch + per_task - 1) / per_task,
              [&](int64_t task) { f(task * per_task, std::min((task + 1) * per_task, p.batch)); });
}

// out[d] += the sum over i in [begin, end) of factor(i) * row(i)[d], for n of kSumVectors vectors
// or fewer.
template <typename T, int n, typename Factor, typename Row>
void AddVectors(int64_t begin, int64_t end, const Factor& factor, const Row& row, int64_t d,
                T* out) {
  constexpr int kWidth = Simd<T>::kWidth;
  typename Simd<T>::V sums[n] = {};
  for (int64_t i = begin; i < end; ++i) {
    const T* const from = row(i) + d;
    const T g = factor(i);
    for (int j = 0; j < n; ++j) sums[j] += g * Load<T>(from + j * kWidth);
  }
  for (int j = 0; j < n; ++j) {
    Store<T>(out + d + j * kWidth, Load<T>(out + d + j * kWidth) + sums[j]);
  }
}

// out[d] = the sum over i < count of factor(i) * row(i)[d].
template <typename T, typename Factor, typename Row>
void SumRows(int64_t count, const Factor& factor, const Row& row, int64_t dim, T* out) {
  constexpr int kWidth = Simd<T>::kWidth;
  std::fill(out, out + dim, T(0));
  for (int64_t begin = 0; begin < count; begin += kPart) {
    const int64_t end = std::min(begin + kPart, count);
    for (int64_t i = begin; i < end; ++i) Fetch(row(i), dim);
    int64_t d = 0;
    for (; d + kSumVectors * kWidth <= dim; d += kSumVectors * kWidth) {
      AddVectors<T, kSumVectors>(begin, end, factor, row, d, out);
    }
    for (; d + kWidth <= dim; d += kWidth) AddVectors<T, 1>(begin, end, factor, row, d, out);
    for (; d < dim; ++d) {
      T sum = 0;
      for (int64_t i = begin; i < end; ++i) sum += factor(i) * row(i)[d];
      out[d] += sum;
    }
  }
}

}  // namespace

template <typename T>
void RowLogits(const RowLogitsProblem<T>& p, const T* biases, T* logits) {
  const SmallWork small(IsSmall(p));
  ForBatchRows(p, [&](int64_t first, int64_t end) {
    for (int64_t b = first; b < end; ++b) {
      const int32_t* const positions = p.positions + b * p.columns;
      for (int64_t j = 0; j < p.columns; ++j) {
        if (j + kAhead < p.columns) Fetch(p.rows + positions[j + kAhead] * p.dim, p.dim);
        logits[b * p.columns + j] =
            Dot(p.inputs + b * p.dim, p.rows + positions[j] * p.dim, p.dim) + biases[positions[j]];
      }
    }
  });
}

template <typename T>
void RowLogitsGradient(const RowLogitsProblem<T>& p, const T* upstream,
                       const RowLogitsGradients<T>& gradients) {
  const SmallWork small(IsSmall(p));
  const StableGroups places(p.positions, p.batch * p.columns, p.unique);
  ForBatchRows(p, [&](int64_t first, int64_t end) {
    for (int64_t b = first; b < end; ++b) {
      const int64_t start = b * p.columns;
      SumRows<T>(
          p.columns, [&](int64_t j) { return upstream[start + j]; },
          [&](int64_t j) { return p.rows + p.positions[start + j] * p.dim; }, p.dim,
          gradients.inputs + b * p.dim);
    }
  });
  const int64_t mean = std::max<int64_t>(1, p.batch * p.columns / std::max<int64_t>(1, p.unique));
  const int64_t per_task = std::max<int64_t>(1, kTaskWork / (mean * std::max<int64_t>(1, p.dim)));
  ParallelFor((p.unique + per_task - 1) / per_task, [&](int64_t task) {
    const int64_t end = std::min((task + 1) * per_task, p.unique);
    for (int64_t u = task * per_task; u < end; ++u) {
      const StableGroups::Range of_row = places[u];
      const int32_t* const place = of_row.begin();
      const int64_t count = of_row.end() - place;
      SumRows<T>(
          count, [&](int64_t i) { return upstream[place[i]]; },
          [&](int64_t i) { return p.inputs + place[i] / p.columns * p.dim; }, p.dim,
          gradients.rows + u * p.dim);
      T bias = 0;
      for (int64_t begin = 0; begin < count; begin += kPart) {
        T sum = 0;
        for (int64_t i = begin; i < std::min(begin + kPart, count); ++i) sum += upstream[place[i]];
        bias += sum;
      }
      gradients.biases[u] = bias;
    }
  });
}

template void RowLogits(const RowLogitsProblem<float>&, const float*, float*);
template void RowLogits(const RowLogitsProblem<double>&, const double*, double*);
template void RowLogitsGradient(const RowLogitsProblem<float>&, const float*,
                                const RowLogitsGradients<float>&);
template void RowLogitsGradient(const RowLogitsProblem<double>&, const double*,
                                const RowLogitsGradients<double>&);

}  // namespace sampled_compat
