// SampledCompat>ClassIds and SampledCompat>LogOffset check a caller's values. Each is one node of
// the graph, where TensorFlow's ops would need eight.
#include "../kernels/log_offset.h"
#include "op_definition.h"
#include "words.h"

namespace sampled_compat {
namespace {

// Returns the ids if all are rows of the tables, and fails otherwise.
struct ClassIds {
  static constexpr char kName[] = "SampledCompat>ClassIds";

  explicit ClassIds(const Attributes& attributes)
      : source(attributes.Choice<IdsSource>("argument",
                                            {{"labels", IdsSource::kLabels},
                                             {"sampled_candidates", IdsSource::kSampledCandidates},
                                             {"drawn_candidates", IdsSource::kDrawnCandidates}})),
        limits{attributes.Int("weights_rows"), attributes.Int("biases_rows"),
               attributes.Int("num_classes")} {
    if (limits.Rows() < 0) attributes.Fail("weights_rows or biases_rows must be given");
  }

  static void Shape(ShapeInference* shapes) { shapes->CopyShape(0, 0); }

  void Run(OpRun* run) const {
    const Input ids = run->Get(0, "ids");
    const int64_t rows = limits.Rows();
    const int64_t* const values = ids.As<int64_t>();
    for (int64_t i = 0; i < ids.count; ++i) {
      if (values[i] >= 0 && values[i] < rows) continue;
      run->InvalidValue(BadClassId(source, limits, values[i]));
    }
    run->Forward(0, 0);
  }

  const IdsSource source;
  const IdsLimits limits;
};

// Turns expected counts into -log(count).
struct LogOffsetOp {
  static constexpr char kName[] = "SampledCompat>LogOffset";

  explicit LogOffsetOp(const Attributes& attributes)
      : source(attributes.Choice<CountsSource>(
            "argument", {{"true_expected_count", CountsSource::kTrueExpectedCount},
                         {"sampled_expected_count", CountsSource::kSampledExpectedCount}})),
        type(attributes.Type("Tc")) {}

  static void Shape(ShapeInference* shapes) { shapes->CopyShape(0, 0); }

  // A float64 count may be smaller than any float32, so the logarithm is computed in double.
  void Run(OpRun* run) const {
    const Input counts = run->Get(0, "counts");
    type == TF_DOUBLE || counts.type == TF_DOUBLE ? Offsets<double>(counts, run)
                                                  : Offsets<float>(counts, run);
  }

  template <typename T>
  void Offsets(const Input& counts, OpRun* run) const {
    const Converted<T> converted(counts);
    const ConvertedOutput<T> offsets(run, 0, type, counts.dims);
    const int64_t bad = LogOffset<T>(converted.data(), counts.count, offsets.data());
    if (bad >= 0) run->InvalidValue(BadCount(source, converted.data()[bad]));
    offsets.Finish();
  }

  const CountsSource source;
  const TF_DataType type;
};

}  // namespace

void RegisterValues() {
  Register<ClassIds>({"argument: {'labels', 'sampled_candidates', 'drawn_candidates'}",
                      "weights_rows: int = -1", "biases_rows: int = -1", "num_classes: int = -1"},
                     {"ids: int64"}, {"class_ids: int64"});
  Register<LogOffsetOp>({"T: {half, bfloat16, float, double}", "Tc: {float, double}",
                         "argument: {'true_expected_count', 'sampled_expected_count'}"},
                        {"counts: T"}, {"offsets: Tc"});
}

}  // namespace sampled_compat
