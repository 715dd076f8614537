// SampledCompat>Plan: kernels/plan.h as an op.
#include <algorithm>

#include "../kernels/plan.h"
#include "op_definition.h"
#include "op_run.h"

namespace sampled_compat {
namespace {

constexpr char kName[] = "SampledCompat>Plan";
constexpr int64_t kMostIds = int64_t{1} << 30;

struct Kernel {
  bool find_hits;
};

void Shape(TF_ShapeInferenceContext* context, TF_Status* status) {
  ShapeInference shapes(context, status);
  shapes.CheckRank(0, 2);
  shapes.CheckRank(1, 1);
  shapes.CopyShape(1, 1);
  shapes.CopyShape(2, 0);
}

void* Create(TF_OpKernelConstruction* construction) {
  return new Kernel{BoolAttribute(construction, "find_hits")};
}

template <typename T>
void CopyOut(const std::vector<T>& values, void* output) {
  if (output != nullptr) std::copy(values.begin(), values.end(), static_cast<T*>(output));
}

void Compute(void* kernel, TF_OpKernelContext* context) {
  OpRun run(context, kName);
  const Input labels = run.Get(0, "labels", "[batch, num_true]", {-1, -1});
  const Input sampled = run.Get(1, "sampled", "[num_sampled]", {-1});
  if (!run.ok()) return;
  if (labels.dims[1] < 1) {
    return run.Invalid("labels must have at least one column, got %s", labels.Shape().c_str());
  }
  if (labels.count + sampled.count >= kMostIds) {
    return run.Invalid("labels and sampled must hold fewer than %ld ids, got %ld and %ld", kMostIds,
                       labels.count, sampled.count);
  }
  const Plan plan =
      MakePlan(sampled.As<int64_t>(), sampled.count, labels.As<int64_t>(), labels.dims[0],
               labels.dims[1], static_cast<Kernel*>(kernel)->find_hits);
  CopyOut(plan.unique_ids,
          run.Allocate(0, TF_INT64, {static_cast<int64_t>(plan.unique_ids.size())}));
  CopyOut(plan.sampled_positions, run.Allocate(1, TF_INT32, {sampled.count}));
  CopyOut(plan.true_positions, run.Allocate(2, TF_INT32, {labels.dims[0], labels.dims[1]}));
  CopyOut(plan.hits, run.Allocate(3, TF_INT32, {static_cast<int64_t>(plan.hits.size() / 2), 2}));
}

}  // namespace

void RegisterPlan() {
  Register(
      {kName,
       {"find_hits: bool = true"},
       {"labels: int64", "sampled: int64"},
       {"unique_ids: int64", "sampled_positions: int32", "true_positions: int32", "hits: int32"},
       Shape,
       Create,
       Compute,
       [](void* kernel) { delete static_cast<Kernel*>(kernel); }});
}

}  // namespace sampled_compat
