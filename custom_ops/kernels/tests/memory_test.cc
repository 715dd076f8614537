// Every kernel with every request for memory failing in turn: an error or the right result, nothing
// leaked, and the next call right.
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <exception>
#include <functional>
#include <string>

#include "../convert.h"
#include "../draws.h"
#include "../full.h"
#include "../plan.h"
#include "../row_logits.h"
#include "../sampled_loss.h"
#include "../scratch.h"
#include "../tapas.h"
#include "../thread_pool.h"
#include "failing_memory.h"
#include "sampled_problem.h"

namespace sampled_compat {
namespace {

using Bytes = std::vector<unsigned char>;

struct Output {
  template <typename T>
  explicit Output(std::vector<T>* values)
      : data(values->data()), size(values->size() * sizeof(T)) {}
  template <typename T>
  explicit Output(Guarded<T>* values) : data(values->data()), size(values->size() * sizeof(T)) {}
  void* data;
  size_t size;
};

// A kernel with inputs and outputs of its own, large enough to use the pool.
struct Kernel {
  std::string name;
  std::function<void()> run;  // Requests only the memory that the kernel does.
  std::vector<Output> outputs;

  // Empties the outputs, so that old results are never taken for new ones.
  Bytes TakeResults() const {
    Bytes bytes;
    for (const Output& output : outputs) {
      const auto* const first = static_cast<unsigned char*>(output.data);
      bytes.insert(bytes.end(), first, first + output.size);
      std::memset(output.data, 0xff, output.size);
    }
    return bytes;
  }
};

Kernel PlanKernel(const char* name, decltype(&UniquePlan) make) {
  struct State {
    std::vector<int64_t> sampled = RandomIds(40, 50, 1), labels = RandomIds(60, 50, 2);
    std::vector<int64_t> ids = std::vector<int64_t>(100);
    std::vector<int32_t> sampled_positions = std::vector<int32_t>(40);
    std::vector<int32_t> true_positions = std::vector<int32_t>(60);
    std::vector<int32_t> hits = std::vector<int32_t>(2 * 40 * 60);
  };
  const auto s = std::make_shared<State>();
  const auto run = [=] {
    const Plan plan = make(s->sampled.data(), 40, s->labels.data(), 30, 2, Copies::kAll);
    std::copy(plan.ids.begin(), plan.ids.end(), s->ids.begin());
    std::copy(plan.sampled_positions.begin(), plan.sampled_positions.end(),
              s->sampled_positions.begin());
    std::copy(plan.true_positions.begin(), plan.true_positions.end(), s->true_positions.begin());
    std::copy(plan.hits.begin(), plan.hits.end(), s->hits.begin());
  };
  return {name,
          run,
          {Output(&s->ids), Output(&s->sampled_positions), Output(&s->true_positions),
           Output(&s->hits)}};
}

// `range_max` decides which kind of set the kernel makes.
Kernel DrawsKernel(const char* name, int64_t range_max) {
  const auto classes = std::make_shared<std::vector<int64_t>>(100);
  const auto run = [=] {
    const DrawOptions options{Law::kUniform, range_max, 0, nullptr, 100, true};
    DrawState state{0, 0};
    DrawPiece(options, PhiloxWords(1, 2), &state, classes->data());
  };
  return {name, run, {Output(classes.get())}};
}

// A loss or its terms, and their gradients.
Kernel SampledKernel(const char* name, LossKind kind, bool keep, bool terms) {
  struct State {
    explicit State(LossKind kind)
        : problem({70, 2, 300, 110, 900, 0.3}, 4, false), view(problem.View(kind)) {}
    const RandomProblem<float> problem;
    const SampledProblem<float> view;
    const Guarded<float> upstream{RandomVector<double>(70, 1, 1)};
    const Guarded<float> true_upstream{RandomVector<double>(140, 2, 1)};
    Gradients<float> gradients{view};
    Guarded<float> loss{70}, true_logits{140}, normalizer{140};
    Guarded<float> kept{KeptCount<float>(70, 300)};
  };
  const auto s = std::make_shared<State>(kind);
  const auto run = [=] {
    float* const kept = keep ? s->kept.data() : nullptr;
    float* const normalizer = s->normalizer.data();
    if (terms) {
      SampledTermsForward<float>(s->view, {s->loss.data(), s->true_logits.data()}, normalizer,
                                 kept);
      SampledTermsBackward<float>(s->view, {s->upstream.data(), s->true_upstream.data()},
                                  normalizer, kept, s->gradients.View());
    } else {
      SampledLossForward<float>(s->view, s->loss.data(), normalizer, kept);
      SampledLossBackward<float>(s->view, s->upstream.data(), normalizer, kept,
                                 s->gradients.View());
    }
  };
  Gradients<float>& g = s->gradients;
  return {name,
          run,
          {Output(&s->loss), Output(&g.inputs), Output(&g.rows), Output(&g.biases),
           Output(&g.true_offset), Output(&g.sampled_offset)}};
}

// The logits of classes that differ from row to row, and their gradients.
Kernel RowLogitsKernel() {
  static constexpr int64_t kBatch = 40, kColumns = 300, kDim = 9, kUnique = 500;
  using Floats = std::vector<float>;
  struct State {
    const Floats inputs = RandomVector<float>(kBatch * kDim, 1, 0.5);
    const Floats rows = RandomVector<float>(kUnique * kDim, 2, 0.5);
    const Floats biases = RandomVector<float>(kUnique, 3, 0.5);
    const Floats upstream = RandomVector<float>(kBatch * kColumns, 4, 0.5);
    std::vector<int32_t> positions = std::vector<int32_t>(kBatch * kColumns);
    Floats logits = Floats(kBatch * kColumns), d_inputs = Floats(kBatch * kDim);
    Floats d_rows = Floats(kUnique * kDim), d_biases = Floats(kUnique);
  };
  const auto s = std::make_shared<State>();
  for (size_t i = 0; i < s->positions.size(); ++i) {
    s->positions[i] = static_cast<int32_t>(i * 7 % kUnique);
  }
  const auto run = [=] {
    const RowLogitsProblem<float> problem = {
        kBatch, kColumns, kDim, kUnique, s->inputs.data(), s->rows.data(), s->positions.data()};
    RowLogits<float>(problem, s->biases.data(), s->logits.data());
    RowLogitsGradient<float>(problem, s->upstream.data(),
                             {s->d_inputs.data(), s->d_rows.data(), s->d_biases.data()});
  };
  return {"row logits",
          run,
          {Output(&s->logits), Output(&s->d_inputs), Output(&s->d_rows), Output(&s->d_biases)}};
}

// The kernels over all classes. Weights of another type than float are converted block by block.
std::vector<Kernel> FullKernels(const std::string& suffix, FloatType type) {
  static constexpr int64_t kBatch = 20, kClasses = 600, kDim = 9, kBest = 5;
  using Floats = std::vector<float>;
  struct State {
    Floats inputs = RandomVector<float>(kBatch * kDim, 1, 0.5);
    Floats biases = RandomVector<float>(kClasses, 2, 0.5);
    Floats upstream = Floats(kBatch, 0.25f), log_sums = Floats(kBatch, 3.0f);
    Floats no_bar = Floats(kBatch, std::numeric_limits<float>::quiet_NaN());
    Bytes weights, d_weights;
    std::vector<int64_t> labels = std::vector<int64_t>(kBatch, kClasses / 2);
    Floats true_logits = Floats(kBatch);
    Floats reduced = Floats(kBatch), scores = Floats(kClasses), d_inputs = Floats(kBatch * kDim);
    Floats d_biases = Floats(kClasses), values = Floats(kBatch * kBest);
    std::vector<int64_t> indices = std::vector<int64_t>(kBatch * kBest);
  };
  const auto s = std::make_shared<State>();
  s->weights.resize(kClasses * kDim * SizeOf(type));
  s->d_weights.resize(s->weights.size());
  ConvertTo<float>(type, RandomVector<float>(kClasses * kDim, 3, 0.5).data(), kClasses * kDim,
                   s->weights.data());
  const FullProblem<float> problem{kBatch,           kClasses, kDim,
                                   s->inputs.data(), type,     s->weights.data(),
                                   s->biases.data(), 1,        s->labels.data()};
  const auto reduce = [=] {
    FullReduce<float>(problem, LossKind::kSoftmax, s->reduced.data(), s->true_logits.data());
  };
  const auto gradient = [=] {
    FullReduceGradient<float>(problem, LossKind::kSoftmax, {s->upstream.data(), s->upstream.data()},
                              s->log_sums.data(), s->d_inputs.data(), s->d_weights.data(),
                              s->d_biases.data());
  };
  const auto top_k = [=] {
    FullTopK<float>(problem, kBest, s->no_bar.data(), s->values.data(), s->indices.data());
  };
  const auto tapas = [=] {
    TapasScores<float>(
        {kBatch, kClasses, kDim, s->inputs.data(), type, s->weights.data(), s->biases.data(), 1.0f},
        s->scores.data());
  };
  return {{"reduce" + suffix, reduce, {Output(&s->reduced), Output(&s->true_logits)}},
          {"reduce gradient" + suffix,
           gradient,
           {Output(&s->d_inputs), Output(&s->d_weights), Output(&s->d_biases)}},
          {"top-k" + suffix, top_k, {Output(&s->values), Output(&s->indices)}},
          {"tapas" + suffix, tapas, {Output(&s->scores)}}};
}

std::vector<Kernel> Kernels() {
  std::vector<Kernel> kernels = {
      PlanKernel("plan", UniquePlan),
      PlanKernel("plan of occurrences", OccurrencePlan),
      DrawsKernel("draws with bits", 300),
      DrawsKernel("draws with hashes", int64_t{1} << 40),
      SampledKernel("softmax", LossKind::kSoftmax, true, false),
      SampledKernel("softmax without kept numbers", LossKind::kSoftmax, false, false),
      SampledKernel("sigmoid", LossKind::kSigmoid, true, false),
      SampledKernel("terms", LossKind::kSoftmax, true, true),
      RowLogitsKernel(),
  };
  for (const Kernel& kernel : FullKernels("", FloatType::kFloat)) kernels.push_back(kernel);
  for (const Kernel& kernel : FullKernels(" of bfloat16", FloatType::kBfloat16)) {
    kernels.push_back(kernel);
  }
  for (const Kernel& kernel : kernels) kernel.TakeResults();
  return kernels;
}

// Frees all idle blocks: one that is larger than the limit takes the others with it.
void EmptyScratch() {
#ifndef __SANITIZE_ADDRESS__  // Under it no block is kept.
  ReleaseScratch(AcquireScratch(kMaxIdleScratch + 1));
#endif
}

enum class Outcome { kResult, kNoMemory, kOtherError };

Outcome Try(const std::function<void()>& run) {
  try {
    run();
    return Outcome::kResult;
  } catch (const OutOfMemory& error) {
    return error.bytes() > 0 ? Outcome::kNoMemory : Outcome::kOtherError;
  } catch (...) {
    return Outcome::kOtherError;
  }
}

int64_t requests_failed = 0;

// Returns whether there is a request number n.
bool CheckRequest(const Kernel& kernel, const Bytes& wanted, int threads, int64_t n, Lack lack) {
  const int64_t live = FailingMemory::LiveBlocks();
  Outcome outcome;
  bool failed;
  {
    const FailingMemory failing(n, lack);
    outcome = Try(kernel.run);
    failed = failing.Failed();
  }
  requests_failed += failed;
  const int64_t leaked = FailingMemory::LiveBlocks() - live;
  const Bytes got = kernel.TakeResults();
  const char* const name = kernel.name.c_str();
  CHECK_THAT(outcome == Outcome::kResult ? got == wanted : failed && outcome == Outcome::kNoMemory,
             "%s, %d threads, request %ld: %s", name, threads, n,
             outcome == Outcome::kResult ? "a wrong result" : "another error");
  CHECK_THAT(leaked == 0, "%s, %d threads, request %ld: %ld blocks", name, threads, n, leaked);
  kernel.run();
  CHECK_THAT(kernel.TakeResults() == wanted, "%s, %d threads, after request %ld", name, threads, n);
  return failed;
}

void CheckKernel(const Kernel& kernel, int threads) {
  SetThreads(threads);
  kernel.run();
  const Bytes wanted = kernel.TakeResults();
  for (const Lack lack : {Lack::kOnce, Lack::kFromThenOn}) {
    int64_t n = 0;
    do {
      EmptyScratch();
    } while (CheckRequest(kernel, wanted, threads, n++, lack));
    CHECK_THAT(n > 1, "%s requests no memory", kernel.name.c_str());
  }
}

// The first call of a process also makes the pool and starts its threads.
// REQUIRES: this process has not called a kernel that uses threads.
[[maybe_unused]] void CheckFirstCall(const Kernel& kernel) {
  constexpr int kThreads = 4, kRight = 0, kNoSuchRequest = 2;
  for (const Lack lack : {Lack::kOnce, Lack::kFromThenOn}) {
    int status = 0;
    for (int64_t n = 0; WIFEXITED(status) && WEXITSTATUS(status) == kRight; ++n) {
      std::fflush(stdout);
      const pid_t child = fork();
      if (child == 0) {
        Failures() = 0;
        alarm(60);  // A hang then fails the test instead of hanging it.
        SetThreads(kThreads);
        Outcome outcome;
        bool failed;
        {
          const FailingMemory failing(n, lack);
          outcome = Try(kernel.run);
          failed = failing.Failed();
        }
        const Bytes first = kernel.TakeResults();
        kernel.run();
        const Bytes second = kernel.TakeResults();
        SetThreads(1);
        kernel.run();
        const Bytes wanted = kernel.TakeResults();
        CHECK_THAT(outcome != Outcome::kOtherError, "request %ld: another error", n);
        CHECK_THAT(outcome != Outcome::kResult || first == wanted, "request %ld: wrong", n);
        CHECK_THAT(second == wanted, "after request %ld", n);
        std::fflush(stdout);
        exit(Failures() > 0 ? 1 : failed ? kRight : kNoSuchRequest);
      }
      waitpid(child, &status, 0);
    }
    CHECK_THAT(WIFEXITED(status) && WEXITSTATUS(status) == kNoSuchRequest,
               "%s as the first call: a child's status was %d", kernel.name.c_str(), status);
  }
}

}  // namespace
}  // namespace sampled_compat

int main() {
  using namespace sampled_compat;
  const std::vector<Kernel> kernels = Kernels();
#ifndef __SANITIZE_THREAD__
  // The thread sanitizer itself does not follow threads into a child.
  for (const Kernel& kernel : kernels) {
    if (kernel.name == "softmax" || kernel.name == "top-k") CheckFirstCall(kernel);
  }
#endif
  for (const int threads : {1, 4}) {
    for (const Kernel& kernel : kernels) CheckKernel(kernel, threads);
  }
  std::printf("%ld requests for memory failed in turn\n", requests_failed);
  return Report("memory_test");
}
