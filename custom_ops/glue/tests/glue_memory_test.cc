// Every op with each request for memory failing in turn, its own and TensorFlow's: the right result
// or ResourceExhausted, nothing leaked, and the next call right. The fake counts the objects of
// TensorFlow's API that are left, and ends the process if one is.
#include <algorithm>

#include "../../kernels/tests/failing_memory.h"
#include "../../kernels/thread_pool.h"
#include "op_calls.h"

namespace sampled_compat {
namespace {

using Bytes = std::vector<unsigned char>;

// What fails: the kernels' and the glue's memory; an object of TensorFlow's API, which throws; or
// an output, for which TensorFlow returns an error.
enum class Of { kOp, kObjects, kOutputs };

int64_t requests_failed = 0;

// Empties the list of idle blocks; see memory_test.cc of the kernels.
void EmptyScratch() {
#ifndef __SANITIZE_ADDRESS__
  ReleaseScratch(AcquireScratch(kMaxIdleScratch + 1));
#endif
}

// Runs a call whose request number n fails. Returns whether there was one.
bool RunWithout(const OpCall& call, Of of, Lack lack, int64_t n, Outcome* outcome) {
  const int64_t last = lack == Lack::kOnce ? n : INT64_MAX;
  bool failed = false;
  switch (of) {
    case Of::kOp: {
      const FailingMemory failing(n, lack);
      *outcome = call.Run();
      failed = failing.Failed();
      break;
    }
    case Of::kObjects:
      fake_tensorflow::FailObjects(n, last);
      *outcome = call.Run();
      failed = fake_tensorflow::ObjectsAsked() > n;
      fake_tensorflow::FailObjects(-1, -1);
      break;
    case Of::kOutputs:
      fake_tensorflow::FailAllocation(n);
      *outcome = call.Run();
      failed = !outcome->ok();
      fake_tensorflow::FailAllocation(-1);
      break;
  }
  return failed;
}

bool SaysNoMemory(const Outcome& outcome) {
  return outcome.code == TF_RESOURCE_EXHAUSTED &&
         (outcome.message.find("not enough memory") != std::string::npos ||
          outcome.message.find("OOM") != std::string::npos);
}

void CheckCall(const OpCall& call, Of of, Lack lack) {
  const Bytes wanted = Results(call, call.Run());
  const char* const op = call.op.c_str();
  bool failed = true;
  for (int64_t n = 0; failed; ++n) {
    EmptyScratch();
    const int64_t live = FailingMemory::LiveBlocks();
    {
      Outcome outcome;
      failed = RunWithout(call, of, lack, n, &outcome);
      requests_failed += failed;
      CHECK_THAT(outcome.ok() ? Results(call, outcome) == wanted : failed && SaysNoMemory(outcome),
                 "%s, request %ld: code %d, '%s'", op, n, outcome.code, outcome.message.c_str());
    }
    const int64_t leaked = FailingMemory::LiveBlocks() - live;
    CHECK_THAT(leaked == 0, "%s, request %ld: %ld blocks", op, n, leaked);
    const Outcome again = call.Run();
    CHECK_THAT(again.ok() && Results(call, again) == wanted, "%s, after request %ld: '%s'", op, n,
               again.message.c_str());
  }
}

// A graph is built without memory.
void CheckShapes(const OpCall& call, Lack lack) {
  std::vector<fake_tensorflow::Shape> shapes;
  for (const Tensor& input : call.inputs) shapes.push_back(input.dims());
  const auto wanted = fake_tensorflow::InferShapes(call.op, shapes);
  CHECK_THAT(wanted.code == TF_OK, "%s: %s", call.op.c_str(), wanted.message.c_str());
  bool failed = true;
  for (int64_t n = 0; failed; ++n) {
    fake_tensorflow::FailObjects(n, lack == Lack::kOnce ? n : INT64_MAX);
    const auto inferred = fake_tensorflow::InferShapes(call.op, shapes);
    failed = fake_tensorflow::ObjectsAsked() > n;
    fake_tensorflow::FailObjects(-1, -1);
    CHECK_THAT(failed ? inferred.code == TF_RESOURCE_EXHAUSTED : inferred.outputs == wanted.outputs,
               "%s, object %ld: code %d", call.op.c_str(), n, inferred.code);
  }
}

}  // namespace
}  // namespace sampled_compat

int main() {
  using namespace sampled_compat;
  FailingMemory::Spare(fake_tensorflow::Inside);
#ifdef SAMPLED_COMPAT_QUICK_TESTS
  const std::vector<TF_DataType> types = {TF_BFLOAT16};  // Converts, so it requests more memory.
#else
  const std::vector<TF_DataType> types = {TF_FLOAT, TF_BFLOAT16};
#endif
  for (const TF_DataType type : types) {
    const OpCalls calls(type);
    for (const std::string& op : fake_tensorflow::OpNames()) {
      const auto calls_it = [&](const OpCall& call) { return call.op == op; };
      CHECK_THAT(std::any_of(calls.calls().begin(), calls.calls().end(), calls_it),
                 "no call of %s in op_calls.h", op.c_str());
    }
    for (const OpCall& call : calls.calls()) {
      for (const Lack lack : {Lack::kOnce, Lack::kFromThenOn}) {
        for (const int threads : {1, 4}) {
          SetThreads(threads);
          CheckCall(call, Of::kOp, lack);
        }
        CheckCall(call, Of::kObjects, lack);
        CheckShapes(call, lack);
      }
      CheckCall(call, Of::kOutputs, Lack::kOnce);
    }
  }
  std::printf("%ld requests for memory failed in turn\n", requests_failed);
  return Report("glue_memory_test");
}
