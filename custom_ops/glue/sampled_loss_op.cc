// SampledCompat>SampledLoss and its gradient: kernels/sampled_loss.h as ops.
#include <cmath>

#include "../kernels/sampled_loss.h"
#include "op_definition.h"
#include "op_run.h"

namespace sampled_compat {
namespace {

constexpr char kName[] = "SampledCompat>SampledLoss";
constexpr char kGradName[] = "SampledCompat>SampledLossGrad";

struct Kernel {
  LossKind kind;
  bool keep;
  bool is_double;
};

template <bool kGradient>
void* Create(TF_OpKernelConstruction* construction) {
  CheckComputeType(construction);
  constexpr LossKind kKinds[] = {LossKind::kSoftmax, LossKind::kSigmoid};
  return new Kernel{kKinds[ChoiceAttribute(construction, "kind", {"softmax", "sigmoid"})],
                    !kGradient && BoolAttribute(construction, "keep"),
                    TypeAttribute(construction, "Tc") == TF_DOUBLE};
}

void CheckInputRanks(ShapeInference* shapes) {
  const int ranks[] = {2, 2, 1, 1, 2, 2, 2, 1};
  for (int i = 0; i < 8; ++i) shapes->CheckRank(i, ranks[i]);
}

void Shape(TF_ShapeInferenceContext* context, TF_Status* status) {
  ShapeInference shapes(context, status);
  CheckInputRanks(&shapes);
  shapes.Vector(0, 0, 0);
}

void GradShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  ShapeInference shapes(context, status);
  CheckInputRanks(&shapes);
  shapes.CopyShape(0, 0);
  shapes.CopyShape(1, 1);
  shapes.CopyShape(2, 2);
  shapes.CopyShape(3, 6);
  shapes.CopyShape(4, 7);
}

// The eight inputs both ops begin with, checked.
struct Inputs {
  explicit Inputs(OpRun* run) { Read(run); }

  void Read(OpRun* run) {
    inputs = run->Get(0, "inputs", "[batch, dim]", {-1, -1});
    if (!run->ok()) return;
    const int64_t batch = inputs.dims[0];
    rows = run->Get(1, "rows", "[unique, dim]", {-1, inputs.dims[1]});
    if (!run->ok()) return;
    biases = run->Get(2, "biases", "[unique]", {rows.dims[0]});
    sampled_positions = run->Get(3, "sampled_positions", "[num_sampled]", {-1});
    true_positions = run->Get(4, "true_positions", "[batch, num_true]", {batch, -1});
    hits = run->Get(5, "hits", "[num_hits, 2]", {-1, 2});
    if (!run->ok()) return;
    true_offset = run->Get(6, "true_offset", "[batch, num_true]", {batch, true_positions.dims[1]});
    sampled_offset = run->Get(7, "sampled_offset", "[num_sampled]", {sampled_positions.dims[0]});
    if (!run->ok()) return;
    if (true_positions.dims[1] < 1) {
      return run->Invalid("true_positions must have at least one column, got %s",
                          true_positions.Shape().c_str());
    }
    CheckSizes(run);
    CheckPositions(run, sampled_positions);
    CheckPositions(run, true_positions);
    CheckHits(run);
  }

  // Positions and columns are int32 throughout.
  void CheckSizes(OpRun* run) const {
    for (const Input* input : {&biases, &sampled_positions, &true_positions, &hits}) {
      if (input->count < int64_t{1} << 30) continue;
      run->Invalid("%s must hold fewer than 2^30 numbers, got %s", input->name,
                   input->Shape().c_str());
    }
  }

  void CheckPositions(OpRun* run, const Input& positions) const {
    const int64_t unique = rows.dims[0];
    const int32_t* const values = positions.As<int32_t>();
    for (int64_t i = 0; i < positions.count; ++i) {
      if (values[i] >= 0 && values[i] < unique) continue;
      return run->Invalid("%s must be in [0, %ld), the number of rows; got %d at index %ld",
                          positions.name, unique, values[i], i);
    }
  }

  void CheckHits(OpRun* run) const {
    const int32_t* const pairs = hits.As<int32_t>();
    const int64_t columns = sampled_positions.count;
    for (int64_t i = 0; run->ok() && i < hits.dims[0]; ++i) {
      const int32_t row = pairs[2 * i], column = pairs[2 * i + 1];
      if (row < 0 || row >= inputs.dims[0] || column < 0 || column >= columns) {
        run->Invalid("hits must be pairs in [0, %ld) x [0, %ld), got (%d, %d) at index %ld",
                     inputs.dims[0], columns, row, column, i);
      } else if (i > 0 && (pairs[2 * i - 2] > row ||
                           (pairs[2 * i - 2] == row && pairs[2 * i - 1] > column))) {
        run->Invalid("hits must be sorted by row, then column; got (%d, %d) after (%d, %d)", row,
                     column, pairs[2 * i - 2], pairs[2 * i - 1]);
      }
    }
  }

  template <typename T>
  void CheckFinite(OpRun* run, const Input& offset) const {
    const T* const values = offset.As<T>();
    for (int64_t i = 0; run->ok() && i < offset.count; ++i) {
      if (std::isfinite(values[i])) continue;
      run->Invalid(
          "%s must be finite (minus the logarithm of a positive expected count), got %g at index "
          "%ld",
          offset.name, static_cast<double>(values[i]), i);
    }
  }

