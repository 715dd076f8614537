// Compares the streaming kernels (full losses, top-k, TAPAS scores) with naive double loops.
#include "../full.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "../packing.h"
#include "../scratch.h"
#include "../tapas.h"
#include "../thread_pool.h"
#include "check.h"

namespace sampled_compat {
namespace {

template <typename T>
constexpr FloatType kType = sizeof(T) == 4 ? FloatType::kFloat : FloatType::kDouble;

// An unaligned matrix with NaN on either side.
template <typename T>
struct Matrix {
  explicit Matrix(int64_t n) : n(n), room(n + 6, std::numeric_limits<T>::quiet_NaN()) {}
  Matrix(int64_t n, uint32_t seed, double scale) : Matrix(n) {
    const std::vector<T> values = RandomVector<T>(n, seed, scale);
    std::copy(values.begin(), values.end(), data());
  }
  T* data() { return room.data() + 3; }
  const T* data() const { return room.data() + 3; }
  T operator[](int64_t i) const { return data()[i]; }
  bool Intact() const {
    return std::isnan(room[0] + room[1] + room[2]) && std::isnan(room[n + 3]) &&
           std::isnan(room[n + 4]) && std::isnan(room[n + 5]);
  }
  int64_t n;
  std::vector<T> room;
};

template <typename T>
double LogitOf(const FullProblem<T>& p, int64_t b, int64_t c) {
  double logit = p.biases[c];
  for (int64_t d = 0; d < p.dim; ++d) {
    logit += double(p.inputs[b * p.dim + d]) * static_cast<const T*>(p.weights)[c * p.dim + d];
  }
  return logit;
}

double SoftplusOf(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

template <typename T>
void Compare(const char* what, const Matrix<T>& got, const std::vector<double>& wanted,
             const FullProblem<T>& p) {
  double largest = 1, error = 0;
  for (const double x : wanted) {
    if (std::isfinite(x)) largest = std::max(largest, std::fabs(x));
  }
  for (int64_t i = 0; i < got.n; ++i) {
    const double e = got[i] == wanted[i] ? 0 : std::fabs(got[i] - wanted[i]);  // Also -infinity.
    error = e <= error ? error : e;
  }
  CHECK_THAT(error <= (sizeof(T) == 4 ? 2e-5 : 4e-14) * largest,
             "%s B=%ld C=%ld D=%ld: error %g, largest %g", what, p.batch, p.classes, p.dim, error,
             largest);
  CHECK_THAT(got.Intact(), "%s: written outside", what);
}

template <typename T>
void CheckReduce(const FullProblem<T>& p, LossKind kind, const Matrix<T>& upstream,
                 const Matrix<T>& true_upstream) {
  std::vector<double> reduced(p.batch), true_logits(p.batch * p.num_true),
      d_inputs(p.batch * p.dim), d_weights(p.classes * p.dim), d_biases(p.classes);
  for (int64_t b = 0; b < p.batch; ++b) {
    std::vector<double> logit(p.classes), of_true(p.classes);
    std::vector<bool> left_out(p.classes);
    for (int64_t c = 0; c < p.classes; ++c) logit[c] = LogitOf(p, b, c);
    for (int64_t i = b * p.num_true; i < (b + 1) * p.num_true; ++i) {
      const int64_t c = p.labels[i];
      if (c < 0 || c >= p.classes) continue;
      true_logits[i] = logit[c];
      of_true[c] += true_upstream[i];
      left_out[c] = true;
    }
    double largest = std::numeric_limits<double>::lowest();
    for (int64_t c = 0; c < p.classes; ++c) {
      if (!left_out[c]) largest = std::max(largest, logit[c]);
    }
    for (int64_t c = 0; c < p.classes; ++c) {
      if (left_out[c]) continue;
      reduced[b] +=
          kind == LossKind::kSoftmax ? std::exp(logit[c] - largest) : SoftplusOf(logit[c]);
    }
    if (kind == LossKind::kSoftmax) reduced[b] = largest + std::log(reduced[b]);
    for (int64_t c = 0; c < p.classes; ++c) {
      double g = upstream[b] * (kind == LossKind::kSoftmax ? std::exp(logit[c] - reduced[b])
                                                           : 1 / (1 + std::exp(-logit[c])));
      if (left_out[c]) g = of_true[c];
      d_biases[c] += g;
      for (int64_t d = 0; d < p.dim; ++d) {
        d_inputs[b * p.dim + d] += g * static_cast<const T*>(p.weights)[c * p.dim + d];
        d_weights[c * p.dim + d] += g * p.inputs[b * p.dim + d];
      }
    }
  }
  Matrix<T> first(p.batch * p.dim);
  for (const int threads : {1, 2, 16}) {
    SetThreads(threads);
    Matrix<T> r(p.batch), t(p.batch * p.num_true), x(p.batch * p.dim), w(p.classes * p.dim),
        b(p.classes);
    FullReduce<T>(p, kind, r.data(), t.data());
    FullReduceGradient<T>(p, kind, {upstream.data(), true_upstream.data()}, r.data(), x.data(),
                          w.data(), b.data());
    Compare("reduced", r, reduced, p);
    Compare("true_logits", t, true_logits, p);
    Compare("d_inputs", x, d_inputs, p);
    Compare("d_weights", w, d_weights, p);
    Compare("d_biases", b, d_biases, p);
    if (threads == 1) first = x;
    CHECK_THAT(std::memcmp(first.data(), x.data(), p.batch * p.dim * sizeof(T)) == 0,
               "%d threads: other bits", threads);
  }
}

// If a row's second best logit is its bar, only the best is left; if the best is, none.
template <typename T>
void CheckTopKAboveABar(const FullProblem<T>& p, int64_t k, const Matrix<T>& best,
                        const std::vector<int64_t>& best_indices) {
  std::vector<T> bar(p.batch), values(p.batch * k);
  std::vector<int64_t> indices(p.batch * k);
  for (int64_t left = 0; left < std::min<int64_t>(2, k); ++left) {
    for (int64_t b = 0; b < p.batch; ++b) bar[b] = best[b * k + left];
    FullTopK<T>(p, k, bar.data(), values.data(), indices.data());
    for (int64_t i = 0; i < p.batch * k; ++i) {
      const bool kept = i % k < left && best[i] > bar[i / k];
      CHECK_THAT(indices[i] == (kept ? best_indices[i] : -1), "rank %ld: class %ld", i % k,
                 indices[i]);
      CHECK_THAT(kept ? values[i] == best[i] : values[i] == -std::numeric_limits<T>::infinity(),
                 "rank %ld: %g", i % k, double(values[i]));
    }
  }
}

template <typename T>
void CheckTopK(const FullProblem<T>& p, int64_t k) {
  Matrix<T> values(p.batch * k);
  std::vector<int64_t> indices(p.batch * k, -1);
  const std::vector<T> no_bar(p.batch, std::numeric_limits<T>::quiet_NaN());
  FullTopK<T>(p, k, no_bar.data(), values.data(), indices.data());
  for (int64_t b = 0; b < p.batch; ++b) {
    std::vector<double> logit(p.classes);
    for (int64_t c = 0; c < p.classes; ++c) logit[c] = LogitOf(p, b, c);
    std::vector<bool> taken(p.classes);
    std::vector<double> sorted = logit;
    std::sort(sorted.rbegin(), sorted.rend());
    for (int64_t i = 0; i < k; ++i) {
      const int64_t c = indices[b * k + i];
      CHECK_THAT(c >= 0 && c < p.classes && !taken[c], "row %ld: class %ld", b, c);
      if (c < 0 || c >= p.classes) return;
      taken[c] = true;
      CHECK_THAT(std::fabs(values[b * k + i] - sorted[i]) < 1e-4,
                 "row %ld rank %ld of %ld classes: %g, wanted %g", b, i, p.classes,
                 double(values[b * k + i]), sorted[i]);
      CHECK_THAT(std::fabs(values[b * k + i] - logit[c]) < 1e-4, "row %ld: value of class %ld", b,
                 c);
    }
  }
  CHECK_THAT(values.Intact(), "top-k: written outside");
  CheckTopKAboveABar(p, k, values, indices);
}

template <typename T>
void CheckTapas(const FullProblem<T>& p) {
  Matrix<T> scores(p.classes);
  const T temperature = T(0.7);
  TapasScores<T>(
      {p.batch, p.classes, p.dim, p.inputs, p.weights_type, p.weights, p.biases, temperature},
      scores.data());
  std::vector<double> wanted(p.classes);
  for (int64_t c = 0; c < p.classes; ++c) {
    double largest = -1e300, sum = 0;
    for (int64_t b = 0; b < p.batch; ++b)
      largest = std::max(largest, LogitOf(p, b, c) / temperature);
    for (int64_t b = 0; b < p.batch; ++b) sum += std::exp(LogitOf(p, b, c) / temperature - largest);
    wanted[c] = largest + std::log(sum);
  }
  Compare("scores", scores, wanted, p);
}

template <typename T>
void CheckAll() {
  uint32_t seed = 1;
  const int64_t w = kLanes<T>;
#ifdef SAMPLED_COMPAT_QUICK_TESTS
  const int64_t kMostWork = 800000;
#else
  const int64_t kMostWork = 9000000;
#endif
  for (const int64_t batch : {int64_t{1}, w - 1, w + 1, 9 * w + 3}) {
    for (const int64_t classes : {1, 7, 128, 129, 1000, 9000}) {
      for (const int64_t dim : {int64_t{1}, w, w + 3}) {
        if (batch * classes * dim > kMostWork) continue;
        seed += 5;
        const Matrix<T> inputs(batch * dim, seed, 0.6), weights(classes * dim, seed + 1, 0.6),
            biases(classes, seed + 2, seed % 4 == 0 ? 60 : 1), upstream(batch, seed + 3, 1);
        const FullProblem<T> p{batch,    classes,        dim,          inputs.data(),
                               kType<T>, weights.data(), biases.data()};
        FullProblem<T> with_labels = p;
        with_labels.num_true = seed % 3;
        const Matrix<T> true_upstream(batch * with_labels.num_true, seed + 4, 1);
        // Some are other pieces' classes, and some stand twice in a row.
        std::vector<int64_t> labels(batch * with_labels.num_true);
        for (size_t i = 0; i < labels.size(); ++i)
          labels[i] = int64_t(i / 2 * 7 % (classes + 2)) - 1;
        with_labels.labels = labels.data();
        CheckReduce<T>(with_labels, LossKind::kSoftmax, upstream, true_upstream);
        CheckReduce<T>(with_labels, LossKind::kSigmoid, upstream, true_upstream);
        CheckTopK<T>(p, std::min<int64_t>(classes, 1 + seed % 20));
        CheckTapas<T>(p);
      }
    }
  }
}

// Equal logits rank by class; a NaN ranks last, with -infinity.
void CheckTopKTies() {
  const int64_t classes = 400;
  const std::vector<float> zero(classes, 0.0f);
  std::vector<float> biases(classes, 1.0f);
  biases[3] = std::numeric_limits<float>::quiet_NaN();
  biases[250] = 2;
  biases[90] = 2;
  const float x = 1, no_bar = std::numeric_limits<float>::quiet_NaN();
  float values[5];
  int64_t indices[5];
  FullTopK<float>({1, classes, 1, &x, FloatType::kFloat, zero.data(), biases.data()}, 5, &no_bar,
                  values, indices);
  const int64_t wanted[] = {90, 250, 0, 1, 2};
  for (int i = 0; i < 5; ++i)
    CHECK_THAT(indices[i] == wanted[i], "rank %d: class %ld", i, indices[i]);
  FullTopK<float>({1, classes, 1, &x, FloatType::kFloat, zero.data(), biases.data()}, 4, &no_bar,
                  values, indices);
  CHECK_THAT(indices[3] == 1, "rank 3: class %ld", indices[3]);
}

// Weights in bfloat16 give what the same numbers give in float.
void CheckLowPrecisionWeights() {
  const int64_t batch = 20, classes = 300, dim = 37;
  const Matrix<float> inputs(batch * dim, 1, 1), biases(classes, 2, 1);
  const std::vector<float> weights = RandomVector<float>(classes * dim, 3, 1);
  std::vector<uint16_t> narrow(weights.size());
  std::vector<float> wide(weights.size());
  for (const FloatType type : {FloatType::kBfloat16, FloatType::kHalf}) {
    ConvertTo<float>(type, weights.data(), weights.size(), narrow.data());
    ConvertFrom<float>(type, narrow.data(), narrow.size(), wide.data());
    std::vector<float> got(batch), wanted(batch);
    FullReduce<float>({batch, classes, dim, inputs.data(), type, narrow.data(), biases.data()},
                      LossKind::kSoftmax, got.data(), nullptr);
    FullReduce<float>(
        {batch, classes, dim, inputs.data(), FloatType::kFloat, wide.data(), biases.data()},
        LossKind::kSoftmax, wanted.data(), nullptr);
    CHECK_THAT(got == wanted, "weights of type %d", static_cast<int>(type));
  }
}

}  // namespace
}  // namespace sampled_compat

int main() {
  sampled_compat::PoisonScratch();
  sampled_compat::CheckAll<float>();
  sampled_compat::CheckAll<double>();
  sampled_compat::CheckTopKTies();
  sampled_compat::CheckLowPrecisionWeights();
  return sampled_compat::Report("full_test");
}
