// The largest logits of each row.
#include "../kernels/full.h"
#include "../kernels/thread_pool.h"
#include "numbers.h"

namespace sampled_compat {
namespace {

constexpr double kLowest = -std::numeric_limits<double>::infinity();

// NaN ranks as -infinity.
double Rank(double value) { return std::isnan(value) ? kLowest : value; }

// A class's naive logit, its error, and whether it can be compared.
struct Naive {
  template <typename T>
  Naive(const FullProblem<T>& p, const Array<double>& weights, int64_t b, int64_t c) {
    double size = std::fabs(double(p.biases[c]));
    logit = p.biases[c];
    plain = IsPlain(logit);
    for (int64_t d = 0; d < p.dim; ++d) {
      const double x = p.inputs[b * p.dim + d], w = static_cast<T>(weights[c * p.dim + d]);
      plain = plain && IsPlain(x) && IsPlain(w);
      logit += x * w;
      size += std::fabs(x * w);
    }
    error = Bound<T>(size);
  }
  double logit, error;
  bool plain;
};

template <typename T>
void CheckRow(const FullProblem<T>& p, const Array<double>& weights, int64_t b, int64_t k, T bar,
              const T* values, const int64_t* indices) {
  std::vector<bool> taken(p.classes);
  for (int64_t i = 0; i < k; ++i) {
    const int64_t c = indices[i];
    const double value = values[i];
    REQUIRE(c >= -1 && c < p.classes, "class %ld of %ld", c, p.classes);
    if (c == -1) {
      REQUIRE(value == kLowest, "no class at rank %ld, but %g", i, value);
      continue;
    }
    REQUIRE(!taken[c], "class %ld twice", c);
    taken[c] = true;
    REQUIRE(std::isnan(bar) || value > bar, "%g is not above the bar of %g", value, double(bar));
    const bool in_order = i == 0 || Rank(values[i - 1]) > Rank(value) ||
                          (Rank(values[i - 1]) == Rank(value) && indices[i - 1] < c);
    REQUIRE(in_order && (i == 0 || indices[i - 1] >= 0), "rank %ld is not in order", i);
    const Naive naive(p, weights, b, c);
    REQUIRE(!naive.plain || std::fabs(value - naive.logit) <= naive.error,
            "row %ld class %ld: %g, wanted %g", b, c, value, naive.logit);
  }
  if (k == 0) return;
  for (int64_t c = 0; c < p.classes; ++c) {
    const Naive naive(p, weights, b, c);
    if (taken[c] || !naive.plain) continue;
    const double most = indices[k - 1] >= 0 ? Rank(values[k - 1]) : double(bar);
    REQUIRE(naive.logit <= most + 2 * naive.error, "row %ld: class %ld of %g is missing above %g",
            b, c, naive.logit, most);
  }
}

template <typename T>
void Attempt(Bytes* bytes) {
  const bool wild = bytes->Bool();
  const int64_t batch = bytes->Int(0, 40), classes = Size(bytes, 200);
  const int64_t dim = std::min(Size(bytes, 20), (1 << 16) / std::max<int64_t>(1, batch * classes));
  const int64_t k = std::min(classes, bytes->Bool() ? bytes->Int(0, 12) : bytes->Int(0, classes));
  const Array<T> inputs = Numbers<T>(bytes, batch * dim, 1, wild);
  const Table weights(bytes, classes * dim, 1, wild);
  const Array<T> biases = Numbers<T>(bytes, classes, 2, wild);
  Array<T> bar = Numbers<T>(bytes, batch, 3, wild);
  if (bytes->Bool()) std::fill(bar.begin(), bar.end(), std::numeric_limits<T>::quiet_NaN());
  const FullProblem<T> p{batch,        classes,        dim,          inputs.data(),
                         weights.type, weights.data(), biases.data()};
  const Array<T> values(batch * k), values_alone(batch * k);
  const Array<int64_t> indices(batch * k), indices_alone(batch * k);
  FullTopK<T>(p, k, bar.data(), values.data(), indices.data());
  for (int64_t b = 0; b < batch; ++b) {
    CheckRow(p, weights.values, b, k, bar[b], values.data() + b * k, indices.data() + b * k);
  }
  SetThreads(1);
  FullTopK<T>(p, k, bar.data(), values_alone.data(), indices_alone.data());
  REQUIRE(values.SameBits(values_alone) && indices.SameBits(indices_alone),
          "other ranks than on one thread");
}

}  // namespace

FUZZ_TARGET(top_k) { bytes->Bool() ? Attempt<double>(bytes) : Attempt<float>(bytes); }

}  // namespace sampled_compat
