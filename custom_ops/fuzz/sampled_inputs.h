// Makes a problem of the sampled losses, as their contract allows it, and its naive logits.
#ifndef SAMPLED_COMPAT_FUZZ_SAMPLED_INPUTS_H_
#define SAMPLED_COMPAT_FUZZ_SAMPLED_INPUTS_H_

#include <algorithm>
#include <utility>

#include "../kernels/sampled_loss.h"
#include "numbers.h"

namespace sampled_compat {

struct SampledSizes {
  explicit SampledSizes(Bytes* bytes)
      : batch(bytes->Int(0, 70)), num_true(bytes->Int(1, 3)), num_sampled(Size(bytes, 160)) {
    // At most 2^16 products, so that an attempt takes milliseconds.
    const int64_t most = (1 << 16) / std::max<int64_t>(1, batch * (num_sampled + num_true));
    dim = std::min(Size(bytes, 40), most);
    const bool needs_rows = batch + num_sampled > 0;
    unique = bytes->Int(needs_rows, num_sampled + batch * num_true);
  }
  int64_t batch, num_true, num_sampled, dim, unique;
};

template <typename T>
class SampledArrays {
 public:
  SampledArrays(Bytes* bytes, LossKind kind, const SampledSizes& z, bool wild)
      : kind_(kind),
        z_(z),
        sampled_(Positions(bytes, z.num_sampled, bytes->Bool())),
        labels_(Positions(bytes, z.batch * z.num_true, false)),
        hits_(Hits(bytes)),
        inputs_(Numbers<T>(bytes, z.batch * z.dim, 1, wild)),
        rows_(Numbers<T>(bytes, z.unique * z.dim, 1, wild)),
        biases_(Numbers<T>(bytes, z.unique, 2, wild)),
        true_offset_(Numbers<T>(bytes, z.batch * z.num_true, 5, wild)),
        sampled_offset_(Numbers<T>(bytes, z.num_sampled, bytes->Pick({5, 60, 200}), wild)) {}

  SampledProblem<T> View() const {
    return {kind_,
            z_.batch,
            z_.num_true,
            z_.num_sampled,
            z_.dim,
            z_.unique,
            hits_.size() / 2,
            inputs_.data(),
            rows_.data(),
            biases_.data(),
            sampled_.data(),
            labels_.data(),
            hits_.data(),
            true_offset_.data(),
            sampled_offset_.data()};
  }

 private:
  // `in_order`: as a plan of unique ids has them, which lets the kernel work in place.
  Array<int32_t> Positions(Bytes* bytes, int64_t count, bool in_order) const {
    Array<int32_t> positions(count);
    if (count == 0) return positions;
    const int64_t first = bytes->Int(0, z_.unique - 1);
    Mixer mixer(bytes->Any<uint8_t>());
    for (int64_t i = 0; i < count; ++i) {
      positions[i] = in_order ? (first + i) % z_.unique : mixer.Below(z_.unique);
    }
    return positions;
  }

  Array<int32_t> Hits(Bytes* bytes) const {
    std::vector<std::pair<int32_t, int32_t>> pairs;
    const int64_t most = z_.batch * z_.num_sampled > 0 ? 20 : 0;
    for (int64_t left = bytes->Int(0, most); left > 0; --left) {
      const int64_t row = bytes->Int(0, z_.batch - 1);
      pairs.emplace_back(row, bytes->Int(0, z_.num_sampled - 1));
    }
    std::sort(pairs.begin(), pairs.end());
    Array<int32_t> hits(2 * pairs.size());
    for (size_t i = 0; i < pairs.size(); ++i) {
      hits[2 * i] = pairs[i].first;
      hits[2 * i + 1] = pairs[i].second;
    }
    return hits;
  }

  const LossKind kind_;
  const SampledSizes z_;
  const Array<int32_t> sampled_, labels_, hits_;
  const Array<T> inputs_, rows_, biases_, true_offset_, sampled_offset_;
};

// The logits of one row, the true ones first, in double.
struct NaiveLogits {
  std::vector<double> logit;
  std::vector<int32_t> position;
  std::vector<bool> left_out;
  double size = 0;      // the largest sum of a logit's absolute terms
  bool plain = true;    // whether every number of the row is plain
  bool is_nan = false;  // whether a logit that counts is NaN

  template <typename T>
  NaiveLogits(const SampledProblem<T>& p, int64_t b)
      : logit(p.num_true + p.num_sampled), position(logit.size()), left_out(logit.size()) {
    for (int64_t h = 0; h < p.num_hits; ++h) {
      if (p.hits[2 * h] == b) left_out[p.num_true + p.hits[2 * h + 1]] = true;
    }
    for (int64_t i = 0; i < static_cast<int64_t>(logit.size()); ++i) {
      const bool is_true = i < p.num_true;
      const int64_t label = b * p.num_true + i, column = i - p.num_true;
      position[i] = is_true ? p.true_positions[label] : p.sampled_positions[column];
      const double bias = p.biases[position[i]];
      const double offset = is_true ? p.true_offset[label] : p.sampled_offset[column];
      double sum = std::fabs(bias) + std::fabs(offset);
      logit[i] = bias + offset;
      plain = plain && IsPlain(bias) && IsPlain(offset);
      for (int64_t d = 0; d < p.dim; ++d) {
        const double x = p.inputs[b * p.dim + d], w = p.rows[position[i] * p.dim + d];
        plain = plain && IsPlain(x) && IsPlain(w);
        logit[i] += x * w;
        sum += std::fabs(x * w);
      }
      if (left_out[i]) continue;
      size = std::max(size, sum);
      is_nan = is_nan || std::isnan(logit[i]);
    }
  }

  // log(sum of e^logit) from `first` on; -infinity if there are none.
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

  double SumOfSoftplus(size_t first) const {
    double sum = 0;
    for (size_t i = first; i < logit.size(); ++i) {
      if (!left_out[i]) sum += SoftplusOf(logit[i]);
    }
    return sum;
  }
};

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_FUZZ_SAMPLED_INPUTS_H_
