// SampledCompat>StatelessDraws: kernels/draws.h as an op.
#include "../kernels/draws.h"
#include "op_definition.h"
#include "op_run.h"

namespace sampled_compat {
namespace {

constexpr char kName[] = "SampledCompat>StatelessDraws";
constexpr int64_t kMostClasses = int64_t{1} << 53;

// The outputs' shapes are attributes, of which the C API can make none: the caller states them.
void Shape(TF_ShapeInferenceContext* context, TF_Status* status) {
  ShapeInference(context, status).CheckRank(0, 1);
}

void* Create(TF_OpKernelConstruction* construction) {
  constexpr Law kLaws[] = {Law::kUniform, Law::kLogUniform};
  return new DrawOptions{
      kLaws[ChoiceAttribute(construction, "law", {"uniform", "log_uniform"})],
      IntAttribute(construction, "range_max"), IntAttribute(construction, "log2_range"),
      IntAttribute(construction, "num_sampled"), BoolAttribute(construction, "unique")};
}

void Compute(void* kernel, TF_OpKernelContext* context) {
  const DrawOptions& options = *static_cast<DrawOptions*>(kernel);
  OpRun run(context, kName);
  const Input seed = run.Get(0, "seed", "[2]", {2});
  if (!run.ok()) return;
  if (options.range_max > kMostClasses ||
      (options.unique && options.num_sampled > options.range_max)) {
    return run.Invalid(
        "range_max must be at most %ld and, if unique, at least num_sampled = %ld, got %ld",
        kMostClasses, options.num_sampled, options.range_max);
  }
  int64_t* const classes = static_cast<int64_t*>(run.Allocate(0, TF_INT64, {options.num_sampled}));
  int64_t* const num_tries = static_cast<int64_t*>(run.Allocate(1, TF_INT64, {}));
  if (!run.ok()) return;
  const uint64_t* const numbers = seed.As<uint64_t>();
  *num_tries = Draw(options, PhiloxWords(numbers[0], numbers[1]), classes);
  if (*num_tries == 0) {
    run.Invalid("num_sampled: expected no more classes than %ld draws find, got %ld", kMostTries,
                options.num_sampled);
  }
}

}  // namespace

void RegisterDraws() {
  Register({kName,
            {"law: {'uniform', 'log_uniform'}", "num_sampled: int >= 1", "unique: bool",
             "range_max: int >= 1", "log2_range: int >= 0"},
            {"seed: int64"},
            {"classes: int64", "num_tries: int64"},
            Shape,
            Create,
            Compute,
            [](void* kernel) { delete static_cast<DrawOptions*>(kernel); }});
}

}  // namespace sampled_compat
