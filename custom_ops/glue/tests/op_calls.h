// A right call of each op, in each type, large enough to use the pool.
#ifndef SAMPLED_COMPAT_GLUE_TESTS_OP_CALLS_H_
#define SAMPLED_COMPAT_GLUE_TESTS_OP_CALLS_H_

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "../../fake_tensorflow/fake_tensorflow.h"
#include "../../kernels/tests/check.h"
#include "../op_run.h"

namespace sampled_compat {

using fake_tensorflow::AttributeValues;
using fake_tensorflow::Kernel;
using fake_tensorflow::Outcome;
using fake_tensorflow::Tensor;

struct OpCall {
  std::string op;
  AttributeValues attributes;
  std::vector<Tensor> inputs;

  Outcome Run() const { return Kernel(op, attributes).Run(inputs); }
};

// The bytes of all outputs, but for the numbers that a forward op keeps: padding among them has any
// value.
inline std::vector<unsigned char> Results(const OpCall& call, const Outcome& outcome) {
  std::vector<unsigned char> bytes;
  const std::vector<std::string> names = fake_tensorflow::OutputsOf(call.op);
  for (size_t i = 0; i < outcome.outputs.size(); ++i) {
    const Tensor& output = outcome.outputs[i];
    if (names[i].rfind("kept:", 0) == 0) continue;
    const auto* const first = output.As<unsigned char>();
    bytes.insert(bytes.end(), first, first + output.count() * TF_DataTypeSize(output.type()));
  }
  return bytes;
}

class OpCalls {
 public:
  // Inputs and rows of the type, biases and offsets of the type that it is computed in.
  explicit OpCalls(TF_DataType type)
      : type_(type), computed_(type == TF_DOUBLE ? TF_DOUBLE : TF_FLOAT) {
    AddValues();
    const std::vector<Tensor> plan = AddPlan();
    AddSampled(plan, "softmax", true);
    AddSampled(plan, "sigmoid", false);
    AddRowLogits();
    AddFull();
  }

  const std::vector<OpCall>& calls() const { return calls_; }

 private:
  static constexpr int64_t kBatch = 70, kTrue = 2, kSampled = 300, kDim = 110, kClasses = 900;

  // Adds the call and returns its outputs.
  std::vector<Tensor> Add(const std::string& op, AttributeValues attributes,
                          std::vector<Tensor> inputs) {
    calls_.push_back({"SampledCompat>" + op, std::move(attributes), std::move(inputs)});
    const Outcome outcome = calls_.back().Run();
    if (!outcome.ok()) {
      std::printf("%s: %s\n", op.c_str(), outcome.message.c_str());
      std::exit(1);
    }
    return outcome.outputs;
  }

  AttributeValues Types(AttributeValues attributes = {}) const {
    attributes.insert({{"T", type_}, {"Tr", type_}, {"Tc", computed_}});
    return attributes;
  }

  // Random numbers around `mean`.
  Tensor Numbers(TF_DataType type, std::vector<int64_t> dims, double mean = 0) {
    const Tensor tensor(type, std::move(dims));
    std::vector<double> values = RandomVector<double>(tensor.count(), ++seed_, 0.2);
    for (double& value : values) value += mean;
    ConvertTo<double>(ToFloatType(type), values.data(), tensor.count(), tensor.data());
    return tensor;
  }

  static Tensor Ids(std::vector<int64_t> dims, int64_t step) {
    const Tensor tensor(TF_INT64, std::move(dims));
    for (int64_t i = 0; i < tensor.count(); ++i) tensor.As<int64_t>()[i] = i * step % kClasses;
    return tensor;
  }

