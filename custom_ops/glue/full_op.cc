// SampledCompat>FullReduce, its gradient, and SampledCompat>FullTopK: kernels/full.h as ops.
#include "../kernels/full.h"
#include "op_definition.h"
#include "op_run.h"

namespace sampled_compat {
namespace {

constexpr char kReduceName[] = "SampledCompat>FullReduce";
constexpr char kGradName[] = "SampledCompat>FullReduceGrad";
constexpr char kTopKName[] = "SampledCompat>FullTopK";

struct Kernel {
  LossKind kind;
  bool is_double;
};

template <bool kHasKind>
void* Create(TF_OpKernelConstruction* construction) {
  CheckComputeType(construction);
  constexpr LossKind kKinds[] = {LossKind::kSoftmax, LossKind::kSigmoid};
  return new Kernel{
      kHasKind ? kKinds[ChoiceAttribute(construction, "kind", {"softmax", "sigmoid"})] : kKinds[0],
      TypeAttribute(construction, "Tc") == TF_DOUBLE};
}

void CheckInputRanks(ShapeInference* shapes) {
  shapes->CheckRank(0, 2);
  shapes->CheckRank(1, 2);
  shapes->CheckRank(2, 1);
}

void ReduceShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  ShapeInference shapes(context, status);
  CheckInputRanks(&shapes);
  shapes.Vector(0, 0, 0);
}

void GradShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  ShapeInference shapes(context, status);
  CheckInputRanks(&shapes);
  for (int i = 0; i < 3; ++i) shapes.CopyShape(i, i);
}

// [batch, k], but k is a value that only the run knows.
void TopKShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  ShapeInference shapes(context, status);
  CheckInputRanks(&shapes);
  shapes.CheckRank(3, 0);
}

struct Inputs {
  explicit Inputs(OpRun* run) {
    inputs = run->Get(0, "inputs", "[batch, dim]", {-1, -1});
    if (run->ok()) weights = run->Get(1, "weights", "[classes, dim]", {-1, inputs.dims[1]});
    if (run->ok()) biases = run->Get(2, "biases", "[classes]", {weights.dims[0]});
  }
  template <typename T>
  FullProblem<T> Problem(const T* inputs_data) const {
    return {inputs.dims[0], weights.dims[0], inputs.dims[1], inputs_data, ToFloatType(weights.type),
            weights.data,   biases.As<T>()};
  }
  Input inputs, weights, biases;
};

template <typename T>
void Reduce(const Kernel& kernel, OpRun* run) {
  const Inputs in(run);
  if (!run->ok()) return;
  const Converted<T> inputs(run, in.inputs);
  T* const reduced = static_cast<T*>(run->Allocate(0, Converted<T>::Type(), {in.inputs.dims[0]}));
  if (!run->ok()) return;
  if (!FullReduce<T>(in.Problem<T>(inputs.data()), kernel.kind, reduced)) run->OutOfMemory();
}

template <typename T>
void Gradient(const Kernel& kernel, OpRun* run) {
  const Inputs in(run);
  if (!run->ok()) return;
  const int64_t batch = in.inputs.dims[0], dim = in.inputs.dims[1], classes = in.weights.dims[0];
  const Input reduced = run->Get(3, "reduced", "[batch]", {batch});
  const Input upstream = run->Get(4, "upstream", "[batch]", {batch});
  const Converted<T> inputs(run, in.inputs);
  const ConvertedOutput<T> d_inputs(run, 0, in.inputs.type, {batch, dim});
  void* const d_weights = run->Allocate(1, in.weights.type, {classes, dim});
  T* const d_biases = static_cast<T*>(run->Allocate(2, Converted<T>::Type(), {classes}));
  if (!run->ok()) return;
  if (!FullReduceGradient<T>(in.Problem<T>(inputs.data()), kernel.kind, upstream.As<T>(),
                             reduced.As<T>(), d_inputs.data(), d_weights, d_biases)) {
    return run->OutOfMemory();
  }
  d_inputs.Finish();
}

template <typename T>
void TopK(const Kernel&, OpRun* run) {
  const Inputs in(run);
  const Input k_input = run->Get(3, "k", "[]", {});
  if (!run->ok()) return;
  const int64_t batch = in.inputs.dims[0], classes = in.weights.dims[0];
  const Input bar = run->Get(4, "bar", "[batch]", {batch});
  if (!run->ok()) return;
  const int64_t k = *k_input.As<int32_t>();
  if (k < 0 || k > classes) {
    return run->Invalid("k must be in [0, %ld], the number of classes; got %ld", classes, k);
  }
  const Converted<T> inputs(run, in.inputs);
  T* const values = static_cast<T*>(run->Allocate(0, Converted<T>::Type(), {batch, k}));
  int64_t* const indices = static_cast<int64_t*>(run->Allocate(1, TF_INT64, {batch, k}));
  if (!run->ok()) return;
  const FullProblem<T> problem = in.Problem<T>(inputs.data());
  if (!FullTopK<T>(problem, k, bar.As<T>(), values, indices)) run->OutOfMemory();
}

template <void (*kFloat)(const Kernel&, OpRun*), void (*kDouble)(const Kernel&, OpRun*),
          const char* kName>
void Compute(void* instance, TF_OpKernelContext* context) {
  OpRun run(context, kName);
  const Kernel& kernel = *static_cast<Kernel*>(instance);
  kernel.is_double ? kDouble(kernel, &run) : kFloat(kernel, &run);
}

void Delete(void* kernel) { delete static_cast<Kernel*>(kernel); }

}  // namespace

#define FULL_TYPES \
  "T: {half, bfloat16, float, double}", "Tr: {half, bfloat16, float, double}", "Tc: {float, double}"
#define FULL_INPUTS "inputs: T", "weights: Tr", "biases: Tc"

void RegisterFull() {
  Register({kReduceName,
            {"kind: {'softmax', 'sigmoid'}", FULL_TYPES},
            {FULL_INPUTS},
            {"reduced: Tc"},
            ReduceShape,
            Create<true>,
            Compute<Reduce<float>, Reduce<double>, kReduceName>,
            Delete});
  Register({kGradName,
            {"kind: {'softmax', 'sigmoid'}", FULL_TYPES},
            {FULL_INPUTS, "reduced: Tc", "upstream: Tc"},
            {"d_inputs: T", "d_weights: Tr", "d_biases: Tc"},
            GradShape,
            Create<true>,
            Compute<Gradient<float>, Gradient<double>, kGradName>,
            Delete});
  Register({kTopKName,
            {FULL_TYPES},
            {FULL_INPUTS, "k: int32", "bar: Tc"},
            {"values: Tc", "indices: int64"},
            TopKShape,
            Create<false>,
            Compute<TopK<float>, TopK<double>, kTopKName>,
            Delete});
}

}  // namespace sampled_compat
