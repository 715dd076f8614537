// Every op, through the fake of TensorFlow's C API: whatever it is given, it neither crashes nor
// hangs nor leaks. It computes, or it is an error that says something.
#include <set>
#include <utility>

#include "../kernels/thread_pool.h"
#include "numbers.h"
#include "op_inputs.h"

namespace sampled_compat {
namespace {

using fake_tensorflow::Outcome;
using fake_tensorflow::Shape;
using fake_tensorflow::Tensor;

constexpr int64_t kMostOutputBytes = 1 << 20;

bool SameTensor(const Tensor& a, const Tensor& b) {
  const int64_t size =
      fake_tensorflow::BytesOf(a.type(), a.dims().data(), static_cast<int>(a.dims().size()));
  return a.type() == b.type() && a.dims() == b.dims() &&
         (size == 0 || std::memcmp(a.data(), b.data(), size) == 0);
}

void CheckOutcome(const std::string& op, const Outcome& outcome) {
  const bool expected =
      outcome.ok() || outcome.code == TF_INVALID_ARGUMENT || outcome.code == TF_RESOURCE_EXHAUSTED;
  REQUIRE(expected, "%s: code %d: %s", op.c_str(), outcome.code, outcome.message.c_str());
  REQUIRE(outcome.ok() || !outcome.message.empty(), "%s: an error without words", op.c_str());
}

// What a graph knew of the outputs before the run must hold.
void CheckShapes(const std::string& op, const std::vector<Shape>& known,
                 const std::vector<Tensor>& outputs) {
  const auto inferred = fake_tensorflow::InferShapes(op, known);
  REQUIRE(inferred.code == TF_OK, "%s ran, but its shapes are refused: %s", op.c_str(),
          inferred.message.c_str());
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!inferred.outputs[i]) continue;
    const std::vector<int64_t>&shape = *inferred.outputs[i], &dims = outputs[i].dims();
    bool holds = shape.size() == dims.size();
    for (size_t d = 0; holds && d < dims.size(); ++d) holds = shape[d] < 0 || shape[d] == dims[d];
    REQUIRE(holds, "%s: the output %zu has another shape than inferred", op.c_str(), i);
  }
}

int64_t IntOf(const OpInputs& made, const char* attribute) {
  return std::get<int64_t>(made.attributes().at(attribute));
}

// An op on a gathered batch has refused positions and hits that are out of range.
void CheckPositions(const OpInputs& made) {
  const int64_t rows = made.inputs()[1].dims()[0], batch = made.inputs()[0].dims()[0];
  for (const int input : {3, 4}) {
    for (const int32_t position : made.inputs()[input].Values<int32_t>()) {
      REQUIRE(position >= 0 && position < rows, "position %d of %ld passed", position, rows);
    }
  }
  const std::vector<int32_t> hits = made.inputs()[5].Values<int32_t>();
  for (size_t i = 0; i < hits.size(); i += 2) {
    const int32_t row = hits[i], column = hits[i + 1];
    REQUIRE(row >= 0 && row < batch && column >= 0 && column < made.inputs()[3].count(),
            "the hit (%d, %d) passed", row, column);
    REQUIRE(i == 0 || std::make_pair(hits[i - 2], hits[i - 1]) <= std::make_pair(row, column),
            "hits that are not sorted passed");
  }
}

bool AllDiffer(const std::vector<int64_t>& classes) {
  return std::set<int64_t>(classes.begin(), classes.end()).size() == classes.size();
}

