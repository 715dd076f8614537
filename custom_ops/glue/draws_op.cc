// SampledCompat>StatelessDraws: kernels/draws.h as an op.
#include "../kernels/draws.h"
#include "op_definition.h"

namespace sampled_compat {
namespace {

constexpr int64_t kMostClasses = int64_t{1} << 53;
constexpr int kLog2FractionBits = 56;

int64_t FloorLog2(int64_t value) { return 63 - __builtin_clzll(value); }

struct StatelessDraws {
  static constexpr char kName[] = "SampledCompat>StatelessDraws";

  explicit StatelessDraws(const Attributes& attributes)
      : options{attributes.Choice<Law>(
                    "law", {{"uniform", Law::kUniform}, {"log_uniform", Law::kLogUniform}}),
                attributes.Int("range_max"), attributes.Int("log2_range"),
                attributes.Int("num_sampled"), attributes.Bool("unique")} {
    if (options.range_max > kMostClasses) {
      attributes.Fail("range_max must be at most " + std::to_string(kMostClasses) + ", got " +
                      std::to_string(options.range_max));
    }
    if (options.unique && options.num_sampled > options.range_max) {
      attributes.Fail(
          "num_sampled must be at most range_max = " + std::to_string(options.range_max) +
          " if unique, got " + std::to_string(options.num_sampled));
    }
    // Its whole part decides how large a class can be, and so where the kernel writes.
    if (options.law == Law::kLogUniform &&
        options.log2_range >> kLog2FractionBits != FloorLog2(options.range_max + 1)) {
      attributes.Fail("log2_range must be log2(range_max + 1) * 2^56, with range_max = " +
                      std::to_string(options.range_max) + ", got " +
                      std::to_string(options.log2_range));
    }
  }

  // The sizes of the outputs are attributes. The C API cannot make a shape from a number, so the
  // caller sets the shapes.
  static void Shape(ShapeInference* shapes) { shapes->CheckRank(0, 1); }

  void Run(OpRun* run) const {
    const Input seed = run->Get(0, "seed", "[2]", {2});
    auto* const classes = static_cast<int64_t*>(run->Allocate(0, TF_INT64, {options.num_sampled}));
    auto* const num_tries = static_cast<int64_t*>(run->Allocate(1, TF_INT64, {}));
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
