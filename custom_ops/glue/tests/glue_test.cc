// Runs each op once on a right input, through the fake of TensorFlow's C API, and shows that the
// fake refuses what TensorFlow refuses.
#include <algorithm>
#include <cmath>

#include "../../fake_tensorflow/fake_tensorflow.h"
#include "../../kernels/tests/check.h"
#include "../../kernels/thread_pool.h"

using fake_tensorflow::AttributeValues;
using fake_tensorflow::Kernel;
using fake_tensorflow::Outcome;
using fake_tensorflow::Tensor;
using Floats = std::vector<float>;

namespace sampled_compat {
namespace {

const AttributeValues kTypes = {{"T", TF_FLOAT}, {"Tr", TF_FLOAT}, {"Tc", TF_FLOAT}};

Outcome Run(const std::string& op, AttributeValues attributes, const std::vector<Tensor>& inputs,
            bool typed) {
  if (typed) attributes.insert(kTypes.begin(), kTypes.end());
  const Outcome outcome = Kernel("SampledCompat>" + op, attributes).Run(inputs);
  CHECK_THAT(outcome.ok(), "%s: %s", op.c_str(), outcome.message.c_str());
  return outcome;
}

void CheckNumbers(const char* what, const Outcome& outcome, size_t output, const Floats& wanted) {
  if (!outcome.ok()) return;
  const Floats got = outcome.outputs[output].Values<float>();
  CHECK_THAT(got.size() == wanted.size(), "%s: %zu numbers", what, got.size());
  for (size_t i = 0; i < std::min(got.size(), wanted.size()); ++i) {
    CHECK_THAT(std::fabs(got[i] - wanted[i]) < 1e-5, "%s: %g at %zu, wanted %g", what,
               static_cast<double>(got[i]), i, static_cast<double>(wanted[i]));
  }
}

template <typename T>
void CheckExact(const char* what, const Outcome& outcome, size_t output,
                const std::vector<T>& wanted) {
  if (!outcome.ok()) return;
  CHECK_THAT(outcome.outputs[output].Values<T>() == wanted, "%s: output %zu", what, output);
}

Tensor Numbers(std::vector<int64_t> dims, const Floats& values) {
  return Tensor::Of<float>(std::move(dims), values);
}

void CheckValues() {
  const Tensor ids = Tensor::Of<int64_t>({2, 2}, {0, 4, 2, 1});
  const AttributeValues five_rows = {{"argument", "labels"}, {"weights_rows", 5}};
  const Outcome class_ids = Run("ClassIds", five_rows, {ids}, false);
  CheckExact<int64_t>("ClassIds", class_ids, 0, {0, 4, 2, 1});
  CHECK_THAT(class_ids.outputs[0].data() == ids.data(), "ClassIds copies its input");
  const Outcome refused =
      Kernel("SampledCompat>ClassIds", five_rows).Run({Tensor::Of<int64_t>({1}, {5})});
  CHECK_THAT(refused.code == TF_INVALID_ARGUMENT &&
                 refused.message == "labels: expected class ids in [0, 5), got 5",
             "%s", refused.message.c_str());
  CheckNumbers(
      "LogOffset",
      Run("LogOffset", {{"argument", "true_expected_count"}, {"T", TF_FLOAT}, {"Tc", TF_FLOAT}},
          {Numbers({3}, {1, 0.5f, 2})}, false),
      0, {0, std::log(2.0f), -std::log(2.0f)});
}

void CheckPlanAndDraws() {
  const Outcome plan =
      Run("Plan", {}, {Tensor::Of<int64_t>({2, 1}, {7, 5}), Tensor::Of<int64_t>({3}, {5, 9, 5})},
          false);
  CheckExact<int64_t>("Plan", plan, 0, {5, 9, 7});
  CheckExact<int32_t>("Plan", plan, 1, {0, 1, 0});
  CheckExact<int32_t>("Plan", plan, 2, {2, 0});
  CheckExact<int32_t>("Plan", plan, 3, {1, 2});  // The last column of a repeated id.
  const Outcome draws = Run("StatelessDraws",
                            {{"law", "uniform"},
                             {"num_sampled", 6},
                             {"unique", true},
                             {"range_max", 6},
                             {"log2_range", 0}},
                            {Tensor::Of<int64_t>({2}, {1, 2})}, false);
  if (!draws.ok()) return;
  std::vector<int64_t> classes = draws.outputs[0].Values<int64_t>();
  std::sort(classes.begin(), classes.end());
  CHECK_THAT((classes == std::vector<int64_t>{0, 1, 2, 3, 4, 5}), "six unique classes of six");
  CHECK_THAT(draws.outputs[1].Values<int64_t>()[0] >= 6, "the number of tries");
  const Tensor none = Tensor::Of<int64_t>({0}, {});
  const Outcome piece =
      Run("DrawsPiece",
          {{"law", "uniform"},
           {"num_sampled", 6},
           {"unique", true},
           {"range_max", 6},
           {"log2_range", 0}},
          {Tensor::Of<int64_t>({2}, {1, 2}), none, none, Tensor::Of<int64_t>({}, {0})}, false);
  CheckExact<int64_t>("DrawsPiece", piece, 0, draws.outputs[0].Values<int64_t>());
}

// Two rows, logits of one true and two sampled classes: [1, 0, 2] and [0, 1, left out].
void CheckSampled() {
  std::vector<Tensor> inputs = {
      Numbers({2, 2}, {1, 0, 0, 1}),
      Numbers({3, 2}, {1, 0, 0, 1, 2, 3}),
      Numbers({3}, {0, 0, 0}),
      Tensor::Of<int32_t>({2}, {1, 2}),
      Tensor::Of<int32_t>({2, 1}, {0, 0}),
      Tensor::Of<int32_t>({1, 2}, {1, 1}),
      Numbers({2, 1}, {0, 0}),
      Numbers({2}, {0, 0}),
  };
  const auto log_sum = [](Floats x) {
    float sum = 0;
    for (const float value : x) sum += std::exp(value);
    return std::log(sum);
  };
  const AttributeValues softmax = {{"kind", "softmax"}};
  const Outcome loss = Run("SampledLoss", softmax, inputs, true);
  const Floats wanted = {log_sum({1, 0, 2}) - 1, log_sum({0, 1})};
  CheckNumbers("SampledLoss", loss, 0, wanted);
  const Outcome terms = Run("SampledTerms", softmax, inputs, true);
  CheckNumbers("SampledTerms", terms, 0, {log_sum({0, 2}), 1});
  CheckNumbers("SampledTerms", terms, 1, {1, 0});
  if (!loss.ok() || !terms.ok()) return;
  const auto probability = [&](int row, float logit) {
    return std::exp(logit - wanted[row] - (row == 0 ? 1 : 0));
  };
  std::vector<Tensor> of_loss = inputs;
  of_loss.insert(of_loss.end(), {loss.outputs[1], loss.outputs[2], Numbers({2}, {1, 1})});
  const Outcome gradient = Run("SampledLossGrad", softmax, of_loss, true);
  CheckNumbers("d_biases", gradient, 2,
               {probability(0, 1) - 1 + probability(1, 0) - 1,
                probability(0, 0) + probability(1, 1), probability(0, 2)});
  CheckNumbers("d_true_offset", gradient, 3, {probability(0, 1) - 1, probability(1, 0) - 1});
  CheckNumbers(
      "d_inputs", gradient, 0,
      {probability(0, 1) - 1 + 2 * probability(0, 2), probability(0, 0) + 3 * probability(0, 2),
       probability(1, 0) - 1, probability(1, 1)});
  std::vector<Tensor> of_terms = inputs;
  of_terms.insert(of_terms.end(), {terms.outputs[2], terms.outputs[3], Numbers({2}, {1, 1}),
                                   Numbers({2, 1}, {10, 20})});
  const float half = 1 / (1 + std::exp(2.0f));
  CheckNumbers("SampledTermsGrad", Run("SampledTermsGrad", softmax, of_terms, true), 4,
               {half + 1, 1 - half});
}

// Rows with the candidates [row 1, row 0] and [row 1, row 1] of their own.
void CheckRowLogits() {
  const std::vector<Tensor> inputs = {Numbers({2, 2}, {1, 2, 3, 4}), Numbers({2, 2}, {1, 0, 0, 1}),
                                      Numbers({2}, {0, 10}),
                                      Tensor::Of<int32_t>({2, 2}, {1, 0, 1, 1})};
  CheckNumbers("RowLogits", Run("RowLogits", {}, inputs, true), 0, {12, 1, 14, 14});
  std::vector<Tensor> of_gradient = inputs;
  of_gradient.push_back(Numbers({2, 2}, {1, 2, 3, 4}));
  const Outcome gradient = Run("RowLogitsGrad", {}, of_gradient, true);
  CheckNumbers("d_inputs", gradient, 0, {2, 1, 0, 7});
  CheckNumbers("d_rows", gradient, 1, {2, 4, 1 + 7 * 3, 2 + 7 * 4});
  CheckNumbers("d_biases", gradient, 2, {2, 8});
}

void CheckFull() {
  const std::vector<Tensor> inputs = {Numbers({1, 1}, {1}), Numbers({3, 1}, {0, 2, 1}),
                                      Numbers({3}, {0, 0, 0})};
  const float sum = 1 + std::exp(2.0f) + std::exp(1.0f);
  // Class 1 is the true class; -1 and 3 are none.
  std::vector<Tensor> with_labels = inputs;
  with_labels.push_back(Tensor::Of<int64_t>({1, 3}, {1, -1, 3}));
  const Outcome reduced = Run("FullReduce", {{"kind", "softmax"}}, with_labels, true);
  const float others = 1 + std::exp(1.0f);
  CheckNumbers("FullReduce", reduced, 0, {std::log(others)});
  CheckNumbers("FullReduce", reduced, 1, {2, 0, 0});
  if (!reduced.ok()) return;
  const Floats gradients = {1 / others, 10, std::exp(1.0f) / others};
  with_labels.insert(with_labels.end(),
                     {reduced.outputs[0], Numbers({1}, {1}), Numbers({1, 3}, {10, 20, 30})});
  const Outcome gradient = Run("FullReduceGrad", {{"kind", "softmax"}}, with_labels, true);
  CheckNumbers("d_weights", gradient, 1, gradients);
  CheckNumbers("d_biases", gradient, 2, gradients);
  CheckNumbers("d_inputs", gradient, 0, {2 * gradients[1] + gradients[2]});
  const Outcome best = Run("FullTopK", {},
                           {inputs[0], inputs[1], inputs[2], Tensor::Of<int32_t>({}, {2}),
                            Numbers({1}, {std::nanf("")})},
                           true);
  CheckNumbers("FullTopK", best, 0, {2, 1});
  CheckExact<int64_t>("FullTopK", best, 1, {1, 2});
  CheckNumbers("TapasScores",
               Run("TapasScores", {},
                   {inputs[1], inputs[0], Numbers({1}, {3}), Tensor::Of<float>({}, {1})}, true),
               0, {std::log(sum) + 3});
}

void CheckShapes() {
  const auto inferred = fake_tensorflow::InferShapes(
      "SampledCompat>Plan", {std::vector<int64_t>{-1, 3}, std::vector<int64_t>{5}});
  CHECK_THAT(inferred.code == TF_OK, "%s", inferred.message.c_str());
  CHECK_THAT(!inferred.outputs[0] && inferred.outputs[1] == std::vector<int64_t>{5} &&
                 (inferred.outputs[2] == std::vector<int64_t>{-1, 3}),
             "the shapes of Plan");
  const auto refused = fake_tensorflow::InferShapes(
      "SampledCompat>Plan", {std::vector<int64_t>{3}, fake_tensorflow::Shape()});
  CHECK_THAT(refused.code == TF_INVALID_ARGUMENT, "labels of rank 1");
}

// What the fake itself refuses.
void CheckRefusals() {
  const Tensor ids = Tensor::Of<int64_t>({1}, {0});
  const struct {
    AttributeValues attributes;
    Tensor input;
    const char* words;
  } kRefused[] = {
      {{}, ids, "missing attr 'argument'"},
      {{{"argument", "nobody"}}, ids, "not in the list"},
      {{{"argument", 3}}, ids, "is not of type string"},
      {{{"argument", "labels"}, {"other", 3}}, ids, "no attr named 'other'"},
      {{{"argument", "labels"}, {"weights_rows", 5}},
       Tensor::Of<int32_t>({1}, {0}),
       "another type"},
      {{{"argument", "labels"}}, ids, "weights_rows or biases_rows must be given"},
  };
  for (const auto& refused : kRefused) {
    const Outcome outcome =
        Kernel("SampledCompat>ClassIds", refused.attributes).Run({refused.input});
    CHECK_THAT(outcome.code == TF_INVALID_ARGUMENT &&
                   outcome.message.find(refused.words) != std::string::npos,
               "'%s', wanted '%s'", outcome.message.c_str(), refused.words);
  }
  fake_tensorflow::FailAllocation(1);
  const Kernel plan("SampledCompat>Plan", {});
  const std::vector<Tensor> inputs = {Tensor::Of<int64_t>({1, 1}, {0}), ids};
  CHECK_THAT(plan.Run(inputs).code == TF_RESOURCE_EXHAUSTED, "the second output has memory");
  CHECK_THAT(plan.Run(inputs).ok(), "the next run fails");
}

}  // namespace
}  // namespace sampled_compat

int main() {
  using namespace sampled_compat;
  const int64_t objects = fake_tensorflow::LiveObjects();
  for (const int threads : {1, 2}) {
    SetThreads(threads);
    CheckValues();
    CheckPlanAndDraws();
    CheckSampled();
    CheckRowLogits();
    CheckFull();
    CheckShapes();
    CheckRefusals();
  }
  CHECK_THAT(fake_tensorflow::OpNames().size() == 15, "an op has no check here");
  const int64_t left = fake_tensorflow::LiveObjects() - objects;
  CHECK_THAT(left == 0, "%ld objects", left);
  return Report("glue_test");
}
