// The logits of classes that differ from row to row, and their gradients.
#include "../kernels/row_logits.h"
#include "../kernels/thread_pool.h"
#include "numbers.h"

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
  void Run(const RowLogitsProblem<T>& p, const Array<T>& given_biases, const Array<T>& upstream) {
    RowLogits<T>(p, given_biases.data(), logits.data());
    RowLogitsGradient<T>(p, upstream.data(), {inputs.data(), rows.data(), biases.data()});
  }
  bool SameBits(const Outputs& o) const {
    return logits.SameBits(o.logits) && inputs.SameBits(o.inputs) && rows.SameBits(o.rows) &&
           biases.SameBits(o.biases);
  }
  const Array<T> logits, inputs, rows, biases;
};

template <typename T>
void Attempt(Bytes* bytes, const Sizes& z) {
  const bool wild = bytes->Bool();
  const Array<T> inputs = Numbers<T>(bytes, z.batch * z.dim, 2, wild);
  const Array<T> rows = Numbers<T>(bytes, z.unique * z.dim, 2, wild);
  const Array<T> biases = Numbers<T>(bytes, z.unique, 2, wild);
  const Array<T> upstream = Numbers<T>(bytes, z.batch * z.columns, 1, wild);
  Array<int32_t> positions(z.batch * z.columns);
  Mixer mixer(bytes->Any<uint8_t>());
  const int64_t range = bytes->Int(1, z.unique);
  for (int32_t& position : positions) position = static_cast<int32_t>(mixer.Below(range));
  const RowLogitsProblem<T> p = {z.batch,       z.columns,   z.dim,           z.unique,
                                 inputs.data(), rows.data(), positions.data()};
  Outputs<T> got(z);
  got.Run(p, biases, upstream);
  for (const int threads : {1, 2, 3}) {
    SetThreads(threads);
    Outputs<T> again(z);
    again.Run(p, biases, upstream);
    REQUIRE(again.SameBits(got), "%d threads", threads);
  }
  if (!ArePlain(inputs) || !ArePlain(rows) || !ArePlain(biases) || !ArePlain(upstream)) return;
  std::vector<double> d_inputs(z.batch * z.dim), d_rows(z.unique * z.dim), d_biases(z.unique);
  std::vector<double> inputs_size(d_inputs), rows_size(d_rows), biases_size(d_biases);
  for (int64_t b = 0; b < z.batch; ++b) {
    for (int64_t i = b * z.columns; i < (b + 1) * z.columns; ++i) {
      const int64_t u = positions[i];
      const double g = upstream[i];
      double logit = biases[u], size = std::fabs(logit);
      d_biases[u] += g;
      biases_size[u] += std::fabs(g);
      for (int64_t d = 0; d < z.dim; ++d) {
        const double x = inputs[b * z.dim + d], w = rows[u * z.dim + d];
        logit += x * w;
        size += std::fabs(x * w);
        d_inputs[b * z.dim + d] += g * w;
        inputs_size[b * z.dim + d] += std::fabs(g * w);
        d_rows[u * z.dim + d] += g * x;
        rows_size[u * z.dim + d] += std::fabs(g * x);
      }
      RequireClose<T>("logits", i, got.logits[i], logit, size);
    }
  }
  const auto close = [](const char* what, const Array<T>& values, const std::vector<double>& wanted,
                        const std::vector<double>& sizes) {
    for (int64_t i = 0; i < values.size(); ++i) {
      RequireClose<T>(what, i, values[i], wanted[i], sizes[i]);
    }
  };
  close("d_inputs", got.inputs, d_inputs, inputs_size);
  close("d_rows", got.rows, d_rows, rows_size);
  close("d_biases", got.biases, d_biases, biases_size);
}

}  // namespace

FUZZ_TARGET(row_logits) {
  const Sizes z = {bytes->Int(0, 40), bytes->Int(0, 60), bytes->Int(0, 80), bytes->Int(1, 50)};
  bytes->Bool() ? Attempt<float>(bytes, z) : Attempt<double>(bytes, z);
}

}  // namespace sampled_compat
