// The fused losses and their gradients against naive double loops over the definition.
#include "../sampled_loss.h"

#include <algorithm>
#include <cstring>

#include "../packing.h"
#include "../plan.h"
#include "../scratch.h"
#include "../thread_pool.h"
#include "check.h"

namespace sampled_compat {
namespace {

struct Size {
  int64_t batch, num_true, num_sampled, dim;
  int64_t classes;
  double scale = 0.5;
  double shift = 0;  // Of every sampled logit: -log of a tiny expected count.
};

// An array inside NaN, one number off any alignment: reading past it shows, and so does relying on
// how it is aligned.
template <typename T>
class Guarded {
 public:
  explicit Guarded(int64_t n) : n_(n), room_(n + 2 * kGuard, std::numeric_limits<T>::quiet_NaN()) {}
  explicit Guarded(const std::vector<double>& values) : Guarded(values.size()) {
    for (int64_t i = 0; i < n_; ++i) data()[i] = static_cast<T>(values[i]);
  }
  T* data() { return room_.data() + kGuard; }
  const T* data() const { return room_.data() + kGuard; }
  int64_t size() const { return n_; }
  bool Intact() const {
    return std::all_of(room_.begin(), room_.begin() + kGuard, [](T x) { return std::isnan(x); }) &&
           std::all_of(room_.end() - kGuard, room_.end(), [](T x) { return std::isnan(x); });
  }
  bool SameBits(const Guarded& other) const {
    return std::memcmp(data(), other.data(), n_ * sizeof(T)) == 0;
  }

