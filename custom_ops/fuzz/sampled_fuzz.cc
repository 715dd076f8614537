// The sampled losses, their terms, and the gradients of both.
#include "../kernels/thread_pool.h"
#include "sampled_inputs.h"

namespace sampled_compat {
namespace {

// Everything that one step fills.
template <typename T>
struct Step {
  explicit Step(const SampledProblem<T>& p, bool keep)
      : results(p.batch),
        true_logits(p.batch * p.num_true),
        normalizer(2 * p.batch),
        kept(keep ? KeptCount<T>(p.batch, p.num_sampled) : 0),
        d_inputs(p.batch * p.dim),
        d_rows(p.unique * p.dim),
        d_biases(p.unique),
        d_true(p.batch * p.num_true),
        d_sampled(p.num_sampled) {}

  // With no true upstream the loss, else its terms.
  void Run(const SampledProblem<T>& p, const Array<T>& upstream, const Array<T>* true_upstream) {
    T* const keep = kept.size() > 0 ? kept.data() : nullptr;
    const SampledGradients<T> gradients{d_inputs.data(), d_rows.data(), d_biases.data(),
                                        d_true.data(), d_sampled.data()};
    if (true_upstream == nullptr) {
      SampledLossForward<T>(p, results.data(), normalizer.data(), keep);
      SampledLossBackward<T>(p, upstream.data(), normalizer.data(), keep, gradients);
    } else {
      SampledTermsForward<T>(p, {results.data(), true_logits.data()}, normalizer.data(), keep);
      SampledTermsBackward<T>(p, {upstream.data(), true_upstream->data()}, normalizer.data(), keep,
                              gradients);
    }
  }

  bool SameBits(const Step& o) const {
    return results.SameBits(o.results) && true_logits.SameBits(o.true_logits) &&
           normalizer.SameBits(o.normalizer) && d_inputs.SameBits(o.d_inputs) &&
           d_rows.SameBits(o.d_rows) && d_biases.SameBits(o.d_biases) &&
           d_true.SameBits(o.d_true) && d_sampled.SameBits(o.d_sampled);
  }

  const Array<T> results, true_logits, normalizer, kept, d_inputs, d_rows, d_biases, d_true,
      d_sampled;
};

// The value and the gradients by the logits of one row.
struct NaiveRow : NaiveLogits {
  double value = 0;
  std::vector<double> gradient, sum;  // by each logit, and the sum of its absolute terms

