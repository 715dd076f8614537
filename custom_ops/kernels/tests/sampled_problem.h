// Random problems for the tests of the sampled losses, and their naive logits.
#ifndef SAMPLED_COMPAT_KERNELS_TESTS_SAMPLED_PROBLEM_H_
#define SAMPLED_COMPAT_KERNELS_TESTS_SAMPLED_PROBLEM_H_

#include <algorithm>
#include <cstring>

#include "../packing.h"
#include "../plan.h"
#include "../sampled_loss.h"
#include "check.h"

namespace sampled_compat {

struct Size {
  int64_t batch, num_true, num_sampled, dim;
  int64_t classes;
  double scale = 0.5;
  double shift = 0;  // Added to every sampled logit, as -log of a tiny expected count would be.
};

// An unaligned array between NaNs: shows reads past its ends and reliance on alignment.
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

inline std::vector<int64_t> RandomIds(int64_t n, int64_t classes, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<int64_t> ids(n);
  for (int64_t& id : ids) id = static_cast<int64_t>(generator() % classes);
  return ids;
}

// Owns the arrays of a problem.
template <typename T>
class RandomProblem {
 public:
  RandomProblem(const Size& z, uint32_t seed, bool unique_samples)
      : z_(z),
        plan_(MakeRandomPlan(z, seed, unique_samples)),
        inputs_(RandomVector<double>(z.batch * z.dim, seed + 2, z.scale)),
        rows_(RandomVector<double>(unique() * z.dim, seed + 3, z.scale)),
        biases_(RandomVector<double>(unique(), seed + 4, z.scale)),
        true_offset_(RandomVector<double>(z.batch * z.num_true, seed + 5, 2)),
        sampled_offset_(Shifted(RandomVector<double>(z.num_sampled, seed + 6, 2), z.shift)) {}

  int64_t unique() const { return plan_.ids.size(); }

  SampledProblem<T> View(LossKind kind) const {
    return {kind,
            z_.batch,
            z_.num_true,
            z_.num_sampled,
            z_.dim,
            unique(),
            static_cast<int64_t>(plan_.hits.size() / 2),
            inputs_.data(),
            rows_.data(),
            biases_.data(),
            plan_.sampled_positions.data(),
            plan_.true_positions.data(),
            plan_.hits.data(),
            true_offset_.data(),
            sampled_offset_.data()};
  }

 private:
  static Plan MakeRandomPlan(const Size& z, uint32_t seed, bool unique_samples) {
    std::vector<int64_t> sampled = RandomIds(z.num_sampled, z.classes, seed);
    if (unique_samples) {
      for (int64_t s = 0; s < z.num_sampled; ++s) sampled[s] = s;
    }
    const std::vector<int64_t> labels = RandomIds(z.batch * z.num_true, z.classes, seed + 1);
    const auto plan = seed % 3 == 0 ? OccurrencePlan : UniquePlan;
    return plan(sampled.data(), z.num_sampled, labels.data(), z.batch, z.num_true,
                seed % 4 != 3 ? Copies::kLast : Copies::kNone);
  }

  static std::vector<double> Shifted(std::vector<double> values, double shift) {
    for (double& x : values) x += shift;
    return values;
  }

  const Size z_;
  const Plan plan_;
  const Guarded<T> inputs_, rows_, biases_, true_offset_, sampled_offset_;
};

// One row's classes, the true ones first, computed in double from the problem's numbers as T.
struct NaiveRow {
  std::vector<double> logit;
  std::vector<int32_t> position;
  std::vector<bool> left_out;

  template <typename T>
  NaiveRow(const SampledProblem<T>& p, int64_t b)
      : logit(p.num_true + p.num_sampled), position(logit.size()), left_out(logit.size()) {
    for (int64_t h = 0; h < p.num_hits; ++h) {
      if (p.hits[2 * h] == b) left_out[p.num_true + p.hits[2 * h + 1]] = true;
    }
    for (int64_t i = 0; i < static_cast<int64_t>(logit.size()); ++i) {
      const bool is_true = i < p.num_true;
      position[i] =
          is_true ? p.true_positions[b * p.num_true + i] : p.sampled_positions[i - p.num_true];
      logit[i] = p.biases[position[i]];
      logit[i] += is_true ? p.true_offset[b * p.num_true + i] : p.sampled_offset[i - p.num_true];
      for (int64_t d = 0; d < p.dim; ++d) {
        logit[i] += double(p.inputs[b * p.dim + d]) * p.rows[position[i] * p.dim + d];
      }
    }
  }