 private:
  static constexpr int64_t kGuard = 67;
  int64_t n_;
  std::vector<T> room_;
};

struct Results {
  std::vector<double> loss, inputs, rows, biases, true_offset, sampled_offset;
};

double SoftplusOf(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

// All in double, on the numbers that T can hold.
template <typename T>
Results Naive(const SampledProblem<T>& p, const T* upstream) {
  Results r;
  r.loss.resize(p.batch);
  r.inputs.resize(p.batch * p.dim);
  r.rows.resize(p.unique * p.dim);
  r.biases.resize(p.unique);
  r.true_offset.resize(p.batch * p.num_true);
  r.sampled_offset.resize(p.num_sampled);
  for (int64_t b = 0; b < p.batch; ++b) {
    const int64_t n = p.num_true + p.num_sampled;
    std::vector<double> logit(n), gradient(n);
    std::vector<int32_t> position(n);
    std::vector<bool> left_out(n);
    for (int64_t h = 0; h < p.num_hits; ++h) {
      if (p.hits[2 * h] == b) left_out[p.num_true + p.hits[2 * h + 1]] = true;
    }
    for (int64_t i = 0; i < n; ++i) {
      const bool is_true = i < p.num_true;
      position[i] =
          is_true ? p.true_positions[b * p.num_true + i] : p.sampled_positions[i - p.num_true];
      logit[i] = p.biases[position[i]];
      logit[i] += is_true ? p.true_offset[b * p.num_true + i] : p.sampled_offset[i - p.num_true];
      for (int64_t d = 0; d < p.dim; ++d) {
        logit[i] += double(p.inputs[b * p.dim + d]) * p.rows[position[i] * p.dim + d];
      }
    }
    const double target = 1.0 / p.num_true;
    if (p.kind == LossKind::kSoftmax) {
      double largest = -1e300, sum = 0;
      for (int64_t i = 0; i < n; ++i)
        if (!left_out[i]) largest = std::max(largest, logit[i]);
      for (int64_t i = 0; i < n; ++i)
        if (!left_out[i]) sum += std::exp(logit[i] - largest);
      r.loss[b] = largest + std::log(sum);
      for (int64_t i = 0; i < n; ++i) {
        if (!left_out[i]) gradient[i] = std::exp(logit[i] - r.loss[b]);
      }
      for (int64_t i = 0; i < p.num_true; ++i) gradient[i] -= target;
      for (int64_t i = 0; i < p.num_true; ++i) r.loss[b] -= logit[i] * target;
    } else {
      for (int64_t i = 0; i < n; ++i) {
        if (left_out[i]) continue;
        const double z = i < p.num_true ? target : 0;
        r.loss[b] += SoftplusOf(logit[i]) - logit[i] * z;
        gradient[i] = 1 / (1 + std::exp(-logit[i])) - z;
      }
    }
    for (int64_t i = 0; i < n; ++i) {
      const double g = gradient[i] * upstream[b];
      r.biases[position[i]] += g;
      if (i < p.num_true)
        r.true_offset[b * p.num_true + i] = g;
      else
        r.sampled_offset[i - p.num_true] += g;
      for (int64_t d = 0; d < p.dim; ++d) {
        r.inputs[b * p.dim + d] += g * p.rows[position[i] * p.dim + d];
        r.rows[position[i] * p.dim + d] += g * p.inputs[b * p.dim + d];
      }
    }
  }
  return r;
}

template <typename T>
void CheckClose(const char* what, const Guarded<T>& got, const std::vector<double>& wanted,
                const Size& z, LossKind kind, bool kept) {
  double largest = 0, error = 0;
  for (const double x : wanted) largest = std::max(largest, std::fabs(x));
  for (int64_t i = 0; i < got.size(); ++i) {
    const double e = std::fabs(got.data()[i] - wanted[i]);
    error = e <= error ? error : e;  // Keeps a NaN.
  }
  const double bound =
      (sizeof(T) == 4 ? 4e-6 : 1e-14) * (largest + 0.1) * (1 + z.scale + z.shift / 20);
  CHECK_THAT(error <= bound,
             "%s B=%ld T=%ld S=%ld D=%ld C=%ld scale=%g %s %s: error %g, largest %g", what, z.batch,
             z.num_true, z.num_sampled, z.dim, z.classes, z.scale,
             kind == LossKind::kSigmoid ? "sigmoid" : "softmax", kept ? "kept" : "recomputed",
             error, largest);
  CHECK_THAT(got.Intact(), "%s: written outside", what);
}

std::vector<int64_t> RandomIds(int64_t n, int64_t classes, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<int64_t> ids(n);
  for (int64_t& id : ids) id = static_cast<int64_t>(generator() % classes);
  return ids;
}

template <typename T>
struct Outputs {
  explicit Outputs(const SampledProblem<T>& p)
      : loss(p.batch),
        normalizer(2 * p.batch),
        inputs(p.batch * p.dim),
        rows(p.unique * p.dim),
        biases(p.unique),
        true_offset(p.batch * p.num_true),
        sampled_offset(p.num_sampled) {}
  bool SameBits(const Outputs& o) const {
    return loss.SameBits(o.loss) && inputs.SameBits(o.inputs) && rows.SameBits(o.rows) &&
           biases.SameBits(o.biases) && true_offset.SameBits(o.true_offset) &&
           sampled_offset.SameBits(o.sampled_offset);
  }
  Guarded<T> loss, normalizer, inputs, rows, biases, true_offset, sampled_offset;
};

template <typename T>
Outputs<T> Run(const SampledProblem<T>& p, const T* upstream, bool keep, int threads) {
  SetThreads(threads);
  Outputs<T> out(p);
  Guarded<T> kept(keep ? KeptCount<T>(p.batch, p.num_sampled) : 0);
  T* const memory = keep && kept.size() > 0 ? kept.data() : nullptr;
  CHECK_THAT(SampledLossForward<T>(p, out.loss.data(), out.normalizer.data(), memory), "no memory");
  const SampledGradients<T> gradients{out.inputs.data(), out.rows.data(), out.biases.data(),
                                      out.true_offset.data(), out.sampled_offset.data()};
  CHECK_THAT(SampledLossBackward<T>(p, upstream, out.normalizer.data(), memory, gradients),
             "no memory");
  CHECK_THAT(kept.Intact(), "kept: written outside");
  return out;
}

template <typename T>
void CheckProblem(const Size& z, uint32_t seed, bool unique_samples, bool determinism) {
  std::vector<int64_t> sampled = RandomIds(z.num_sampled, z.classes, seed);
  if (unique_samples) {
    for (int64_t s = 0; s < z.num_sampled; ++s) sampled[s] = s;
  }
  const std::vector<int64_t> labels = RandomIds(z.batch * z.num_true, z.classes, seed + 1);
  const Plan plan =
      MakePlan(sampled.data(), z.num_sampled, labels.data(), z.batch, z.num_true, seed % 4 != 3);
  const int64_t unique = plan.unique_ids.size();
  const Guarded<T> inputs(RandomVector<double>(z.batch * z.dim, seed + 2, z.scale));
  const Guarded<T> rows(RandomVector<double>(unique * z.dim, seed + 3, z.scale));
  const Guarded<T> biases(RandomVector<double>(unique, seed + 4, z.scale));
  const Guarded<T> true_offset(RandomVector<double>(z.batch * z.num_true, seed + 5, 2));
  std::vector<double> offset = RandomVector<double>(z.num_sampled, seed + 6, 2);
  for (double& x : offset) x += z.shift;
  const Guarded<T> sampled_offset(offset);
  const Guarded<T> upstream(RandomVector<double>(z.batch, seed + 7, 1));
  for (const LossKind kind : {LossKind::kSoftmax, LossKind::kSigmoid}) {
    const SampledProblem<T> p{kind,
                              z.batch,
                              z.num_true,
                              z.num_sampled,
                              z.dim,
                              unique,
                              static_cast<int64_t>(plan.hits.size() / 2),
                              inputs.data(),
                              rows.data(),
                              biases.data(),
                              plan.sampled_positions.data(),
                              plan.true_positions.data(),
                              plan.hits.data(),
                              true_offset.data(),
                              sampled_offset.data()};
    const Results wanted = Naive<T>(p, upstream.data());
    for (const bool keep : {true, false}) {
      const Outputs<T> out = Run<T>(p, upstream.data(), keep, 2);
      CheckClose("loss", out.loss, wanted.loss, z, kind, keep);
      CheckClose("d_inputs", out.inputs, wanted.inputs, z, kind, keep);
      CheckClose("d_rows", out.rows, wanted.rows, z, kind, keep);
      CheckClose("d_biases", out.biases, wanted.biases, z, kind, keep);
      CheckClose("d_true_offset", out.true_offset, wanted.true_offset, z, kind, keep);
      CheckClose("d_sampled_offset", out.sampled_offset, wanted.sampled_offset, z, kind, keep);
      if (!determinism) continue;
      for (const int threads : {1, 2, 3, 16}) {
        const Outputs<T> again = Run<T>(p, upstream.data(), keep, threads);
        CHECK_THAT(again.SameBits(out), "%d threads: other bits", threads);
      }
    }
  }
}

template <typename T>
void CheckAll() {
  const int64_t w = kLanes<T>;
  uint32_t seed = 1;
  for (const int64_t batch : {int64_t{1}, int64_t{2}, w - 1, w, w + 1, 3 * w + 5}) {
    for (const int64_t num_sampled : {1, 7, 8, 9, 127, 128, 129, 300}) {
      for (const int64_t dim : {int64_t{1}, w - 1, w, w + 1}) {
        const int64_t num_true = 1 + seed % 3;
        CheckProblem<T>({batch, num_true, num_sampled, dim, num_sampled + 10, 0.5}, seed,
                        seed % 2 == 0, false);
        ++seed;
      }
    }
  }
  // Long sums, more than one block of everything, and the order of them.
  CheckProblem<T>({300, 2, 700, 64, 2000, 0.3}, 1001, true, true);
  CheckProblem<T>({301, 5, 701, 70, 900, 0.3}, 1002, false, true);
  CheckProblem<T>({10, 1, 20, 600, 40, 0.1}, 1003, true, false);
  // Logits far apart: the reference must rise, in kept columns too.
  CheckProblem<T>({40, 1, 600, 64, 2000, 4.0}, 1004, true, true);
  // Where there is no row in a lane, e^100 must not meet a zero.
  CheckProblem<T>({3, 1, 40, 5, 100, 0.5, 100}, 1006, true, false);
  CheckProblem<T>({0, 1, 5, 3, 20, 0.5}, 1005, true, false);
}

// A row whose every sampled class is a hit keeps its true classes alone; its loss is 0 for T = 1.
void CheckAllHits() {
  const int32_t positions[] = {0, 1}, label[] = {2}, hits[] = {0, 0, 0, 1};
  const float x[] = {1, 2}, rows[] = {3, 4, 5, 6, 7, 8}, biases[] = {0, 0, 0}, offset[] = {0, 0};
  const float one = 1;
  const SampledProblem<float> p{
      LossKind::kSoftmax, 1,     1,    2,      2,     3, 2, x, rows, biases,
      positions,          label, hits, offset, offset};
  const Outputs<float> out = Run<float>(p, &one, true, 1);
  CHECK_THAT(out.loss.data()[0] == 0, "loss %g", out.loss.data()[0]);
  for (int i = 0; i < 6; ++i) CHECK_THAT(out.rows.data()[i] == 0, "gradient %d", i);
}

// A NaN in one input row stays in that row's loss.
void CheckNanStaysInItsRow() {
  const int64_t batch = 40, columns = 20, dim = 5;
  std::vector<float> x = RandomVector<float>(batch * dim, 1, 1),
                     rows = RandomVector<float>((columns + 1) * dim, 2, 1);
  x[7 * dim + 2] = std::numeric_limits<float>::quiet_NaN();
  std::vector<int32_t> positions(columns), labels(batch, columns);
  for (int i = 0; i < columns; ++i) positions[i] = i;
  const std::vector<float> zero(100), ones(batch, 1.0f);
  for (const LossKind kind : {LossKind::kSoftmax, LossKind::kSigmoid}) {
    const SampledProblem<float> p{kind,
                                  batch,
                                  1,
                                  columns,
                                  dim,
                                  columns + 1,
                                  0,
                                  x.data(),
                                  rows.data(),
                                  zero.data(),
                                  positions.data(),
                                  labels.data(),
                                  nullptr,
                                  zero.data(),
                                  zero.data()};
    const Outputs<float> out = Run<float>(p, ones.data(), true, 2);
    for (int b = 0; b < batch; ++b) {
      CHECK_THAT(std::isnan(out.loss.data()[b]) == (b == 7), "loss of row %d", b);
      CHECK_THAT(std::isnan(out.inputs.data()[b * dim]) == (b == 7), "gradient of row %d", b);
    }
  }
}

}  // namespace
}  // namespace sampled_compat

int main() {
  sampled_compat::PoisonScratch();
  sampled_compat::CheckAll<float>();
  sampled_compat::CheckAll<double>();
  sampled_compat::CheckAllHits();
  sampled_compat::CheckNanStaysInItsRow();
  return sampled_compat::Report("sampled_loss_test");
}
