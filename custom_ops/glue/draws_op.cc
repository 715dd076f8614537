// SampledCompat>StatelessDraws: kernels/draws.h as an op.
#include "../kernels/draws.h"
#include "op_definition.h"

namespace sampled_compat {
namespace {

constexpr int64_t kMostClasses = int64_t{1} << 53;

struct StatelessDraws {
  static constexpr char kName[] = "SampledCompat>StatelessDraws";

  explicit StatelessDraws(const Attributes& attributes)
      : options{attributes.Choice<Law>(
                    "law", {{"uniform", Law::kUniform}, {"log_uniform", Law::kLogUniform}}),
                attributes.Int("range_max"), attributes.Int("log2_range"),
                attributes.Int("num_sampled"), attributes.Bool("unique")} {}

  // The sizes of the outputs are attributes. The C API cannot make a shape from a number, so the
  // caller sets the shapes.
  static void Shape(ShapeInference* shapes) { shapes->CheckRank(0, 1); }

  void Run(OpRun* run) const {
    const Input seed = run->Get(0, "seed", "[2]", {2});
    if (!run->ok()) return;
    if (options.range_max > kMostClasses ||
        (options.unique && options.num_sampled > options.range_max)) {
      return run->Invalid(
          "range_max must be at most %ld and, if unique, at least num_sampled = %ld, got %ld",
          kMostClasses, options.num_sampled, options.range_max);
    }
    auto* const classes = static_cast<int64_t*>(run->Allocate(0, TF_INT64, {options.num_sampled}));
    auto* const num_tries = static_cast<int64_t*>(run->Allocate(1, TF_INT64, {}));
    if (!run->ok()) return;
    const uint64_t* const numbers = seed.As<uint64_t>();
    *num_tries = Draw(options, PhiloxWords(numbers[0], numbers[1]), classes);
    if (*num_tries == 0) {
      run->Invalid("num_sampled: expected no more classes than %ld draws find, got %ld", kMostTries,
                   options.num_sampled);
    }
  }

  const DrawOptions options;
};

}  // namespace

void RegisterDraws() {
  Register<StatelessDraws>({"law: {'uniform', 'log_uniform'}", "num_sampled: int >= 1",
                            "unique: bool", "range_max: int >= 1", "log2_range: int >= 0"},
                           {"seed: int64"}, {"classes: int64", "num_tries: int64"});
}

}  // namespace sampled_compat
