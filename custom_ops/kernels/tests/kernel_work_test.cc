// A fixed piece of work for each kernel, on one thread: `make perf` counts its instructions.
//
//   kernel_work_test                 runs each kernel once and checks that its results are finite
//   kernel_work_test list            prints the kernels' names
//   kernel_work_test KERNEL REPEATS  runs one kernel this often
#include <cstdlib>
#include <functional>
#include <map>
#include <string>

#include "../convert.h"
#include "../full.h"
#include "../plan.h"
#include "../sampled_loss.h"
#include "../tapas.h"
#include "../thread_pool.h"
#include "check.h"

namespace sampled_compat {
namespace {

constexpr int64_t kBatch = 128, kDim = 64, kSampled = 512, kClasses = 4000, kBest = 10;

using Floats = std::vector<float>;

Floats Numbers(int64_t count, uint32_t seed) { return RandomVector<float>(count, seed, 0.1); }

std::vector<int64_t> Ids(int64_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<int64_t> ids(count);
  for (int64_t& id : ids) id = generator() % kClasses;
  return ids;
}

const std::vector<int64_t>& Labels() {
  static const auto* const labels = new std::vector<int64_t>(Ids(kBatch, 1));
  return *labels;
}

const std::vector<int64_t>& Sampled() {
  static const auto* const sampled = new std::vector<int64_t>(Ids(kSampled, 2));
  return *sampled;
}

Plan PlanOfIds() {
  return UniquePlan(Sampled().data(), kSampled, Labels().data(), kBatch, 1, Copies::kLast);
}

void CheckFinite(const Floats& values) {
  for (const float value : values) CHECK_THAT(std::isfinite(value), "%g", value);
}

// A loss and its gradients, as a training step computes them.
struct SampledStep {
  explicit SampledStep(LossKind kind) : kind(kind) {}

  void operator()() {
    const SampledProblem<float> problem = {
        kind,
        kBatch,
        1,
        kSampled,
        kDim,
        unique,
        static_cast<int64_t>(plan.hits.size()) / 2,
        inputs.data(),
        rows.data(),
        biases.data(),
        plan.sampled_positions.data(),
        plan.true_positions.data(),
        plan.hits.data(),
        true_offset.data(),
        sampled_offset.data(),
    };
    SampledLossForward<float>(problem, loss.data(), normalizer.data(), kept.data());
    SampledLossBackward<float>(
        problem, ones.data(), normalizer.data(), kept.data(),
        {d_inputs.data(), d_rows.data(), d_biases.data(), d_true.data(), d_sampled.data()});
    CheckFinite(loss);
    CheckFinite(d_biases);
  }

  const LossKind kind;
  const Plan plan = PlanOfIds();
  const int64_t unique = plan.ids.size();
  const Floats inputs = Numbers(kBatch * kDim, 3), rows = Numbers(unique * kDim, 4);
  const Floats biases = Numbers(unique, 5), ones = Floats(kBatch, 1.0f);
  const Floats true_offset = Numbers(kBatch, 6), sampled_offset = Numbers(kSampled, 7);
  Floats loss = Floats(kBatch), normalizer = Floats(2 * kBatch);
  Floats kept = Floats(KeptCount<float>(kBatch, kSampled));
  Floats d_inputs = Floats(kBatch * kDim), d_rows = Floats(unique * kDim);
  Floats d_biases = Floats(unique), d_true = Floats(kBatch), d_sampled = Floats(kSampled);
};

void RunPlan() { CHECK_THAT(!PlanOfIds().ids.empty(), "no ids"); }

void RunTapas() {
  static const Floats inputs = Numbers(kBatch * kDim, 3), rows = Numbers(kSampled * kDim, 4);
  static const Floats biases = Numbers(kSampled, 5);
  Floats scores(kSampled);
  const TapasProblem<float> problem = {
      kBatch, kSampled, kDim, inputs.data(), FloatType::kFloat, rows.data(), biases.data(), 1.0f};
  TapasScores<float>(problem, scores.data());
  CheckFinite(scores);
}

const FullProblem<float>& AllClasses() {
  static const Floats inputs = Numbers(kBatch * kDim, 3), weights = Numbers(kClasses * kDim, 4);
  static const Floats biases = Numbers(kClasses, 5);
  static const std::vector<int64_t> labels(kBatch, kClasses / 2);
  static const FullProblem<float> problem = {
      kBatch,         kClasses,      kDim, inputs.data(), FloatType::kFloat,
      weights.data(), biases.data(), 1,    labels.data()};
  return problem;
}

void RunReduce() {
  Floats reduced(kBatch), true_logits(kBatch);
  FullReduce<float>(AllClasses(), LossKind::kSoftmax, reduced.data(), true_logits.data());
  CheckFinite(true_logits);
  CheckFinite(reduced);
}

void RunTopK() {
  const Floats bar(kBatch, std::numeric_limits<float>::quiet_NaN());
  Floats values(kBatch * kBest);
  std::vector<int64_t> indices(kBatch * kBest);
  FullTopK<float>(AllClasses(), kBest, bar.data(), values.data(), indices.data());
  CheckFinite(values);
}

void RunSoftmax() {
  static SampledStep step(LossKind::kSoftmax);
  step();
}

void RunSigmoid() {
  static SampledStep step(LossKind::kSigmoid);
  step();
}

const std::map<std::string, std::function<void()>>& Kernels() {
  static const auto* const kernels = new std::map<std::string, std::function<void()>>{
      {"plan", RunPlan},   {"softmax", RunSoftmax}, {"sigmoid", RunSigmoid},
      {"tapas", RunTapas}, {"reduce", RunReduce},   {"top-k", RunTopK},
  };
  return *kernels;
}

}  // namespace
}  // namespace sampled_compat

int main(int count, char** arguments) {
  using sampled_compat::Kernels;
  sampled_compat::SetThreads(1);
  if (count == 2 && std::string(arguments[1]) == "list") {
    for (const auto& kernel : Kernels()) std::printf("%s\n", kernel.first.c_str());
    return 0;
  }
  if (count == 3) {
    const auto kernel = Kernels().find(arguments[1]);
    if (kernel == Kernels().end()) return 2;
    for (int left = std::atoi(arguments[2]); left > 0; --left) kernel->second();
  } else {
    for (const auto& kernel : Kernels()) kernel.second();
  }
  return sampled_compat::Report("kernel_work_test");
}
