// SampledCompat>TapasScores: kernels/tapas.h as an op.
#include <cmath>

#include "../kernels/tapas.h"
#include "op_definition.h"
#include "op_run.h"

namespace sampled_compat {
namespace {

constexpr char kName[] = "SampledCompat>TapasScores";

struct Kernel {
  bool is_double;
};

void Shape(TF_ShapeInferenceContext* context, TF_Status* status) {
  ShapeInference shapes(context, status);
  shapes.CheckRank(0, 2);
  shapes.CheckRank(1, 2);
  shapes.CheckRank(2, 1);
  shapes.CheckRank(3, 0);
  shapes.Vector(0, 1, 0);
}

void* Create(TF_OpKernelConstruction* construction) {
  CheckComputeType(construction);
  return new Kernel{TypeAttribute(construction, "Tc") == TF_DOUBLE};
}

template <typename T>
void Scores(OpRun* run) {
  const Input inputs = run->Get(0, "inputs", "[batch, dim]", {-1, -1});
  if (!run->ok()) return;
  const Input rows = run->Get(1, "rows", "[num_sampled, dim]", {-1, inputs.dims[1]});
  if (!run->ok()) return;
  const Input biases = run->Get(2, "biases", "[num_sampled]", {rows.dims[0]});
  const Input temperature = run->Get(3, "resampling_temperature", "[] (a scalar)", {});
  if (!run->ok()) return;
  const T degrees = *temperature.As<T>();
  if (!(degrees > 0) || !std::isfinite(degrees)) {
    return run->Invalid("resampling_temperature must be positive and finite, got %g",
                        static_cast<double>(degrees));
  }
  const Converted<T> converted(run, inputs);
  T* const scores = static_cast<T*>(run->Allocate(0, Converted<T>::Type(), {rows.dims[0]}));
  if (!run->ok()) return;
  const TapasProblem<T> problem{
      inputs.dims[0],         rows.dims[0], inputs.dims[1], converted.data(),
      ToFloatType(rows.type), rows.data,    biases.As<T>(), degrees};
  if (!TapasScores<T>(problem, scores)) run->OutOfMemory();
}

void Compute(void* kernel, TF_OpKernelContext* context) {
  OpRun run(context, kName);
  static_cast<Kernel*>(kernel)->is_double ? Scores<double>(&run) : Scores<float>(&run);
}

}  // namespace

void RegisterTapas() {
  Register({kName,
            {"T: {half, bfloat16, float, double}", "Tr: {half, bfloat16, float, double}",
             "Tc: {float, double}"},
            {"inputs: T", "rows: Tr", "biases: Tc", "temperature: Tc"},
            {"scores: Tc"},
            Shape,
            Create,
            Compute,
            [](void* kernel) { delete static_cast<Kernel*>(kernel); }});
}

}  // namespace sampled_compat
