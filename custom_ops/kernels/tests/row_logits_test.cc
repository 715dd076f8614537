// Compares the logits of classes that differ from row to row, and their gradients, with naive
// double loops over the definition.
#include "../row_logits.h"

#include "../scratch.h"
#include "../thread_pool.h"
#include "sampled_problem.h"

namespace sampled_compat {
namespace {

struct Sizes {
  int64_t batch, columns, dim, unique;
};

template <typename T>
struct Outputs {
  explicit Outputs(const Sizes& z)
      : logits(z.batch * z.columns),
        inputs(z.batch * z.dim),
        rows(z.unique * z.dim),
        biases(z.unique) {}
  bool SameBits(const Outputs& o) const {
    return logits.SameBits(o.logits) && inputs.SameBits(o.inputs) && rows.SameBits(o.rows) &&
           biases.SameBits(o.biases);
  }
  Guarded<T> logits, inputs, rows, biases;
};

template <typename T>
void CheckNear(const char* what, const Guarded<T>& got, const std::vector<double>& wanted,
               const Sizes& z) {
  double largest = 0, error = 0;
  for (const double x : wanted) largest = std::max(largest, std::fabs(x));
  for (int64_t i = 0; i < got.size(); ++i) {
    const double e = std::fabs(got.data()[i] - wanted[i]);
    error = e <= error ? error : e;  // Keeps a NaN.
  }
  CHECK_THAT(error <= (sizeof(T) == 4 ? 2e-6 : 1e-14) * (largest + 0.1),
             "%s B=%ld S=%ld D=%ld U=%ld: error %g, largest %g", what, z.batch, z.columns, z.dim,
             z.unique, error, largest);
  CHECK_THAT(got.Intact(), "%s: written outside", what);
}

template <typename T>
void CheckProblem(const Sizes& z, uint32_t seed) {
  const Guarded<T> inputs(RandomVector<double>(z.batch * z.dim, seed, 1));
  const Guarded<T> rows(RandomVector<double>(z.unique * z.dim, seed + 1, 1));
  const Guarded<T> biases(RandomVector<double>(z.unique, seed + 2, 1));
  const Guarded<T> upstream(RandomVector<double>(z.batch * z.columns, seed + 3, 1));
  std::vector<int32_t> positions(z.batch * z.columns);
  // The square of a random number: some rows stand in many places, others in none.
  const std::vector<int64_t> random = RandomIds(z.batch * z.columns, 1000, seed + 4);
  for (size_t i = 0; i < positions.size(); ++i) {
    positions[i] = static_cast<int32_t>(random[i] * random[i] * z.unique / 1000000);
  }
  const RowLogitsProblem<T> p = {z.batch,       z.columns,   z.dim,           z.unique,
                                 inputs.data(), rows.data(), positions.data()};
  const auto run = [&](int threads) {
    SetThreads(threads);
    Outputs<T> out(z);
    RowLogits<T>(p, biases.data(), out.logits.data());
    RowLogitsGradient<T>(p, upstream.data(),
                         {out.inputs.data(), out.rows.data(), out.biases.data()});
    return out;
  };
  const Outputs<T> out = run(2);
  for (const int threads : {1, 3}) {
    CHECK_THAT(run(threads).SameBits(out), "%d threads: other bits", threads);
  }
  std::vector<double> logits(positions.size()), d_inputs(z.batch * z.dim);
  std::vector<double> d_rows(z.unique * z.dim), d_biases(z.unique);
  for (int64_t b = 0; b < z.batch; ++b) {
    for (int64_t i = b * z.columns; i < (b + 1) * z.columns; ++i) {
      const int64_t u = positions[i];
      const double g = upstream.data()[i];
      logits[i] = biases.data()[u];
      d_biases[u] += g;
      for (int64_t d = 0; d < z.dim; ++d) {
        const double x = inputs.data()[b * z.dim + d], w = rows.data()[u * z.dim + d];
        logits[i] += x * w;
        d_inputs[b * z.dim + d] += g * w;
        d_rows[u * z.dim + d] += g * x;
      }
    }
  }
  CheckNear("logits", out.logits, logits, z);
  CheckNear("d_inputs", out.inputs, d_inputs, z);
  CheckNear("d_rows", out.rows, d_rows, z);
  CheckNear("d_biases", out.biases, d_biases, z);
}

template <typename T>
void CheckAll() {
  const int64_t w = Simd<T>::kWidth;
  uint32_t seed = 1;
  for (const int64_t dim : {int64_t{0}, int64_t{1}, w - 1, w, 4 * w, 5 * w + 3}) {
    for (const int64_t columns : {0, 1, 5, 130}) {
      CheckProblem<T>({7, columns, dim, 1 + 20 * (seed % 3)}, seed);
      ++seed;
    }
  }
  CheckProblem<T>({0, 3, 4, 5}, 101);
  CheckProblem<T>({300, 200, 70, 900}, 102);  // Large enough for the pool.
  CheckProblem<T>({400, 60, 33, 2}, 103);     // Two rows that stand in many places.
}

// A NaN stays in the logits of its row, and in the gradients of the rows that it meets.
void CheckNaN() {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> inputs = {nan, 1}, rows = {2, 3}, biases = {0, 0},
                           upstream = {0, 0, 1, 1};
  const std::vector<int32_t> positions = {0, 0, 1, 1};
  const RowLogitsProblem<float> p = {2, 2, 1, 2, inputs.data(), rows.data(), positions.data()};
  std::vector<float> logits(4), d_inputs(2), d_rows(2), d_biases(2);
  RowLogits<float>(p, biases.data(), logits.data());
  CHECK_THAT(std::isnan(logits[0]) && logits[2] == 3, "%g %g", double(logits[0]),
             double(logits[2]));
  RowLogitsGradient<float>(p, upstream.data(), {d_inputs.data(), d_rows.data(), d_biases.data()});
  CHECK_THAT(std::isnan(d_rows[0]) && d_rows[1] == 2, "%g %g", double(d_rows[0]),
             double(d_rows[1]));
  CHECK_THAT(d_inputs[0] == 0 && d_inputs[1] == 6, "%g", double(d_inputs[1]));
}

}  // namespace
}  // namespace sampled_compat

int main() {
  sampled_compat::PoisonScratch();
  sampled_compat::CheckAll<float>();
  sampled_compat::CheckAll<double>();
  sampled_compat::CheckNaN();
  return sampled_compat::Report("row_logits_test");
}
