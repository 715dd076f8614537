// SampledCompat>TapasScores: kernels/tapas.h as an op.
#include <cmath>

#include "../kernels/tapas.h"
#include "op_definition.h"

namespace sampled_compat {
namespace {

struct TapasScoresOp {
  static constexpr char kName[] = "SampledCompat>TapasScores";

  explicit TapasScoresOp(const Attributes&) {}

  static void Shape(ShapeInference* shapes) {
    shapes->CheckRanks({2, 2, 1, 0});
    shapes->Vector(0, 1, 0);
  }

  template <typename T>
  void Run(OpRun* run) const {
    const Input inputs = run->Get(0, "inputs", "[batch, dim]", {-1, -1});
    const Input rows = run->Get(1, "rows", "[num_sampled, dim]", {-1, inputs.dims[1]});
    const Input biases = run->Get(2, "biases", "[num_sampled]", {rows.dims[0]});
    const Input temperature = run->Get(3, "resampling_temperature", "[] (a scalar)", {});
    const T degrees = *temperature.As<T>();
    if (!(degrees > 0) || !std::isfinite(degrees)) {
      run->Invalid("resampling_temperature must be positive and finite, got %g",
                   static_cast<double>(degrees));
    }
    const Converted<T> converted(inputs);
    T* const scores = static_cast<T*>(run->Allocate(0, Converted<T>::Type(), {rows.dims[0]}));
    const TapasProblem<T> problem{
        inputs.dims[0],         rows.dims[0], inputs.dims[1], converted.data(),
        ToFloatType(rows.type), rows.data,    biases.As<T>(), degrees};
    TapasScores<T>(problem, scores);
  }
};

}  // namespace

void RegisterTapas() {
  RegisterTyped<TapasScoresOp>({SAMPLED_COMPAT_TYPES},
                               {"inputs: T", "rows: Tr", "biases: Tc", "temperature: Tc"},
                               {"scores: Tc"});
}

}  // namespace sampled_compat
