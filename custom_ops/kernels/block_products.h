// The three matrix products of a loss, on blocks that fit a cache.
//
// A tile of logits, or of values computed from them, is stored as [column][lane]: kLanes batch rows
// side by side for each column. This order serves all three products without repacking. The tile is
// C for the logits. It is the broadcast A for the inputs' gradient (lanes are rows) and for the
// rows' gradient (columns are rows). A matrix of tiles is [panel][column][lane].
#ifndef SAMPLED_COMPAT_KERNELS_BLOCK_PRODUCTS_H_
#define SAMPLED_COMPAT_KERNELS_BLOCK_PRODUCTS_H_

#include "packing.h"

namespace sampled_compat {

// Columns of one tile: kLanes x kTileWidth numbers take half a level-1 cache until they are folded.
constexpr int64_t kTileWidth = 128;
static_assert(kTileWidth % kTileRows == 0, "tiles are cut into whole groups of columns");
// The length of one part of a long sum: the operands of a part fit the level-1 cache.
constexpr int64_t kDepthBlock = 256;
// The number of panels of batch rows that share the operands in the level-2 cache.
constexpr int64_t kPanelBlock = 8;

// tile[c][lane] = sum over k of groups[c][k] panel[k][lane].
// REQUIRES: `groups` is PackTransposed<kTileRows>, `panel` one group of PackTransposed<kLanes>,
// and `columns` a multiple of kTileRows.
template <typename T>
void LogitsTile(const T* groups, int64_t columns, const T* panel, int64_t dim, T* tile) {
  constexpr int kL = kLanes<T>;
  int64_t k = 0;
  do {
    const int64_t depth = std::min(kDepthBlock, dim - k);
    for (int64_t c = 0; c < columns; c += kTileRows) {
      TileMultiply<T, 1, kTileRows>(groups + c * dim + k * kTileRows, 1, 0, depth, panel + k * kL,
                                    k > 0, tile + c * kL, kL);
    }
    k += depth;
  } while (k < dim);
}

// out[lane][d] += sum over columns of tiles[panel][column][lane] row_panels[column][d], for
// `panels` panels at distance tile_stride. Columns are summed in order.
// REQUIRES: `row_panels` is PackPanels of the columns' rows with panel_rows rows a panel, from the
// first of these columns on; `out` has rows of out_stride numbers, with the same padding.
template <typename T>
void AddInputsGradient(const T* tiles, int64_t panels, int64_t tile_stride, int64_t columns,
                       const T* row_panels, int64_t panel_rows, T* out, int64_t out_stride) {
  constexpr int kL = kLanes<T>;
  for (int64_t c = 0; c < columns; c += kDepthBlock) {
    const int64_t depth = std::min(kDepthBlock, columns - c);
    for (int64_t d = 0; d < out_stride; d += kL) {
      const T* b = row_panels + (d / kL * panel_rows + c) * kL;
      for (int64_t p = 0; p < panels; ++p) {
        const T* a = tiles + p * tile_stride + c * kL;
        for (int i = 0; i < kL; i += kTileRows) {
          TileMultiply<T, 1, kL>(a + i, 1, 0, depth, b, true, out + (p * kL + i) * out_stride + d,
                                 out_stride);
        }
      }
    }
  }
}

// out[c][d] (+)= sum over panels and lanes of tiles[panel][c][lane] input_panels[lane][d].
// REQUIRES: `input_panels` is PackPanels of the batch rows with panel_rows rows a panel, starting
// at these panels' first row; lanes without a batch row are zero in both; `columns` is a multiple
// of kTileRows.
template <typename T>
void RowsGradient(const T* tiles, int64_t panels, int64_t tile_stride, int64_t columns,
                  const T* input_panels, int64_t panel_rows, bool accumulate, T* out,
                  int64_t out_stride) {
  constexpr int kL = kLanes<T>;
  for (int64_t d = 0; d < out_stride; d += kL) {
    const T* b = input_panels + d / kL * panel_rows * kL;
    for (int64_t c = 0; c < columns; c += kTileRows) {
      TileMultiply<T, kL, 1>(tiles + c * kL, panels, tile_stride, kL, b, accumulate,
                             out + c * out_stride + d, out_stride);
    }
  }
}

// sums[c] += tile[c] * scale, a vector of lanes for each column; SumLanes gives the final sum.
template <typename T>
void AddColumnSums(const T* tile, int64_t columns, const T* scale, T* sums) {
  using V = typename Simd<T>::V;
  constexpr int kWidth = Simd<T>::kWidth;
  V scales[kTileVectors];
  for (int j = 0; j < kTileVectors; ++j) scales[j] = Load<T>(scale + j * kWidth);
  for (int64_t c = 0; c < columns; ++c) {
    V sum = Load<T>(sums + c * kWidth);
    for (int j = 0; j < kTileVectors; ++j) {
      sum += Load<T>(tile + c * kLanes<T> + j * kWidth) * scales[j];
    }
    Store<T>(sums + c * kWidth, sum);
  }
}

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_BLOCK_PRODUCTS_H_
