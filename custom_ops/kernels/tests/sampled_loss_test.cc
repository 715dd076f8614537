// Compares the fused losses and their gradients with naive double loops over the definition.
#include "../sampled_loss.h"

#include "../scratch.h"
#include "../thread_pool.h"
#include "sampled_problem.h"

namespace sampled_compat {
namespace {

struct LossResults : Results {
  template <typename T>
  explicit LossResults(const SampledProblem<T>& p) : Results(p), loss(p.batch) {}
  std::vector<double> loss;
};

template <typename T>
LossResults Naive(const SampledProblem<T>& p, const T* upstream) {
  LossResults r(p);
  const double target = 1.0 / p.num_true;
  for (int64_t b = 0; b < p.batch; ++b) {
    const NaiveRow row(p, b);
    const double log_sum = row.LogSumExp(0);
    std::vector<double> gradient(row.logit.size());
    if (p.kind == LossKind::kSoftmax) r.loss[b] = log_sum;
    for (size_t i = 0; i < gradient.size(); ++i) {
      if (row.left_out[i]) continue;
      const double x = row.logit[i], z = i < static_cast<size_t>(p.num_true) ? target : 0;
      switch (p.kind) {
        case LossKind::kSoftmax:
          r.loss[b] -= x * z;
          gradient[i] = std::exp(x - log_sum) - z;
          break;
        case LossKind::kSigmoid:
          r.loss[b] += SoftplusOf(x) - x * z;
          gradient[i] = 1 / (1 + std::exp(-x)) - z;
          break;
      }
      gradient[i] *= upstream[b];
    }
    r.AddRow(p, b, row, gradient);
  }
  return r;
}

template <typename T>
struct Outputs : Gradients<T> {
  explicit Outputs(const SampledProblem<T>& p)
      : Gradients<T>(p), loss(p.batch), normalizer(2 * p.batch) {}
  bool SameBits(const Outputs& o) const {
    return loss.SameBits(o.loss) && Gradients<T>::SameBits(o);
  }
  Guarded<T> loss, normalizer;
};

template <typename T>
Outputs<T> Run(const SampledProblem<T>& p, const T* upstream, bool keep, int threads) {
  SetThreads(threads);
  Outputs<T> out(p);
  Guarded<T> kept(keep ? KeptCount<T>(p.batch, p.num_sampled) : 0);
  T* const memory = keep && kept.size() > 0 ? kept.data() : nullptr;
  SampledLossForward<T>(p, out.loss.data(), out.normalizer.data(), memory);
  SampledLossBackward<T>(p, upstream, out.normalizer.data(), memory, out.View());
  CHECK_THAT(kept.Intact(), "kept: written outside");
  return out;
}

template <typename T>
void CheckProblem(const Size& z, uint32_t seed, bool unique_samples, bool determinism) {
  const RandomProblem<T> problem(z, seed, unique_samples);
  const Guarded<T> upstream(RandomVector<double>(z.batch, seed + 7, 1));
  for (const LossKind kind : {LossKind::kSoftmax, LossKind::kSigmoid}) {
    const SampledProblem<T> p = problem.View(kind);
    const LossResults wanted = Naive<T>(p, upstream.data());
    for (const bool keep : {true, false}) {
      const Outputs<T> out = Run<T>(p, upstream.data(), keep, 2);
      CheckClose("loss", out.loss, wanted.loss, z, kind, keep);
      CheckGradients(out, wanted, z, kind, keep);
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
  // Long sums over more than one block in each dimension.
  CheckProblem<T>({300, 2, 700, 64, 2000, 0.3}, 1001, true, true);
  CheckProblem<T>({301, 5, 701, 70, 900, 0.3}, 1002, false, true);
  CheckProblem<T>({10, 1, 20, 600, 40, 0.1}, 1003, true, false);
  // Columns whose gradients are summed in place: the first rows, and the last.
  CheckProblem<T>({300, 2, 704, 64, 2000, 0.3}, 1009, true, true);
  CheckProblem<T>({300, 2, 704, 64, 2000, 0.3}, 1011, true, true);
  // Logits far apart: the reference must rise, in kept columns too.
  CheckProblem<T>({40, 1, 600, 64, 2000, 4.0}, 1004, true, true);
  // In padding lanes, e^100 must not be multiplied by zero.
  CheckProblem<T>({3, 1, 40, 5, 100, 0.5, 100}, 1006, true, false);
  CheckProblem<T>({0, 1, 5, 3, 20, 0.5}, 1005, true, false);
}

// If every sampled class of a row is a hit, only the true classes remain. Its loss is 0 for T = 1.
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
