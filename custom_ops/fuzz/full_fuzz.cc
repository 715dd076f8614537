// Reductions over all classes and their gradients, and the scores of TAPAS.
#include "../kernels/full.h"
#include "../kernels/tapas.h"
#include "../kernels/thread_pool.h"
#include "numbers.h"

namespace sampled_compat {
namespace {

struct Sizes {
  explicit Sizes(Bytes* bytes) : batch(bytes->Int(0, 70)), classes(Size(bytes, 160)) {
    dim = std::min(Size(bytes, 40), (1 << 16) / std::max<int64_t>(1, batch * classes));
  }
  int64_t batch, classes, dim;
};

template <typename T>
struct Arrays {
  Arrays(Bytes* bytes, const Sizes& z, bool wild)
      : z(z),
        inputs(Numbers<T>(bytes, z.batch * z.dim, 1, wild)),
        weights(bytes, z.classes * z.dim, 1, wild),
        biases(Numbers<T>(bytes, z.classes, bytes->Pick({2, 60, 200}), wild)),
        num_true(bytes->Int(0, 2)),
        labels(z.batch * num_true) {
    for (int64_t i = 0; i < labels.size(); ++i) labels.data()[i] = bytes->Int(-1, z.classes);
  }

  FullProblem<T> View() const {
    return {z.batch,        z.classes,     z.dim,    inputs.data(), weights.type,
            weights.data(), biases.data(), num_true, labels.data()};
  }
  bool IsTrue(int64_t b, int64_t c) const {
    const int64_t* const first = labels.data() + b * num_true;
    return std::find(first, first + num_true, c) != first + num_true;
  }
  // As the kernel reads it.
  double Weight(int64_t c, int64_t d) const {
    return static_cast<T>(weights.values[c * z.dim + d]);
  }
  // A logit, and the sum of its absolute terms.
  double Logit(int64_t b, int64_t c, double* size) const {
    double logit = biases[c];
    *size = std::fabs(logit);
    for (int64_t d = 0; d < z.dim; ++d) {
      const double product = double(inputs[b * z.dim + d]) * Weight(c, d);
      logit += product;
      *size += std::fabs(product);
    }
    return logit;
  }
  bool plain() const { return ArePlain(inputs) && ArePlain(weights.values) && ArePlain(biases); }

