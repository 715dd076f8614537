// SampledCompat>FullReduce, its gradient, and SampledCompat>FullTopK: kernels/full.h as ops.
#include "../kernels/full.h"
#include "loss_kind.h"
#include "op_definition.h"

namespace sampled_compat {
namespace {

void CheckInputRanks(ShapeInference* shapes) { shapes->CheckRanks({2, 2, 1}); }

// The labels of a reduction, in memory that no other thread writes.
Input Labels(OpRun* run, int64_t batch) {
  Input labels = run->Get(3, "labels", "[batch, num_true]", {batch, -1});
  run->Own(&labels);
  return labels;
}

struct Inputs {
  explicit Inputs(OpRun* run) {
    inputs = run->Get(0, "inputs", "[batch, dim]", {-1, -1});
    weights = run->Get(1, "weights", "[classes, dim]", {-1, inputs.dims[1]});
    biases = run->Get(2, "biases", "[classes]", {weights.dims[0]});
  }
  int64_t batch() const { return inputs.dims[0]; }
  int64_t dim() const { return inputs.dims[1]; }
  int64_t classes() const { return weights.dims[0]; }
  template <typename T>
  FullProblem<T> Problem(const Converted<T>& inputs_as_t) const {
    return {batch(),      classes(),     dim(), inputs_as_t.data(), ToFloatType(weights.type),
            weights.data, biases.As<T>()};
  }
  template <typename T>
  FullProblem<T> Problem(const Converted<T>& inputs_as_t, const Input& labels) const {
    FullProblem<T> problem = Problem<T>(inputs_as_t);
    problem.num_true = labels.dims[1];
    problem.labels = labels.As<int64_t>();
    return problem;
  }
  Input inputs, weights, biases;
};

struct Reduce {
  static constexpr char kName[] = "SampledCompat>FullReduce";

  explicit Reduce(const Attributes& attributes) : kind(KindAttribute(attributes)) {}

  static void Shape(ShapeInference* shapes) {
    CheckInputRanks(shapes);
    shapes->CheckRank(3, 2);
    shapes->Vector(0, 0, 0);
    shapes->CopyShape(1, 3);
  }

  template <typename T>
  void Run(OpRun* run) const {
    const Inputs in(run);
    const Input labels = Labels(run, in.batch());
    const Converted<T> inputs(in.inputs);
    const TF_DataType type = Converted<T>::Type();
    T* const reduced = static_cast<T*>(run->Allocate(0, type, {in.batch()}));
    T* const true_logits = static_cast<T*>(run->Allocate(1, type, labels.dims));
    FullReduce<T>(in.Problem<T>(inputs, labels), kind, reduced, true_logits);
  }

  const LossKind kind;
};

struct ReduceGrad {
  static constexpr char kName[] = "SampledCompat>FullReduceGrad";

  explicit ReduceGrad(const Attributes& attributes) : kind(KindAttribute(attributes)) {}

  static void Shape(ShapeInference* shapes) {
    CheckInputRanks(shapes);
    for (int i = 0; i < 3; ++i) shapes->CopyShape(i, i);
  }

  template <typename T>
  void Run(OpRun* run) const {
    const Inputs in(run);
    const Input labels = Labels(run, in.batch());
    const Input reduced = run->Get(4, "reduced", "[batch]", {in.batch()});
    const Input d_reduced = run->Get(5, "d_reduced", "[batch]", {in.batch()});
    const Input d_true_logits =
        run->Get(6, "d_true_logits", "[batch, num_true]", {in.batch(), labels.dims[1]});
    const Converted<T> inputs(in.inputs);
    const ConvertedOutput<T> d_inputs(run, 0, in.inputs.type, {in.batch(), in.dim()});
    void* const d_weights = run->Allocate(1, in.weights.type, {in.classes(), in.dim()});
    T* const d_biases = static_cast<T*>(run->Allocate(2, Converted<T>::Type(), {in.classes()}));
    FullReduceGradient<T>(in.Problem<T>(inputs, labels), kind,
                          {d_reduced.As<T>(), d_true_logits.As<T>()}, reduced.As<T>(),
                          d_inputs.data(), d_weights, d_biases);
    d_inputs.Finish();
  }

  const LossKind kind;
};

struct TopK {
  static constexpr char kName[] = "SampledCompat>FullTopK";

  explicit TopK(const Attributes&) {}

  // The shape is [batch, k], but k is known only when the op runs.
  static void Shape(ShapeInference* shapes) {
    CheckInputRanks(shapes);
    shapes->CheckRank(3, 0);
  }

  template <typename T>
  void Run(OpRun* run) const {
    const Inputs in(run);
    const Input k_input = run->Get(3, "k", "[]", {});
    const Input bar = run->Get(4, "bar", "[batch]", {in.batch()});
    const int64_t k = *k_input.As<int32_t>();
    if (k < 0 || k > in.classes()) {
      run->Invalid("k must be in [0, %ld], the number of classes; got %ld", in.classes(), k);
    }
    const Converted<T> inputs(in.inputs);
    T* const values = static_cast<T*>(run->Allocate(0, Converted<T>::Type(), {in.batch(), k}));
    auto* const indices = static_cast<int64_t*>(run->Allocate(1, TF_INT64, {in.batch(), k}));
    FullTopK<T>(in.Problem<T>(inputs), k, bar.As<T>(), values, indices);
  }
};

}  // namespace

#define FULL_INPUTS "inputs: T", "weights: Tr", "biases: Tc"

void RegisterFull() {
  RegisterTyped<Reduce>({SAMPLED_COMPAT_KIND, SAMPLED_COMPAT_TYPES}, {FULL_INPUTS, "labels: int64"},
                        {"reduced: Tc", "true_logits: Tc"});
  RegisterTyped<ReduceGrad>(
      {SAMPLED_COMPAT_KIND, SAMPLED_COMPAT_TYPES},
      {FULL_INPUTS, "labels: int64", "reduced: Tc", "d_reduced: Tc", "d_true_logits: Tc"},
      {"d_inputs: T", "d_weights: Tr", "d_biases: Tc"});
  RegisterTyped<TopK>({SAMPLED_COMPAT_TYPES}, {FULL_INPUTS, "k: int32", "bar: Tc"},
                      {"values: Tc", "indices: int64"});
}

}  // namespace sampled_compat
