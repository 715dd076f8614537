// Packs operands into the order in which the register tile reads them.
#ifndef SAMPLED_COMPAT_KERNELS_PACKING_H_
#define SAMPLED_COMPAT_KERNELS_PACKING_H_

#include <algorithm>
#include <cstdint>

#include "tile_multiply.h"

namespace sampled_compat {

// The number of batch rows side by side in the vectors of one logits tile: a "panel".
template <typename T>
constexpr int kLanes = kTileColumns<T>;

constexpr int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t RoundUp(int64_t a, int64_t b) { return CeilDiv(a, b) * b; }

// Rows of a matrix [*, dim], optionally picked by index: row i is rows[index ? index[i] : i].
template <typename T>
struct RowSource {
  const T* rows;
  const int32_t* index;
  int64_t dim;
  const T* operator[](int64_t i) const { return rows + (index ? index[i] : i) * dim; }
};

// Groups of kWidth rows, transposed: out[g][k][i] = source[begin + g * kWidth + i][k], times
// `scale`. Rows from `end` on are zero.
template <typename T, int kWidth>
void PackTransposed(const RowSource<T>& source, int64_t begin, int64_t end, T scale, T* out) {
  const int64_t dim = source.dim;
  for (int64_t first = begin; first < end; first += kWidth, out += kWidth * dim) {
    const int64_t n = std::min<int64_t>(kWidth, end - first);
    if (n < kWidth) std::fill(out, out + kWidth * dim, T(0));
    // Eight rows at a time, so that the writes stay within a few cache lines.
    for (int64_t i0 = 0; i0 < n; i0 += 8) {
      const int64_t rows = std::min<int64_t>(8, n - i0);
      const T* from[8];
      for (int64_t i = 0; i < rows; ++i) from[i] = source[first + i0 + i];
      if (rows == 8) {
        for (int64_t k = 0; k < dim; ++k) {
          T* to = out + k * kWidth + i0;
          for (int i = 0; i < 8; ++i) to[i] = from[i][k] * scale;
        }
      } else {
        for (int64_t k = 0; k < dim; ++k) {
          for (int64_t i = 0; i < rows; ++i) out[k * kWidth + i0 + i] = from[i][k] * scale;
        }
      }
    }
  }
}

// Columns in panels of kLanes: out[p * panel_rows + i][j] = source[begin + i][p * kLanes + j],
// times scale[i] if given, for i < end - begin; columns from dim on are zero. REQUIRES: out holds
// CeilDiv(dim, kLanes) panels of panel_rows >= end - begin rows.
template <typename T>
void PackPanels(const RowSource<T>& source, int64_t begin, int64_t end, const T* scale,
                int64_t panel_rows, T* out) {
  constexpr int kWidth = kLanes<T>;
  for (int64_t i = begin; i < end; ++i) {
    const T* from = source[i];
    const T factor = scale ? scale[i - begin] : T(1);
    T* to = out + (i - begin) * kWidth;
    for (int64_t k = 0; k < source.dim; k += kWidth, to += panel_rows * kWidth) {
      const int64_t n = std::min<int64_t>(kWidth, source.dim - k);
      if (n == kWidth) {
        for (int j = 0; j < kWidth; ++j) to[j] = from[k + j] * factor;
      } else {
        for (int64_t j = 0; j < n; ++j) to[j] = from[k + j] * factor;
        std::fill(to + n, to + kWidth, T(0));
      }
    }
  }
}

// The dot product of two rows, summed in an order that depends on n alone.
template <typename T>
T Dot(const T* a, const T* b, int64_t n) {
  constexpr int kWidth = Simd<T>::kWidth;
  typename Simd<T>::V sum0{}, sum1{};
  int64_t k = 0;
  for (; k + 2 * kWidth <= n; k += 2 * kWidth) {
    sum0 += Load<T>(a + k) * Load<T>(b + k);
    sum1 += Load<T>(a + k + kWidth) * Load<T>(b + k + kWidth);
  }
  T tail = 0;
  for (; k < n; ++k) tail += a[k] * b[k];
  return SumLanes<T>(sum0 + sum1) + tail;
}

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_PACKING_H_