  const Sizes z;
  const Array<T> inputs;
  const Table weights;
  const Array<T> biases;
  const int64_t num_true;
  const Array<int64_t> labels;
};

template <typename T>
struct Results {
  explicit Results(const Arrays<T>& a)
      : reduced(a.z.batch),
        d_inputs(a.z.batch * a.z.dim),
        d_weights(a.weights.block.size()),
        d_biases(a.z.classes),
        true_logits(a.labels.size()) {}
  void Run(const Arrays<T>& a, LossKind kind, const Array<T>& upstream,
           const Array<T>& true_upstream) {
    FullReduce<T>(a.View(), kind, reduced.data(), true_logits.data());
    FullReduceGradient<T>(a.View(), kind, {upstream.data(), true_upstream.data()}, reduced.data(),
                          d_inputs.data(), d_weights.data(), d_biases.data());
  }
  bool SameBits(const Results& o) const {
    return reduced.SameBits(o.reduced) && d_inputs.SameBits(o.d_inputs) &&
           d_weights.SameBits(o.d_weights) && d_biases.SameBits(o.d_biases) &&
           true_logits.SameBits(o.true_logits);
  }
  const Array<T> reduced, d_inputs;
  const Array<char> d_weights;
  const Array<T> d_biases, true_logits;
};

// The rounding of a result to the type that it is stored in, relative to its size.
double EpsilonOf(FloatType type) {
  switch (type) {
    case FloatType::kHalf:
      return 0x1p-10;
    case FloatType::kBfloat16:
      return 0x1p-7;
    case FloatType::kFloat:
      return 0x1p-23;
    case FloatType::kDouble:
      break;
  }
  return 0;
}

template <typename T>
void CheckReduce(const Arrays<T>& a, LossKind kind, const Array<T>& upstream,
                 const Array<T>& true_upstream, const Results<T>& got) {
  const Sizes& z = a.z;
  const bool softmax = kind == LossKind::kSoftmax;
  std::vector<double> inputs(z.batch * z.dim), weights(z.classes * z.dim), biases(z.classes);
  std::vector<double> inputs_size(inputs), weights_size(weights), biases_size(biases);
  for (int64_t b = 0; b < z.batch; ++b) {
    std::vector<double> logit(z.classes);
    double largest = -std::numeric_limits<double>::infinity(), size = 0, all = 0, sum = 0;
    for (int64_t c = 0; c < z.classes; ++c) {
      double terms;
      logit[c] = a.Logit(b, c, &terms);
      if (!a.IsTrue(b, c)) largest = std::max(largest, logit[c]);
      size = std::max(size, terms);
      all += terms;
    }
    for (int64_t c = 0; c < z.classes; ++c) {
      if (a.IsTrue(b, c)) continue;
      sum += softmax ? std::exp(logit[c] - largest) : SoftplusOf(logit[c]);
    }
    const bool none = std::isinf(largest);  // All classes are true.
    const double reduced = softmax && !none ? largest + std::log(sum) : softmax ? largest : sum;
    if (none && softmax) {
      REQUIRE(std::isinf(got.reduced[b]), "no class: %g", double(got.reduced[b]));
    } else {
      RequireClose<T>("reduced", b, got.reduced[b], reduced, softmax ? 2 * size + 1 : all + sum);
    }
    for (int64_t i = b * a.num_true; i < (b + 1) * a.num_true; ++i) {
      const int64_t c = a.labels[i];
      const bool there = c >= 0 && c < z.classes;
      RequireClose<T>("true_logits", i, got.true_logits[i], there ? logit[c] : 0, size + 1);
    }
    for (int64_t c = 0; c < z.classes; ++c) {
      const double p = a.IsTrue(b, c) ? 0
                       : softmax      ? std::exp(logit[c] - reduced)
                                      : 1 / (1 + std::exp(-logit[c]));
      // The kernel takes the rounded log-sum-exp.
      double g = upstream[b] * p, error = std::fabs(g) * (1 + 3 * size);
      for (int64_t i = b * a.num_true; i < (b + 1) * a.num_true; ++i) {
        if (a.labels[i] != c) continue;
        g += true_upstream[i];
        error += std::fabs(double(true_upstream[i]));
      }
      biases[c] += g;
      biases_size[c] += error;
      for (int64_t d = 0; d < z.dim; ++d) {
        const double w = a.Weight(c, d), x = a.inputs[b * z.dim + d];
        inputs[b * z.dim + d] += g * w;
        inputs_size[b * z.dim + d] += error * std::fabs(w);
        weights[c * z.dim + d] += g * x;
        weights_size[c * z.dim + d] += error * std::fabs(x);
      }
    }
  }
  for (int64_t i = 0; i < got.d_inputs.size(); ++i) {
    RequireClose<T>("d_inputs", i, got.d_inputs[i], inputs[i], inputs_size[i]);
  }
  for (int64_t i = 0; i < got.d_biases.size(); ++i) {
    RequireClose<T>("d_biases", i, got.d_biases[i], biases[i], biases_size[i]);
  }
  const Array<double> stored(z.classes * z.dim);
  ConvertFrom<double>(a.weights.type, got.d_weights.data(), stored.size(), stored.data());
  for (int64_t i = 0; i < stored.size(); ++i) {
    const double bound =
        Bound<T>(weights_size[i]) + EpsilonOf(a.weights.type) * (std::fabs(weights[i]) + 0x1p-14);
    REQUIRE(std::fabs(stored[i] - weights[i]) <= bound, "d_weights[%ld]: %g, wanted %g", i,
            stored[i], weights[i]);
  }
}

template <typename T>
void AttemptReduce(Bytes* bytes) {
  const bool wild = bytes->Bool();
  const LossKind kind = bytes->Bool() ? LossKind::kSoftmax : LossKind::kSigmoid;
  const Sizes sizes(bytes);
  const Arrays<T> arrays(bytes, sizes, wild);
  const Array<T> upstream = Numbers<T>(bytes, sizes.batch, 1, wild);
  const Array<T> true_upstream = Numbers<T>(bytes, arrays.labels.size(), 1, wild);
  Results<T> results(arrays);
  results.Run(arrays, kind, upstream, true_upstream);
  if (arrays.plain() && ArePlain(upstream) && ArePlain(true_upstream)) {
    CheckReduce(arrays, kind, upstream, true_upstream, results);
  }
  if (Threads() == 1) return;
  SetThreads(1);
  Results<T> alone(arrays);
  alone.Run(arrays, kind, upstream, true_upstream);
  REQUIRE(results.SameBits(alone), "other bits than on one thread");
}

// The rows are the classes, and the inputs the batch.
template <typename T>
void AttemptTapas(Bytes* bytes) {
  const bool wild = bytes->Bool();
  const Sizes sizes(bytes);
  const Arrays<T> arrays(bytes, sizes, wild);
  const FullProblem<T> p = arrays.View();
  const T temperature = bytes->Pick({T(1), T(0.5), T(7), T(1e-3), T(1e30)});
  const TapasProblem<T> problem{p.batch,        p.classes, p.dim,    p.inputs,
                                p.weights_type, p.weights, p.biases, temperature};
  const Array<T> scores(p.classes), alone(p.classes);
  TapasScores<T>(problem, scores.data());
  SetThreads(1);
  TapasScores<T>(problem, alone.data());
  REQUIRE(scores.SameBits(alone), "other bits than on one thread");
  if (!arrays.plain()) return;
  for (int64_t c = 0; c < p.classes; ++c) {
    double largest = -std::numeric_limits<double>::infinity(), size = 0, sum = 0;
    std::vector<double> logit(p.batch);
    for (int64_t b = 0; b < p.batch; ++b) {
      double terms;
      logit[b] = arrays.Logit(b, c, &terms) / temperature;
      largest = std::max(largest, logit[b]);
      size = std::max(size, terms / temperature);
    }
    for (const double x : logit) sum += std::exp(x - largest);
    const double wanted = p.batch > 0 ? largest + std::log(sum) : largest;
    if (std::isinf(wanted)) {
      REQUIRE(scores[c] == wanted, "scores[%ld]: %g, wanted %g", c, double(scores[c]), wanted);
    } else {
      RequireClose<T>("scores", c, scores[c], wanted, 2 * size + std::fabs(wanted) + 1);
    }
  }
}

}  // namespace

FUZZ_TARGET(full_reduce) {
  bytes->Bool() ? AttemptReduce<double>(bytes) : AttemptReduce<float>(bytes);
}

FUZZ_TARGET(tapas) { bytes->Bool() ? AttemptTapas<double>(bytes) : AttemptTapas<float>(bytes); }

}  // namespace sampled_compat
