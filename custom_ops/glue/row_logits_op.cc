// SampledCompat>RowLogits and its gradient: kernels/row_logits.h as ops.
#include "../kernels/row_logits.h"
#include "op_definition.h"
#include "positions.h"

namespace sampled_compat {
namespace {

// The inputs 0 to 3. The positions index memory, so the gradient op checks them too; see
// sampled_inputs.h.
struct RowInputs {
  explicit RowInputs(OpRun* run) {
    inputs = run->Get(0, "inputs", "[batch, dim]", {-1, -1});
    rows = run->Get(1, "rows", "[unique, dim]", {-1, inputs.dims[1]});
    biases = run->Get(2, "biases", "[unique]", {rows.dims[0]});
    positions = run->Get(3, "positions", "[batch, columns]", {inputs.dims[0], -1});
    for (const Input* input : {&biases, &positions}) CheckCount(run, *input);
    run->Own(&positions);
    CheckPositions(run, positions, rows.dims[0]);
  }

  template <typename T>
  RowLogitsProblem<T> Problem(const Converted<T>& inputs_as_t,
                              const Converted<T>& rows_as_t) const {
    return {inputs.dims[0],     positions.dims[1], inputs.dims[1],         rows.dims[0],
            inputs_as_t.data(), rows_as_t.data(),  positions.As<int32_t>()};
  }

  Input inputs, rows, biases, positions;
};

struct RowLogitsOp {
  static constexpr char kName[] = "SampledCompat>RowLogits";

  explicit RowLogitsOp(const Attributes&) {}

  static void Shape(ShapeInference* shapes) {
    shapes->CheckRanks({2, 2, 1, 2});
    shapes->CopyShape(0, 3);
  }

  template <typename T>
  void Run(OpRun* run) const {
    const RowInputs in(run);
    const Converted<T> inputs(in.inputs), rows(in.rows);
    T* const logits = static_cast<T*>(run->Allocate(0, Converted<T>::Type(), in.positions.dims));
    RowLogits<T>(in.Problem<T>(inputs, rows), in.biases.As<T>(), logits);
  }
};

struct RowLogitsGrad {
  static constexpr char kName[] = "SampledCompat>RowLogitsGrad";

  explicit RowLogitsGrad(const Attributes&) {}

  static void Shape(ShapeInference* shapes) {
    shapes->CheckRanks({2, 2, 1, 2, 2});
    for (int i = 0; i < 3; ++i) shapes->CopyShape(i, i);
  }

  template <typename T>
  void Run(OpRun* run) const {
    const RowInputs in(run);
    const Input upstream =
        run->Get(4, "upstream", "[batch, columns]", {in.positions.dims[0], in.positions.dims[1]});
    const Converted<T> inputs(in.inputs), rows(in.rows);
    const ConvertedOutput<T> d_inputs(run, 0, in.inputs.type, in.inputs.dims);
    const ConvertedOutput<T> d_rows(run, 1, in.rows.type, in.rows.dims);
    T* const d_biases = static_cast<T*>(run->Allocate(2, Converted<T>::Type(), in.biases.dims));
    RowLogitsGradient<T>(in.Problem<T>(inputs, rows), upstream.As<T>(),
                         {d_inputs.data(), d_rows.data(), d_biases});
    d_inputs.Finish();
    d_rows.Finish();
  }
};

}  // namespace

#define ROW_INPUTS "inputs: T", "rows: Tr", "biases: Tc", "positions: int32"

void RegisterRowLogits() {
  RegisterTyped<RowLogitsOp>({SAMPLED_COMPAT_TYPES}, {ROW_INPUTS}, {"logits: Tc"});
  RegisterTyped<RowLogitsGrad>({SAMPLED_COMPAT_TYPES}, {ROW_INPUTS, "upstream: Tc"},
                               {"d_inputs: T", "d_rows: Tr", "d_biases: Tc"});
}

}  // namespace sampled_compat
