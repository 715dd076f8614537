// SampledCompat>StatelessDraws and SampledCompat>DrawsPiece: kernels/draws.h as ops. The first
// makes a whole draw, which one piece must suffice for. The second goes on with a draw by one
// piece.
#include <algorithm>

#include "../kernels/draws.h"
#include "op_definition.h"

namespace sampled_compat {
namespace {

constexpr int64_t kMostClasses = int64_t{1} << 53;
constexpr int64_t kMostTries = int64_t{1} << 62;
constexpr int64_t kMostTotal = int64_t{1} << 61;
constexpr int kLog2FractionBits = 56;

int64_t FloorLog2(int64_t value) { return 63 - __builtin_clzll(value); }

DrawOptions ReadOptions(const Attributes& attributes) {
  const DrawOptions options{attributes.Choice<Law>("law", {{"uniform", Law::kUniform},
                                                           {"log_uniform", Law::kLogUniform},
                                                           {"weighted", Law::kWeighted}}),
                            attributes.Int("range_max"),
                            attributes.Int("log2_range"),
                            nullptr,
                            attributes.Int("num_sampled"),
                            attributes.Bool("unique")};
  if (options.range_max > kMostClasses) {
    attributes.Fail("range_max must be at most " + std::to_string(kMostClasses) + ", got " +
                    std::to_string(options.range_max));
  }
  if (options.unique && options.num_sampled > options.range_max) {
    attributes.Fail("num_sampled must be at most range_max = " + std::to_string(options.range_max) +
                    " if unique, got " + std::to_string(options.num_sampled));
  }
  if (!options.unique && options.num_sampled > kMostTriesInPiece) {
    attributes.Fail("num_sampled must be at most " + std::to_string(kMostTriesInPiece) +
                    " in one piece, got " + std::to_string(options.num_sampled));
  }
  // Its whole part decides how large a class can be, and so where the kernel writes.
  if (options.law == Law::kLogUniform &&
      options.log2_range >> kLog2FractionBits != FloorLog2(options.range_max + 1)) {
    attributes.Fail("log2_range must be log2(range_max + 1) * 2^56, with range_max = " +
                    std::to_string(options.range_max) + ", got " +
                    std::to_string(options.log2_range));
  }
  return options;
}

PhiloxWords Words(OpRun* run) {
  const Input seed = run->Get(0, "seed", "[2]", {2});
  return PhiloxWords(seed.As<uint64_t>()[0], seed.As<uint64_t>()[1]);
}

// The sizes of the outputs are attributes or depend on values. The C API cannot make a shape from a
// number, so the caller sets the shapes.

struct StatelessDraws {
  static constexpr char kName[] = "SampledCompat>StatelessDraws";

  explicit StatelessDraws(const Attributes& attributes) : options(ReadOptions(attributes)) {}

  static void Shape(ShapeInference* shapes) { shapes->CheckRank(0, 1); }

  void Run(OpRun* run) const {
    const PhiloxWords words = Words(run);
    auto* const classes = static_cast<int64_t*>(run->Allocate(0, TF_INT64, {options.num_sampled}));
    DrawState state{0, 0};
    DrawPiece(options, words, &state, classes);
    if (state.found < options.num_sampled) {
      run->Invalid("num_sampled: expected no more classes than %ld draws find, got %ld",
                   kMostTriesInPiece, options.num_sampled);
    }
    *static_cast<int64_t*>(run->Allocate(1, TF_INT64, {})) = state.tries;
  }

  const DrawOptions options;
};

struct DrawsPiece {
  static constexpr char kName[] = "SampledCompat>DrawsPiece";

  explicit DrawsPiece(const Attributes& attributes) : fixed(ReadOptions(attributes)) {}

  static void Shape(ShapeInference* shapes) { shapes->CheckRanks({1, 1, 1, 0}); }

  void Run(OpRun* run) const {
    const PhiloxWords words = Words(run);
    DrawOptions options = fixed;
    options.cumulative = Cumulative(run);
    const Input kept = run->Get(2, "kept", "[found]", {-1});
    DrawState state{kept.count, *run->Get(3, "num_tries", "[] (a scalar)", {}).As<int64_t>()};
    const int64_t most_kept = options.unique ? options.num_sampled : 0;
    if (state.found > most_kept) {
      run->Invalid("kept must hold at most %ld classes, got %ld", most_kept, state.found);
    }
    if (state.tries < 0 || state.tries > kMostTries || state.tries % 2 != 0) {
      run->Invalid("num_tries must be an even number in [0, %ld], got %ld", kMostTries,
                   state.tries);
    }
    const int64_t most = std::min(options.num_sampled, state.found + kMostTriesInPiece);
    Workspace workspace;
    workspace.Add<int64_t>(most);
    workspace.Allocate();
    int64_t* const classes = workspace.Take<int64_t>(most);
    // The copy is checked, as another thread may write the input.
    std::copy_n(kept.As<int64_t>(), state.found, classes);
    for (int64_t i = 0; i < state.found; ++i) {
      if (classes[i] < 0 || classes[i] >= options.range_max) {
        run->Invalid("kept must hold classes in [0, %ld), got %ld", options.range_max, classes[i]);
      }
    }
    DrawPiece(options, words, &state, classes);
    std::copy_n(classes, state.found,
                static_cast<int64_t*>(run->Allocate(0, TF_INT64, {state.found})));
    *static_cast<int64_t*>(run->Allocate(1, TF_INT64, {})) = state.tries;
  }

  // Returns the sums of the weighted law. The other laws read none of the vector.
  const int64_t* Cumulative(OpRun* run) const {
    if (fixed.law != Law::kWeighted) {
      run->Get(1, "cumulative", "[any]", {-1});
      return nullptr;
    }
    const Input cumulative = run->Get(1, "cumulative", "[range_max]", {fixed.range_max});
    const int64_t total = cumulative.As<int64_t>()[fixed.range_max - 1];
    if (total < 1 || total > kMostTotal) {
      run->Invalid("cumulative must end with a number in [1, %ld], got %ld", kMostTotal, total);
    }
    return cumulative.As<int64_t>();
  }

  const DrawOptions fixed;
};

}  // namespace

void RegisterDraws() {
  Register<StatelessDraws>({"law: {'uniform', 'log_uniform'}", "num_sampled: int >= 1",
                            "unique: bool", "range_max: int >= 1", "log2_range: int >= 0"},
                           {"seed: int64"}, {"classes: int64", "num_tries: int64"});
  Register<DrawsPiece>({"law: {'uniform', 'log_uniform', 'weighted'}", "num_sampled: int >= 1",
                        "unique: bool", "range_max: int >= 1", "log2_range: int >= 0"},
                       {"seed: int64", "cumulative: int64", "kept: int64", "num_tries: int64"},
                       {"classes: int64", "tries: int64"});
}

}  // namespace sampled_compat
