// Compares the terms of the losses and their gradients with naive double loops over the definition.
#include "../sampled_loss.h"
#include "../scratch.h"
#include "../thread_pool.h"
#include "sampled_problem.h"

namespace sampled_compat {
namespace {

struct TermsResults : Results {
  template <typename T>
  explicit TermsResults(const SampledProblem<T>& p)
      : Results(p), negatives(p.batch), true_logits(p.batch * p.num_true) {}
  std::vector<double> negatives, true_logits;
};

template <typename T>
TermsResults Naive(const SampledProblem<T>& p, const SampledTerms<const T>& upstream) {
  TermsResults r(p);
  const size_t num_true = p.num_true;
  for (int64_t b = 0; b < p.batch; ++b) {
    const NaiveRow row(p, b);
    std::vector<double> gradient(row.logit.size());
    for (size_t t = 0; t < num_true; ++t) {
      r.true_logits[b * num_true + t] = row.logit[t];
      gradient[t] = upstream.true_logits[b * num_true + t];
    }
    if (p.kind == LossKind::kSoftmax) r.negatives[b] = row.LogSumExp(num_true);
    for (size_t i = num_true; i < gradient.size(); ++i) {
      if (row.left_out[i]) continue;
      const double x = row.logit[i];
      switch (p.kind) {
        case LossKind::kSoftmax:
          gradient[i] = std::exp(x - r.negatives[b]) * upstream.negatives[b];
          break;
        case LossKind::kSigmoid:
          r.negatives[b] += SoftplusOf(x);
          gradient[i] = upstream.negatives[b] / (1 + std::exp(-x));
          break;
      }
    }
    r.AddRow(p, b, row, gradient);
  }
  return r;
}

template <typename T>
struct Outputs : Gradients<T> {
  explicit Outputs(const SampledProblem<T>& p)
      : Gradients<T>(p),
        negatives(p.batch),
        true_logits(p.batch * p.num_true),
        normalizer(2 * p.batch) {}
  bool SameBits(const Outputs& o) const {
    return negatives.SameBits(o.negatives) && true_logits.SameBits(o.true_logits) &&
           Gradients<T>::SameBits(o);
  }
  Guarded<T> negatives, true_logits, normalizer;
};

template <typename T>
Outputs<T> Run(const SampledProblem<T>& p, const SampledTerms<const T>& upstream, bool keep,
               int threads) {
  SetThreads(threads);
  Outputs<T> out(p);
  Guarded<T> kept(keep ? KeptCount<T>(p.batch, p.num_sampled) : 0);
  T* const memory = keep && kept.size() > 0 ? kept.data() : nullptr;
  SampledTermsForward<T>(p, {out.negatives.data(), out.true_logits.data()}, out.normalizer.data(),
                         memory);
  SampledTermsBackward<T>(p, upstream, out.normalizer.data(), memory, out.View());
  CHECK_THAT(kept.Intact(), "kept: written outside");
  return out;
}

// Removes the rows without negatives, after checking that both log-sum-exps are -infinity.
template <typename T>
void CheckInfinities(Guarded<T>* got, std::vector<double>* wanted) {
  for (int64_t b = 0; b < got->size(); ++b) {
    if (std::isfinite((*wanted)[b])) continue;
    CHECK_THAT(got->data()[b] == -std::numeric_limits<T>::infinity(), "row %ld: %g", b,
               double(got->data()[b]));
    got->data()[b] = (*wanted)[b] = 0;
  }
}

template <typename T>
void CheckProblem(const Size& z, uint32_t seed, bool unique_samples) {
  const RandomProblem<T> problem(z, seed, unique_samples);
  const Guarded<T> d_negatives(RandomVector<double>(z.batch, seed + 7, 1));
  const Guarded<T> d_true_logits(RandomVector<double>(z.batch * z.num_true, seed + 8, 1));
  const SampledTerms<const T> upstream{d_negatives.data(), d_true_logits.data()};
  for (const LossKind kind : {LossKind::kSoftmax, LossKind::kSigmoid}) {
    const SampledProblem<T> p = problem.View(kind);
    for (const bool keep : {true, false}) {
      TermsResults wanted = Naive<T>(p, upstream);
      Outputs<T> out = Run<T>(p, upstream, keep, 2);
      for (const int threads : {1, 3}) {
        const Outputs<T> again = Run<T>(p, upstream, keep, threads);
        CHECK_THAT(again.SameBits(out), "%d threads: other bits", threads);
      }
      CheckInfinities(&out.negatives, &wanted.negatives);
      CheckClose("negatives", out.negatives, wanted.negatives, z, kind, keep);
      CheckClose("true_logits", out.true_logits, wanted.true_logits, z, kind, keep);
      CheckGradients(out, wanted, z, kind, keep);
    }
  }
}

template <typename T>
void CheckAll() {
  const int64_t w = kLanes<T>;
  uint32_t seed = 1;
  for (const int64_t batch : {int64_t{1}, w - 1, w + 1}) {
    for (const int64_t num_sampled : {0, 1, 8, 129}) {
      for (const int64_t dim : {int64_t{1}, w, w + 1}) {
        // As few classes as possible, so that all candidates of some rows are hits.
        const int64_t classes = std::max<int64_t>(2, num_sampled);
        CheckProblem<T>({batch, 1 + seed % 3, num_sampled, dim, classes, 0.5}, seed, seed % 2 == 0);
        ++seed;
      }
    }
  }
  CheckProblem<T>({301, 5, 701, 70, 900, 0.3}, 1002, false);
  // Logits far apart and far below zero: the reference must rise late, from an empty state.
  CheckProblem<T>({40, 1, 600, 64, 2000, 4.0}, 1004, true);
  CheckProblem<T>({40, 1, 600, 8, 2000, 0.5, -900}, 1005, true);
  CheckProblem<T>({3, 1, 40, 5, 100, 0.5, 100}, 1006, true);
}

}  // namespace
}  // namespace sampled_compat

int main() {
  sampled_compat::PoisonScratch();
  sampled_compat::CheckAll<float>();
  sampled_compat::CheckAll<double>();
  return sampled_compat::Report("sampled_terms_test");
}