  template <typename T>
  SampledLossProblem<T> Problem(LossKind kind, const T* inputs_data, const T* rows_data) const {
    return {kind,
            inputs.dims[0],
            true_positions.dims[1],
            sampled_positions.count,
            inputs.dims[1],
            rows.dims[0],
            hits.dims[0],
            inputs_data,
            rows_data,
            biases.As<T>(),
            sampled_positions.As<int32_t>(),
            true_positions.As<int32_t>(),
            hits.As<int32_t>(),
            true_offset.As<T>(),
            sampled_offset.As<T>()};
  }

  Input inputs, rows, biases, sampled_positions, true_positions, hits, true_offset, sampled_offset;
};

template <typename T>
void Forward(const Kernel& kernel, OpRun* run) {
  const Inputs in(run);
  if (run->ok()) in.CheckFinite<T>(run, in.true_offset);
  if (run->ok()) in.CheckFinite<T>(run, in.sampled_offset);
  if (!run->ok()) return;
  const Converted<T> inputs(run, in.inputs), rows(run, in.rows);
  const TF_DataType type = Converted<T>::Type();
  const int64_t batch = in.inputs.dims[0];
  T* const loss = static_cast<T*>(run->Allocate(0, type, {batch}));
  T* const normalizer = static_cast<T*>(run->Allocate(1, type, {2, batch}));
  const int64_t count = kernel.keep ? KeptCount<T>(batch, in.sampled_positions.count) : 0;
  T* const kept = static_cast<T*>(run->AllocateFromScratch(2, type, count));
  if (!run->ok()) return;
  const SampledLossProblem<T> problem = in.Problem<T>(kernel.kind, inputs.data(), rows.data());
  if (!SampledLossForward<T>(problem, loss, normalizer, count > 0 ? kept : nullptr))
    run->OutOfMemory();
}

template <typename T>
void Backward(const Kernel& kernel, OpRun* run) {
  const Inputs in(run);
  if (!run->ok()) return;
  const int64_t batch = in.inputs.dims[0], dim = in.inputs.dims[1], unique = in.rows.dims[0];
  const int64_t num_true = in.true_positions.dims[1], num_sampled = in.sampled_positions.count;
  const Input normalizer = run->Get(8, "normalizer", "[2, batch]", {2, batch});
  const Input kept = run->Get(9, "kept", "[numbers kept]", {-1});
  const Input upstream = run->Get(10, "upstream", "[batch]", {batch});
  if (!run->ok()) return;
  if (kept.count != 0 && kept.count != KeptCount<T>(batch, num_sampled)) {
    return run->Invalid("kept must be what the forward op kept, of 0 or %ld numbers; got %ld",
                        KeptCount<T>(batch, num_sampled), kept.count);
  }
  const Converted<T> inputs(run, in.inputs), rows(run, in.rows);
  const TF_DataType type = Converted<T>::Type();
  const ConvertedOutput<T> d_inputs(run, 0, in.inputs.type, {batch, dim});
  const ConvertedOutput<T> d_rows(run, 1, in.rows.type, {unique, dim});
  const SampledLossGradients<T> gradients{
      d_inputs.data(), d_rows.data(), static_cast<T*>(run->Allocate(2, type, {unique})),
      static_cast<T*>(run->Allocate(3, type, {batch, num_true})),
      static_cast<T*>(run->Allocate(4, type, {num_sampled}))};
  if (!run->ok()) return;
  const SampledLossProblem<T> problem = in.Problem<T>(kernel.kind, inputs.data(), rows.data());
  if (!SampledLossBackward<T>(problem, upstream.As<T>(), normalizer.As<T>(),
                              kept.count > 0 ? kept.As<T>() : nullptr, gradients)) {
    return run->OutOfMemory();
  }
  d_inputs.Finish();
  d_rows.Finish();
}

void Compute(void* instance, TF_OpKernelContext* context) {
  OpRun run(context, kName);
  const Kernel& kernel = *static_cast<Kernel*>(instance);
  kernel.is_double ? Forward<double>(kernel, &run) : Forward<float>(kernel, &run);
}

void GradCompute(void* instance, TF_OpKernelContext* context) {
  OpRun run(context, kGradName);
  const Kernel& kernel = *static_cast<Kernel*>(instance);
  kernel.is_double ? Backward<double>(kernel, &run) : Backward<float>(kernel, &run);
}

void Delete(void* kernel) { delete static_cast<Kernel*>(kernel); }

}  // namespace

#define SAMPLED_LOSS_ATTRIBUTES                                         \
  "kind: {'softmax', 'sigmoid'}", "T: {half, bfloat16, float, double}", \
      "Tr: {half, bfloat16, float, double}", "Tc: {float, double}"
#define SAMPLED_LOSS_INPUTS                                                                   \
  "inputs: T", "rows: Tr", "biases: Tc", "sampled_positions: int32", "true_positions: int32", \
      "hits: int32", "true_offset: Tc", "sampled_offset: Tc"

void RegisterSampledLoss() {
  Register({kName,
            {SAMPLED_LOSS_ATTRIBUTES, "keep: bool = true"},
            {SAMPLED_LOSS_INPUTS},
            {"loss: Tc", "normalizer: Tc", "kept: Tc"},
            Shape,
            Create<false>,
            Compute,
            Delete});
  Register(
      {kGradName,
       {SAMPLED_LOSS_ATTRIBUTES},
       {SAMPLED_LOSS_INPUTS, "normalizer: Tc", "kept: Tc", "upstream: Tc"},
       {"d_inputs: T", "d_rows: Tr", "d_biases: Tc", "d_true_offset: Tc", "d_sampled_offset: Tc"},
       GradShape,
       Create<true>,
       GradCompute,
       Delete});
}

}  // namespace sampled_compat