// What each op promises of its numbers, whatever its inputs.
void CheckValues(const std::string& op, const OpInputs& made, const std::vector<Tensor>& outputs) {
  if (op == "SampledCompat>StatelessDraws" || op == "SampledCompat>DrawsPiece") {
    const std::vector<int64_t> classes = outputs[0].Values<int64_t>();
    for (const int64_t c : classes) {
      REQUIRE(c >= 0 && c < IntOf(made, "range_max"), "class %ld", c);
    }
    // The classes that a draw goes on from come from its caller, and are passed on.
    std::vector<int64_t> kept;
    if (op == "SampledCompat>DrawsPiece") kept = made.inputs()[2].Values<int64_t>();
    const bool unique = std::get<bool>(made.attributes().at("unique")) && AllDiffer(kept);
    REQUIRE(!unique || AllDiffer(classes), "a class was drawn twice");
  } else if (op.find(">Sampled") != std::string::npos) {
    CheckPositions(made);
  } else if (op == "SampledCompat>FullTopK") {
    REQUIRE(outputs[0].dims()[1] <= made.inputs()[1].dims()[0], "more ranks than classes");
    for (const int64_t c : outputs[1].Values<int64_t>()) {
      REQUIRE(c >= -1 && c < made.inputs()[1].dims()[0], "class %ld", c);
    }
  } else if (op == "SampledCompat>Plan") {
    for (const int output : {1, 2}) {
      for (const int32_t position : outputs[output].Values<int32_t>()) {
        REQUIRE(position >= 0 && position < outputs[0].count(), "position %d", position);
      }
    }
  } else if (op == "SampledCompat>ClassIds") {
    for (const int64_t id : outputs[0].Values<int64_t>()) REQUIRE(id >= 0, "id %ld", id);
  } else if (op == "SampledCompat>LogOffset" && outputs[0].type() == TF_DOUBLE) {
    for (const double x : outputs[0].Values<double>()) REQUIRE(std::isfinite(x), "offset %g", x);
  }
}

// There is room for more ops. The first ones, which do the most, take it until there are.
const KnownOp& PickOp(Bytes* bytes) {
  const size_t place = bytes->Int(0, 31);
  return KnownOps()[place < KnownOps().size() ? place : place % 8];
}

// A draw of nearly all classes takes long by nature; see kMostOutputBytes for the others.
bool TakesLong(const std::string& op, const OpInputs& made) {
  if (op != "SampledCompat>StatelessDraws") return false;
  const auto& attributes = made.attributes();
  for (const char* name : {"unique", "num_sampled", "range_max", "law"}) {
    if (attributes.count(name) == 0) return false;
  }
  return std::get<bool>(attributes.at("unique")) &&
         IntOf(made, "num_sampled") > IntOf(made, "range_max") / 2;
}

}  // namespace

FUZZ_TARGET(glue) {
  REQUIRE(KnownOps().size() == fake_tensorflow::OpNames().size(), "KnownOps lacks an op");
  const KnownOp& known_op = PickOp(bytes);
  const std::string& op = known_op.name;
  fake_tensorflow::SetMostBytes(kMostOutputBytes);
  fake_tensorflow::FailAllocation(bytes->Rarely(16) ? bytes->Int(0, 4) : -1);
  const OpInputs made(bytes, known_op);
  if (TakesLong(op, made)) return;
  const fake_tensorflow::Kernel kernel(op, made.attributes());
  CheckOutcome(op, kernel.creation());
  const Outcome outcome = kernel.Run(made.inputs());
  CheckOutcome(op, outcome);
  const std::vector<Shape> known = made.KnownShapes(bytes);
  fake_tensorflow::InferShapes(op, known);
  if (!outcome.ok()) return;
  CheckShapes(op, known, outcome.outputs);
  CheckValues(op, made, outcome.outputs);
  // The same once more, on one thread.
  SetThreads(1);
  fake_tensorflow::FailAllocation(-1);
  const Outcome again = kernel.Run(made.inputs());
  REQUIRE(again.ok(), "%s fails the second time: %s", op.c_str(), again.message.c_str());
  for (size_t i = 0; i < outcome.outputs.size(); ++i) {
    REQUIRE(SameTensor(outcome.outputs[i], again.outputs[i]), "%s: output %zu differs", op.c_str(),
            i);
  }
}

}  // namespace sampled_compat
