// SampledCompat>SampledTerms and its gradient: the terms of the losses in kernels/sampled_loss.h,
// as ops.
#include "../kernels/sampled_loss.h"
#include "sampled_inputs.h"

namespace sampled_compat {
namespace {

struct SampledTermsOp {
  static constexpr char kName[] = "SampledCompat>SampledTerms";

  explicit SampledTermsOp(const Attributes& attributes)
      : kind(KindAttribute(attributes)), keep(attributes.Bool("keep")) {}

  static void Shape(ShapeInference* shapes) {
    CheckSampledRanks(shapes);
    shapes->Vector(0, 0, 0);
    shapes->CopyShape(1, 4);
  }

  template <typename T>
  void Run(OpRun* run) const {
    const SampledInputs in(run);
    in.CheckOffsets<T>(run);
    const TF_DataType type = Converted<T>::Type();
    const SampledTerms<T> terms{
        static_cast<T*>(run->Allocate(0, type, {in.batch()})),
        static_cast<T*>(run->Allocate(1, type, {in.batch(), in.num_true()}))};
    RunSampledForward<T>(run, in, kind, keep, 2,
                         [&](const SampledProblem<T>& problem, T* normalizer, T* kept) {
                           return SampledTermsForward<T>(problem, terms, normalizer, kept);
                         });
  }

  const LossKind kind;
  const bool keep;
};

struct SampledTermsGrad {
  static constexpr char kName[] = "SampledCompat>SampledTermsGrad";

  explicit SampledTermsGrad(const Attributes& attributes) : kind(KindAttribute(attributes)) {}

  static void Shape(ShapeInference* shapes) { SampledGradientShapes(shapes); }

  template <typename T>
  void Run(OpRun* run) const {
    const SampledInputs in(run);
    const Input negatives = run->Get(10, "d_negatives", "[batch]", {in.batch()});
    const Input true_logits =
        run->Get(11, "d_true_logits", "[batch, num_true]", {in.batch(), in.num_true()});
    RunSampledGradient<T>(run, in, kind,
                          [&](const SampledProblem<T>& problem, const T* normalizer, const T* kept,
                              const SampledGradients<T>& gradients) {
                            return SampledTermsBackward<T>(problem,
                                                           {negatives.As<T>(), true_logits.As<T>()},
                                                           normalizer, kept, gradients);
                          });
  }

  const LossKind kind;
};

}  // namespace

void RegisterSampledTerms() {
  RegisterTyped<SampledTermsOp>({SAMPLED_COMPAT_KIND, SAMPLED_COMPAT_TYPES, "keep: bool = true"},
                                {SAMPLED_INPUTS},
                                {"negatives: Tc", "true_logits: Tc", "normalizer: Tc", "kept: Tc"});
  RegisterTyped<SampledTermsGrad>(
      {SAMPLED_COMPAT_KIND, SAMPLED_COMPAT_TYPES},
      {SAMPLED_INPUTS, "normalizer: Tc", "kept: Tc", "d_negatives: Tc", "d_true_logits: Tc"},
      {SAMPLED_GRADIENTS});
}

}  // namespace sampled_compat
