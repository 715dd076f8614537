// SampledCompat>Plan: kernels/plan.h as an op.
#include <algorithm>

#include "../kernels/plan.h"
#include "op_definition.h"

namespace sampled_compat {
namespace {

constexpr int64_t kMostIds = int64_t{1} << 30;

template <typename T>
void CopyOut(const Vector<T>& values, void* output) {
  std::copy(values.begin(), values.end(), static_cast<T*>(output));
}

struct PlanOp {
  static constexpr char kName[] = "SampledCompat>Plan";

  explicit PlanOp(const Attributes& attributes)
      : find_hits(attributes.Bool("find_hits")),
        unique(attributes.Bool("unique")),
        all_copies(attributes.Bool("all_copies")) {}

  static void Shape(ShapeInference* shapes) {
    shapes->CheckRanks({2, 1});
    shapes->CopyShape(1, 1);
    shapes->CopyShape(2, 0);
  }

  void Run(OpRun* run) const {
    Input labels = run->Get(0, "labels", "[batch, num_true]", {-1, -1});
    Input sampled = run->Get(1, "sampled", "[num_sampled]", {-1});
    if (labels.dims[1] < 1) {
      run->Invalid("labels must have at least one column, got %s", labels.Shape().c_str());
    }
    if (labels.count + sampled.count >= kMostIds) {
      run->Invalid("labels and sampled must hold fewer than %ld ids, got %ld and %ld", kMostIds,
                   labels.count, sampled.count);
    }
    run->Own(&labels);
    run->Own(&sampled);
    const Copies hits = !find_hits ? Copies::kNone : all_copies ? Copies::kAll : Copies::kLast;
    const auto make = unique ? UniquePlan : OccurrencePlan;
    const Plan plan = make(sampled.As<int64_t>(), sampled.count, labels.As<int64_t>(),
                           labels.dims[0], labels.dims[1], hits);
    const int64_t num_ids = plan.ids.size(), num_hits = plan.hits.size() / 2;
    CopyOut(plan.ids, run->Allocate(0, TF_INT64, {num_ids}));
    CopyOut(plan.sampled_positions, run->Allocate(1, TF_INT32, {sampled.count}));
    CopyOut(plan.true_positions, run->Allocate(2, TF_INT32, {labels.dims[0], labels.dims[1]}));
    CopyOut(plan.hits, run->Allocate(3, TF_INT32, {num_hits, 2}));
  }

  const bool find_hits, unique, all_copies;
};

}  // namespace

void RegisterPlan() {
  Register<PlanOp>(
      {"find_hits: bool = true", "unique: bool = true", "all_copies: bool = false"},
      {"labels: int64", "sampled: int64"},
      {"unique_ids: int64", "sampled_positions: int32", "true_positions: int32", "hits: int32"});
}

}  // namespace sampled_compat
