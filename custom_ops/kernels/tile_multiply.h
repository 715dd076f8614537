// The register tile C += A B, from which all matrix products are built.
//
// All products of this library have the same form: kTileRows rows of A, read one number at a time
// and broadcast, times kTileColumns of B, read as whole vectors. They differ only in the strides of
// A, which are known at compile time. GEMM.md explains why this is not a BLAS.
#ifndef SAMPLED_COMPAT_KERNELS_TILE_MULTIPLY_H_
#define SAMPLED_COMPAT_KERNELS_TILE_MULTIPLY_H_

#include <cstdint>

#include "simd.h"

namespace sampled_compat {

// The accumulators are kTileRows x kTileVectors registers: at least eight, to hide the latency of
// two multiply-add units, and few enough to leave registers for the operands.
#if defined(__AVX512F__)
constexpr int kTileRows = 8;
constexpr int kTileVectors = 2;
#else
constexpr int kTileRows = 4;
constexpr int kTileVectors = 2;
#endif

template <typename T>
constexpr int kTileColumns = kTileVectors * Simd<T>::kWidth;

// C[i, j] (+)= sum over p < panels and k < depth of A[i, p, k] B[p * depth + k, j], where
//   A[i, p, k] = a[p * panel_stride + i * kRowStride + k * kDepthStride],
//   B[k, j]    = b[k * kTileColumns<T> + j],     C[i, j] = c[i * ldc + j].
// Sums run over p, then k, in order. Adds to C if `accumulate`, overwrites it otherwise. So a long
// sum is a sum of block sums, and its error grows with the number of blocks, not with its length.
// REQUIRES: kTileRows rows and kTileColumns<T> columns are readable and writable everywhere.
template <typename T, int kRowStride, int kDepthStride>
inline void TileMultiply(const T* a, int64_t panels, int64_t panel_stride, int64_t depth,
                         const T* b, bool accumulate, T* c, int64_t ldc) {
  using V = typename Simd<T>::V;
  constexpr int kWidth = Simd<T>::kWidth;
  V acc[kTileRows][kTileVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kTileRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kTileVectors; ++j) {
      acc[i][j] = V{};
    }
  }
  for (int64_t p = 0; p < panels; ++p) {
    const T* a_k = a + p * panel_stride;
    for (int64_t k = 0; k < depth; ++k) {
      V column[kTileVectors];
#pragma GCC unroll 4
      for (int j = 0; j < kTileVectors; ++j) column[j] = Load<T>(b + j * kWidth);
#pragma GCC unroll 16
      for (int i = 0; i < kTileRows; ++i) {
        const V row = Splat<T>(a_k[i * kRowStride]);
#pragma GCC unroll 4
        for (int j = 0; j < kTileVectors; ++j) acc[i][j] += row * column[j];
      }
      a_k += kDepthStride;
      b += kTileColumns<T>;
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kTileRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kTileVectors; ++j) {
      T* const to = c + i * ldc + j * kWidth;
      if (accumulate) acc[i][j] += Load<T>(to);
      Store<T>(to, acc[i][j]);
    }
  }
}

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_TILE_MULTIPLY_H_
