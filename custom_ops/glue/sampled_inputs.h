// The common part of the ops on a gathered batch: eight inputs and their checks, the outputs that a
// forward op keeps for its gradient op, and the five gradients.
#ifndef SAMPLED_COMPAT_GLUE_SAMPLED_INPUTS_H_
#define SAMPLED_COMPAT_GLUE_SAMPLED_INPUTS_H_

#include <cmath>

#include "../kernels/sampled_loss.h"
#include "loss_kind.h"
#include "op_definition.h"

namespace sampled_compat {

#define SAMPLED_INPUTS                                                                        \
  "inputs: T", "rows: Tr", "biases: Tc", "sampled_positions: int32", "true_positions: int32", \
      "hits: int32", "true_offset: Tc", "sampled_offset: Tc"
#define SAMPLED_GRADIENTS \
  "d_inputs: T", "d_rows: Tr", "d_biases: Tc", "d_true_offset: Tc", "d_sampled_offset: Tc"

// The inputs 0 to 7. Shapes, positions and hits are checked as they are read, because the kernels
// index memory by them.
//
// Every op checks them, a gradient op too. The package's own values are correct by construction:
// positions and hits come from SampledCompat>Plan, and ClassIds has checked the class ids. But a
// graph may come from a file, and other nodes may feed its gradient op than its forward op. Without
// the check such a file could write anywhere in memory. The check is one vectorised pass of
// comparisons over S + B T integers, against D times as many multiplications. Offsets that are not
// finite are no danger to memory, so only the forward ops check them.
struct SampledInputs {
  explicit SampledInputs(OpRun* run);

  // Fails unless the offsets are finite.
  template <typename T>
  void CheckOffsets(OpRun* run) const;

  int64_t batch() const { return inputs.dims[0]; }
  int64_t dim() const { return inputs.dims[1]; }
  int64_t unique() const { return rows.dims[0]; }
  int64_t num_true() const { return true_positions.dims[1]; }
  int64_t num_sampled() const { return sampled_positions.count; }

  template <typename T>
  SampledProblem<T> Problem(LossKind kind, const Converted<T>& inputs_as_t,
                            const Converted<T>& rows_as_t) const {
    return {kind,
            batch(),
            num_true(),
            num_sampled(),
            dim(),
            unique(),
            hits.dims[0],
            inputs_as_t.data(),
            rows_as_t.data(),
            biases.As<T>(),
            sampled_positions.As<int32_t>(),
            true_positions.As<int32_t>(),
            hits.As<int32_t>(),
            true_offset.As<T>(),
            sampled_offset.As<T>()};
  }

  Input inputs, rows, biases, sampled_positions, true_positions, hits, true_offset, sampled_offset;

 private:
  void Read(OpRun* run);
  void CheckHits(OpRun* run) const;
};

inline void CheckSampledRanks(ShapeInference* shapes) {
  shapes->CheckRanks({2, 2, 1, 1, 2, 2, 2, 1});
}

// Runs a forward op. Its last two outputs are `normalizer`, number `first`, and `kept`.
// forward(problem, normalizer, kept) computes; `kept` is null if nothing is kept.
template <typename T, typename F>
void RunSampledForward(OpRun* run, const SampledInputs& in, LossKind kind, bool keep, int first,
                       F forward) {
  const Converted<T> inputs(in.inputs), rows(in.rows);
  const TF_DataType type = Converted<T>::Type();
  T* const normalizer = static_cast<T*>(run->Allocate(first, type, {2, in.batch()}));
  const int64_t count = keep ? KeptCount<T>(in.batch(), in.num_sampled()) : 0;
  T* const kept = static_cast<T*>(run->AllocateFromScratch(first + 1, type, count));
  const SampledProblem<T> problem = in.Problem<T>(kind, inputs, rows);
  forward(problem, normalizer, count > 0 ? kept : nullptr);
}

inline void SampledGradientShapes(ShapeInference* shapes) {
  CheckSampledRanks(shapes);
  const int inputs_of[] = {0, 1, 2, 6, 7};
  for (int i = 0; i < 5; ++i) shapes->CopyShape(i, inputs_of[i]);
}

// Runs a gradient op. Its inputs 8 and 9 are the forward op's `normalizer` and `kept`, its outputs
// are SAMPLED_GRADIENTS. backward(problem, normalizer, kept, gradients) computes.
template <typename T, typename F>
void RunSampledGradient(OpRun* run, const SampledInputs& in, LossKind kind, F backward) {
  const Input normalizer = run->Get(8, "normalizer", "[2, batch]", {2, in.batch()});
  const Input kept = run->Get(9, "kept", "[numbers kept]", {-1});
  const int64_t could_be_kept = KeptCount<T>(in.batch(), in.num_sampled());
  if (kept.count != 0 && kept.count != could_be_kept) {
    run->Invalid("kept must be what the forward op kept, of 0 or %ld numbers; got %ld",
                 could_be_kept, kept.count);
  }
  const Converted<T> inputs(in.inputs), rows(in.rows);
  const TF_DataType type = Converted<T>::Type();
  const ConvertedOutput<T> d_inputs(run, 0, in.inputs.type, {in.batch(), in.dim()});
  const ConvertedOutput<T> d_rows(run, 1, in.rows.type, {in.unique(), in.dim()});
  const SampledGradients<T> gradients{
      d_inputs.data(), d_rows.data(), static_cast<T*>(run->Allocate(2, type, {in.unique()})),
      static_cast<T*>(run->Allocate(3, type, {in.batch(), in.num_true()})),
      static_cast<T*>(run->Allocate(4, type, {in.num_sampled()}))};
  const SampledProblem<T> problem = in.Problem<T>(kind, inputs, rows);
  const T* const kept_numbers = kept.count > 0 ? kept.As<T>() : nullptr;
  backward(problem, normalizer.As<T>(), kept_numbers, gradients);
  d_inputs.Finish();
  d_rows.Finish();
}

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_GLUE_SAMPLED_INPUTS_H_
