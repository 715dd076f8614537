// SampledCompat>ClassIds and SampledCompat>LogOffset: the checks of what comes in by value, a node
// of the graph each where TensorFlow's ops would need eight.
#include <string>

#include "../kernels/log_offset.h"
#include "op_definition.h"
#include "op_run.h"

namespace sampled_compat {
namespace {

// What both are told to fail with: "<expected>, got <value>".
struct Kernel {
  std::string expected;
  int64_t limit;
  bool is_double;
};

void CopyShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  ShapeInference(context, status).CopyShape(0, 0);
}

void* CreateClassIds(TF_OpKernelConstruction* construction) {
  return new Kernel{StringAttribute(construction, "expected"), IntAttribute(construction, "limit"),
                    false};
}

void ClassIds(void* instance, TF_OpKernelContext* context) {
  const Kernel& kernel = *static_cast<Kernel*>(instance);
  OpRun run(context, nullptr);
  const Input ids = run.Get(0, "ids");
  if (!run.ok()) return;
  const int64_t* const values = ids.As<int64_t>();
  for (int64_t i = 0; i < ids.count; ++i) {
    if (values[i] >= 0 && values[i] < kernel.limit) continue;
    return run.Invalid("%s, got %ld", kernel.expected.c_str(), values[i]);
  }
  run.Forward(0, 0);
}

void* CreateLogOffset(TF_OpKernelConstruction* construction) {
  return new Kernel{StringAttribute(construction, "expected"), 0,
                    TypeAttribute(construction, "Tc") == TF_DOUBLE};
}

// T: what the logarithm is taken in. A float64 count may be smaller than float32 goes.
template <typename T>
void Offsets(const Kernel& kernel, const Input& counts, OpRun* run) {
  const Converted<T> converted(run, counts);
  const ConvertedOutput<T> offsets(run, 0, kernel.is_double ? TF_DOUBLE : TF_FLOAT, counts.dims);
  if (!run->ok()) return;
  const int64_t bad = LogOffset<T>(converted.data(), counts.count, offsets.data());
  if (bad >= 0) {
    return run->Invalid("%s, got %g", kernel.expected.c_str(),
                        static_cast<double>(converted.data()[bad]));
  }
  offsets.Finish();
}

void LogOffsetCompute(void* instance, TF_OpKernelContext* context) {
  const Kernel& kernel = *static_cast<Kernel*>(instance);
  OpRun run(context, nullptr);
  const Input counts = run.Get(0, "counts");
  if (!run.ok()) return;
  kernel.is_double || counts.type == TF_DOUBLE ? Offsets<double>(kernel, counts, &run)
                                               : Offsets<float>(kernel, counts, &run);
}

void Delete(void* kernel) { delete static_cast<Kernel*>(kernel); }

}  // namespace

void RegisterValues() {
  Register({"SampledCompat>ClassIds",
            {"limit: int", "expected: string"},
            {"ids: int64"},
            {"class_ids: int64"},
            CopyShape,
            CreateClassIds,
            ClassIds,
            Delete});
  Register({"SampledCompat>LogOffset",
            {"T: {half, bfloat16, float, double}", "Tc: {float, double}", "expected: string"},
            {"counts: T"},
            {"offsets: Tc"},
            CopyShape,
            CreateLogOffset,
            LogOffsetCompute,
            Delete});
}

}  // namespace sampled_compat