  void AddValues() {
    Add("ClassIds", {{"argument", "labels"}, {"weights_rows", kClasses}}, {Ids({kBatch, 1}, 7)});
    Add("LogOffset", {{"argument", "sampled_expected_count"}, {"T", type_}, {"Tc", computed_}},
        {Numbers(type_, {kSampled}, 3)});
    const Tensor seed = Tensor::Of<int64_t>({2}, {1, 2});
    for (const int64_t range_max : {int64_t{900}, int64_t{1} << 40}) {
      Add("StatelessDraws",
          {{"law", "uniform"},
           {"num_sampled", kSampled},
           {"unique", true},
           {"range_max", range_max},
           {"log2_range", 0}},
          {seed});
      Add("DrawsPiece",
          {{"law", "uniform"},
           {"num_sampled", kSampled},
           {"unique", true},
           {"range_max", range_max},
           {"log2_range", 0}},
          {seed, Tensor::Of<int64_t>({0}, {}), Tensor::Of<int64_t>({3}, {5, 7, 11}),
           Tensor::Of<int64_t>({}, {4})});
    }
  }

  std::vector<Tensor> AddPlan() {
    const std::vector<Tensor> ids = {Ids({kBatch, kTrue}, 7), Ids({kSampled}, 11)};
    Add("Plan", {{"unique", false}}, ids);
    return Add("Plan", {}, ids);
  }

  void AddSampled(const std::vector<Tensor>& plan, const char* kind, bool keep) {
    const int64_t unique = plan[0].count();
    const std::vector<Tensor> inputs = {Numbers(type_, {kBatch, kDim}),
                                        Numbers(type_, {unique, kDim}),
                                        Numbers(computed_, {unique}),
                                        plan[1],
                                        plan[2],
                                        plan[3],
                                        Numbers(computed_, {kBatch, kTrue}),
                                        Numbers(computed_, {kSampled})};
    const auto with = [](std::vector<Tensor> first, const std::vector<Tensor>& more) {
      first.insert(first.end(), more.begin(), more.end());
      return first;
    };
    const Tensor of_rows = Numbers(computed_, {kBatch});
    const std::vector<Tensor> loss =
        Add("SampledLoss", Types({{"kind", kind}, {"keep", keep}}), inputs);
    Add("SampledLossGrad", Types({{"kind", kind}}), with(inputs, {loss[1], loss[2], of_rows}));
    const std::vector<Tensor> terms =
        Add("SampledTerms", Types({{"kind", kind}, {"keep", keep}}), inputs);
    Add("SampledTermsGrad", Types({{"kind", kind}}),
        with(inputs, {terms[2], terms[3], of_rows, Numbers(computed_, {kBatch, kTrue})}));
  }

  void AddRowLogits() {
    const Tensor positions(TF_INT32, {kBatch, kSampled});
    for (int64_t i = 0; i < positions.count(); ++i) {
      positions.As<int32_t>()[i] = static_cast<int32_t>(i * 7 % 600);
    }
    std::vector<Tensor> inputs = {Numbers(type_, {kBatch, kDim}), Numbers(type_, {600, kDim}),
                                  Numbers(computed_, {600}), positions};
    Add("RowLogits", Types(), inputs);
    inputs.push_back(Numbers(computed_, {kBatch, kSampled}));
    Add("RowLogitsGrad", Types(), inputs);
  }

  void AddFull() {
    const Tensor inputs = Numbers(type_, {kBatch, 9}), weights = Numbers(type_, {kClasses, 9});
    const Tensor biases = Numbers(computed_, {kClasses});
    const Tensor labels = Ids({kBatch, kTrue}, 7);
    const Tensor reduced =
        Add("FullReduce", Types({{"kind", "softmax"}}), {inputs, weights, biases, labels})[0];
    Add("FullReduceGrad", Types({{"kind", "softmax"}}),
        {inputs, weights, biases, labels, reduced, Numbers(computed_, {kBatch}),
         Numbers(computed_, {kBatch, kTrue})});
    Add("FullTopK", Types(),
        {inputs, weights, biases, Tensor::Of<int32_t>({}, {5}),
         Numbers(computed_, {kBatch}, std::nan(""))});
    Add("TapasScores", Types(), {inputs, weights, biases, Numbers(computed_, {}, 3)});
  }

  const TF_DataType type_, computed_;
  uint32_t seed_ = 0;
  std::vector<OpCall> calls_;
};

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_GLUE_TESTS_OP_CALLS_H_