  // log(sum of e^logit) of the classes from `first` on; -infinity if there are none.
  double LogSumExp(size_t first) const {
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (size_t i = first; i < logit.size(); ++i) {
      if (!left_out[i]) largest = std::max(largest, logit[i]);
    }
    if (std::isinf(largest)) return largest;
    for (size_t i = first; i < logit.size(); ++i) {
      if (!left_out[i]) sum += std::exp(logit[i] - largest);
    }
    return largest + std::log(sum);
  }
};

inline double SoftplusOf(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}

struct Results {
  template <typename T>
  explicit Results(const SampledProblem<T>& p)
      : inputs(p.batch * p.dim),
        rows(p.unique * p.dim),
        biases(p.unique),
        true_offset(p.batch * p.num_true),
        sampled_offset(p.num_sampled) {}

  // Adds row b's part of all gradients, given the gradients of its logits.
  template <typename T>
  void AddRow(const SampledProblem<T>& p, int64_t b, const NaiveRow& row,
              const std::vector<double>& gradient) {
    for (int64_t i = 0; i < static_cast<int64_t>(gradient.size()); ++i) {
      const double g = gradient[i];
      biases[row.position[i]] += g;
      if (i < p.num_true) {
        true_offset[b * p.num_true + i] = g;
      } else {
        sampled_offset[i - p.num_true] += g;
      }
      for (int64_t d = 0; d < p.dim; ++d) {
        inputs[b * p.dim + d] += g * p.rows[row.position[i] * p.dim + d];
        rows[row.position[i] * p.dim + d] += g * p.inputs[b * p.dim + d];
      }
    }
  }

  std::vector<double> inputs, rows, biases, true_offset, sampled_offset;
};

// The gradients that a kernel fills.
template <typename T>
struct Gradients {
  explicit Gradients(const SampledProblem<T>& p)
      : inputs(p.batch * p.dim),
        rows(p.unique * p.dim),
        biases(p.unique),
        true_offset(p.batch * p.num_true),
        sampled_offset(p.num_sampled) {}
  SampledGradients<T> View() {
    return {inputs.data(), rows.data(), biases.data(), true_offset.data(), sampled_offset.data()};
  }
  bool SameBits(const Gradients& o) const {
    return inputs.SameBits(o.inputs) && rows.SameBits(o.rows) && biases.SameBits(o.biases) &&
           true_offset.SameBits(o.true_offset) && sampled_offset.SameBits(o.sampled_offset);
  }
  Guarded<T> inputs, rows, biases, true_offset, sampled_offset;
};

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
      (sizeof(T) == 4 ? 4e-6 : 1e-14) * (largest + 0.1) * (1 + z.scale + std::fabs(z.shift) / 20);
  CHECK_THAT(error <= bound,
             "%s B=%ld T=%ld S=%ld D=%ld C=%ld scale=%g %s %s: error %g, largest %g", what, z.batch,
             z.num_true, z.num_sampled, z.dim, z.classes, z.scale,
             kind == LossKind::kSigmoid ? "sigmoid" : "softmax", kept ? "kept" : "recomputed",
             error, largest);
  CHECK_THAT(got.Intact(), "%s: written outside", what);
}

template <typename T>
void CheckGradients(const Gradients<T>& got, const Results& wanted, const Size& z, LossKind kind,
                    bool kept) {
  CheckClose("d_inputs", got.inputs, wanted.inputs, z, kind, kept);
  CheckClose("d_rows", got.rows, wanted.rows, z, kind, kept);
  CheckClose("d_biases", got.biases, wanted.biases, z, kind, kept);
  CheckClose("d_true_offset", got.true_offset, wanted.true_offset, z, kind, kept);
  CheckClose("d_sampled_offset", got.sampled_offset, wanted.sampled_offset, z, kind, kept);
}

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_TESTS_SAMPLED_PROBLEM_H_
