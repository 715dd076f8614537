// SampledCompat>SampledLoss and its gradient: the losses of kernels/sampled_loss.h as ops.
#include "../kernels/sampled_loss.h"
#include "sampled_inputs.h"

namespace sampled_compat {
namespace {

struct SampledLoss {
  static constexpr char kName[] = "SampledCompat>SampledLoss";

  explicit SampledLoss(const Attributes& attributes)
      : kind(KindAttribute(attributes)), keep(attributes.Bool("keep")) {}

  static void Shape(ShapeInference* shapes) {
    CheckSampledRanks(shapes);
    shapes->Vector(0, 0, 0);
  }

  template <typename T>
  void Run(OpRun* run) const {
    const SampledInputs in(run);
    in.CheckOffsets<T>(run);
    T* const loss = static_cast<T*>(run->Allocate(0, Converted<T>::Type(), {in.batch()}));
    RunSampledForward<T>(run, in, kind, keep, 1,
                         [&](const SampledProblem<T>& problem, T* normalizer, T* kept) {
                           return SampledLossForward<T>(problem, loss, normalizer, kept);
                         });
  }

  const LossKind kind;
  const bool keep;
};

struct SampledLossGrad {
  static constexpr char kName[] = "SampledCompat>SampledLossGrad";

  explicit SampledLossGrad(const Attributes& attributes) : kind(KindAttribute(attributes)) {}

  static void Shape(ShapeInference* shapes) { SampledGradientShapes(shapes); }

  template <typename T>
  void Run(OpRun* run) const {
    const SampledInputs in(run);
    const Input upstream = run->Get(10, "upstream", "[batch]", {in.batch()});
    RunSampledGradient<T>(run, in, kind,
                          [&](const SampledProblem<T>& problem, const T* normalizer, const T* kept,
                              const SampledGradients<T>& gradients) {
                            return SampledLossBackward<T>(problem, upstream.As<T>(), normalizer,
                                                          kept, gradients);
                          });
  }

  const LossKind kind;
};

}  // namespace

void RegisterSampledLoss() {
  RegisterTyped<SampledLoss>({SAMPLED_COMPAT_KIND, SAMPLED_COMPAT_TYPES, "keep: bool = true"},
                             {SAMPLED_INPUTS}, {"loss: Tc", "normalizer: Tc", "kept: Tc"});
  RegisterTyped<SampledLossGrad>({SAMPLED_COMPAT_KIND, SAMPLED_COMPAT_TYPES},
                                 {SAMPLED_INPUTS, "normalizer: Tc", "kept: Tc", "upstream: Tc"},
                                 {SAMPLED_GRADIENTS});
}

}  // namespace sampled_compat
