// Times three matrix products on the shapes of the kernels, in one thread.
//
//   gemm_bench [path of an OpenBLAS library]
//
// Each shape is one of the library's three products: logits (A B^T over D), inputs' gradient
// (A B over columns) and rows' gradient (A^T B over the batch), at the tile size the kernels use.
// The times include packing where a call cannot avoid it. Eigen and OpenBLAS pack both operands on
// every call. The register tile reads the logits in place, and packs its other operand once a step.
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

#include "Eigen/Core"
#include "kernels/tile_multiply.h"

namespace {

using sampled_compat::kTileColumns;
using sampled_compat::kTileRows;
using sampled_compat::TileMultiply;

using Gemm = void (*)(int, int, int, int, int, int, float, const float*, int, const float*, int,
                      float, float*, int);

double GigaflopsPerSecond(double flops, const std::function<void()>& f) {
  std::vector<double> seconds;
  const int calls = std::max(1, static_cast<int>(2e9 / flops));
  for (int repeat = 0; repeat < 9; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) f();
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / calls);
  }
  std::nth_element(seconds.begin(), seconds.begin() + 4, seconds.end());
  return flops / seconds[4] * 1e-9;
}

// C[m, n] in register tiles, A broadcast from k-major panels, B in column panels.
void RegisterTiles(int m, int n, int k, const float* a, const float* b, float* c) {
  constexpr int kColumns = kTileColumns<float>;
  for (int j = 0; j < n; j += kColumns) {
    for (int i = 0; i < m; i += kTileRows) {
      TileMultiply<float, 1, kTileRows>(a + i * k, 1, 0, k, b + j * k, false, c + i * n + j, n);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  Gemm blas = nullptr;
  if (argc > 1) {
    void* library = dlopen(argv[1], RTLD_NOW);
    if (library == nullptr) return std::printf("%s\n", dlerror()), 1;
    blas = reinterpret_cast<Gemm>(dlsym(library, "scipy_cblas_sgemm"));
    auto threads =
        reinterpret_cast<void (*)(int)>(dlsym(library, "scipy_openblas_set_num_threads"));
    if (blas == nullptr || threads == nullptr) return std::printf("not scipy-openblas32\n"), 1;
    threads(1);
  }
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  constexpr int kNo = 111, kYes = 112, kRowMajor = 101;
  std::printf("GF/s, 1 thread, %s\n%-28s%10s%10s%10s\n", sampled_compat::kInstructionSet,
              "m x n x k", "Eigen", "OpenBLAS", "tile");
  struct Shape {
    const char* what;
    int m, n, k;
    bool transpose_a, transpose_b;
  };
  for (const Shape& s :
       {Shape{"logits", 128, 256, 64, false, true}, Shape{"logits", 128, 256, 128, false, true},
        Shape{"logits", 128, 256, 512, false, true}, Shape{"d_inputs", 128, 64, 256, false, false},
        Shape{"d_inputs", 128, 128, 256, false, false},
        Shape{"d_inputs", 128, 512, 256, false, false}, Shape{"d_rows", 256, 64, 128, true, false},
        Shape{"d_rows", 256, 128, 128, true, false}, Shape{"d_rows", 256, 512, 128, true, false}}) {
    Matrix a = Matrix::Random(s.transpose_a ? s.k : s.m, s.transpose_a ? s.m : s.k);
    Matrix b = Matrix::Random(s.transpose_b ? s.n : s.k, s.transpose_b ? s.k : s.n);
    Matrix c = Matrix::Zero(s.m, s.n);
    const double flops = 2.0 * s.m * s.n * s.k;
    const double eigen = GigaflopsPerSecond(flops, [&] {
      if (s.transpose_b)
        c.noalias() = a * b.transpose();
      else if (s.transpose_a)
        c.noalias() = a.transpose() * b;
      else
        c.noalias() = a * b;
    });
    const double openblas = blas == nullptr ? 0 : GigaflopsPerSecond(flops, [&] {
      blas(kRowMajor, s.transpose_a ? kYes : kNo, s.transpose_b ? kYes : kNo, s.m, s.n, s.k, 1.0f,
           a.data(), static_cast<int>(a.cols()), b.data(), static_cast<int>(b.cols()), 0.0f,
           c.data(), s.n);
    });
    const double tile = GigaflopsPerSecond(
        flops, [&] { RegisterTiles(s.m, s.n, s.k, a.data(), b.data(), c.data()); });
    std::printf("%-10s%4d x%4d x%4d%12.0f%10.0f%10.0f\n", s.what, s.m, s.n, s.k, eigen, openblas,
                tile);
  }
}