  template <typename T>
  NaiveRow(const SampledProblem<T>& p, int64_t b, const Array<T>& upstream,
           const Array<T>* true_upstream)
      : NaiveLogits(p, b), gradient(logit.size()), sum(logit.size()) {
    const bool softmax = p.kind == LossKind::kSoftmax;
    const int64_t first = true_upstream == nullptr ? 0 : p.num_true;
    const double target = true_upstream == nullptr ? 1.0 / p.num_true : 0;
    const double log_sum = softmax ? LogSumExp(first) : 0;
    value = softmax ? log_sum : SumOfSoftplus(first);
    for (int64_t t = 0; t < p.num_true; ++t) value -= target * logit[t];
    // Only rounding of the logits and of the log-sum-exp; the function itself is exact.
    const double error = 1 + size;
    for (int64_t i = 0; i < static_cast<int64_t>(logit.size()); ++i) {
      if (left_out[i]) continue;
      if (i < first) {
        gradient[i] = (*true_upstream)[b * p.num_true + i];
        sum[i] = std::fabs(gradient[i]);
        continue;
      }
      const double probability =
          softmax ? std::exp(logit[i] - log_sum) : 1 / (1 + std::exp(-logit[i]));
      const double aim = i < p.num_true ? target : 0;
      gradient[i] = upstream[b] * (probability - aim);
      sum[i] = std::fabs(double(upstream[b])) * (probability * error + aim);
    }
  }
};

// Sums of a gradient, and of its absolute terms.
struct Sums {
  explicit Sums(int64_t count) : value(count), size(count) {}
  void Add(int64_t i, double x, double absolute) {
    value[i] += x;
    size[i] += absolute;
  }
  template <typename T>
  void RequireCloseTo(const char* what, const Array<T>& got) const {
    for (int64_t i = 0; i < got.size(); ++i) RequireClose<T>(what, i, got[i], value[i], size[i]);
  }
  std::vector<double> value, size;
};

template <typename T>
void CheckGradients(const SampledProblem<T>& p, const std::vector<NaiveRow>& rows,
                    const Step<T>& step) {
  Sums inputs(p.batch * p.dim), weights(p.unique * p.dim), biases(p.unique),
      labels(p.batch * p.num_true), sampled(p.num_sampled);
  for (int64_t b = 0; b < p.batch; ++b) {
    const NaiveRow& row = rows[b];
    for (int64_t i = 0; i < static_cast<int64_t>(row.logit.size()); ++i) {
      const double g = row.gradient[i], size = row.sum[i];
      const int64_t u = row.position[i];
      biases.Add(u, g, size);
      if (i < p.num_true) {
        labels.Add(b * p.num_true + i, g, size);
      } else {
        sampled.Add(i - p.num_true, g, size);
      }
      for (int64_t d = 0; d < p.dim; ++d) {
        const double w = p.rows[u * p.dim + d], x = p.inputs[b * p.dim + d];
        inputs.Add(b * p.dim + d, g * w, size * std::fabs(w));
        weights.Add(u * p.dim + d, g * x, size * std::fabs(x));
      }
    }
  }
  inputs.RequireCloseTo("d_inputs", step.d_inputs);
  weights.RequireCloseTo("d_rows", step.d_rows);
  biases.RequireCloseTo("d_biases", step.d_biases);
  labels.RequireCloseTo("d_true_offset", step.d_true);
  sampled.RequireCloseTo("d_sampled_offset", step.d_sampled);
}

template <typename T>
void CheckStep(const SampledProblem<T>& p, const Array<T>& upstream, const Array<T>* true_upstream,
               const Step<T>& step) {
  std::vector<NaiveRow> rows;
  bool plain = ArePlain(upstream) && (true_upstream == nullptr || ArePlain(*true_upstream));
  for (int64_t b = 0; b < p.batch; ++b) {
    rows.emplace_back(p, b, upstream, true_upstream);
    const NaiveRow& row = rows.back();
    plain = plain && row.plain;
    if (row.is_nan && true_upstream == nullptr) {
      REQUIRE(std::isnan(step.results[b]), "a logit of row %ld is NaN, its loss %g", b,
              double(step.results[b]));
    }
    if (!row.plain) continue;
    const double got = step.results[b];
    if (std::isinf(row.value)) {
      REQUIRE(got == row.value, "result[%ld]: %g, wanted %g", b, got, row.value);
    } else {
      const double terms = p.kind == LossKind::kSoftmax ? 0 : row.logit.size() * row.size;
      RequireClose<T>("result", b, got, row.value, 2 * row.size + std::fabs(row.value) + terms);
    }
    for (int64_t t = 0; true_upstream != nullptr && t < p.num_true; ++t) {
      const int64_t at = b * p.num_true + t;
      RequireClose<T>("true_logits", at, step.true_logits[at], row.logit[t], row.size);
    }
  }
  if (plain) CheckGradients(p, rows, step);
}

template <typename T>
void Attempt(Bytes* bytes) {
  const bool wild = bytes->Bool(), terms = bytes->Bool(), keep = bytes->Bool();
  const LossKind kind = bytes->Bool() ? LossKind::kSoftmax : LossKind::kSigmoid;
  const SampledSizes sizes(bytes);
  const SampledArrays<T> arrays(bytes, kind, sizes, wild);
  const SampledProblem<T> p = arrays.View();
  const Array<T> upstream = Numbers<T>(bytes, p.batch, 1, wild);
  const Array<T> true_upstream = Numbers<T>(bytes, p.batch * p.num_true, 1, wild);
  const Array<T>* const of_terms = terms ? &true_upstream : nullptr;
  Step<T> step(p, keep);
  step.Run(p, upstream, of_terms);
  CheckStep(p, upstream, of_terms, step);
  if (Threads() == 1) return;
  SetThreads(1);
  Step<T> alone(p, keep);
  alone.Run(p, upstream, of_terms);
  REQUIRE(step.SameBits(alone), "other bits than on one thread");
}

}  // namespace

FUZZ_TARGET(sampled) { bytes->Bool() ? Attempt<double>(bytes) : Attempt<float>(bytes); }

}  // namespace sampled_compat
