// The ops on many threads at once, while the number of the pool's threads changes: the same bits.
#include <atomic>
#include <thread>

#include "../../kernels/thread_pool.h"
#include "op_calls.h"

namespace sampled_compat {
namespace {

using Bytes = std::vector<unsigned char>;

void CheckSideBySide(TF_DataType type) {
  const OpCalls calls(type);
  SetThreads(1);
  std::vector<Bytes> wanted;
  for (const OpCall& call : calls.calls()) wanted.push_back(Results(call, call.Run()));
  std::atomic<int> different{0};
  std::vector<std::thread> callers;
  for (size_t caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      for (size_t i = 0; i < 2 * wanted.size(); ++i) {
        const size_t at = (i + caller * 5) % wanted.size();
        const OpCall& call = calls.calls()[at];
        SetThreads(1 + (i + caller) % 4);
        different += Results(call, call.Run()) != wanted[at];
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK_THAT(different == 0, "%d calls gave other bits", different.load());
}

// One kernel, as a graph has it, run by several threads at once.
void CheckSharedKernel() {
  const OpCalls calls(TF_FLOAT);
  SetThreads(3);
  for (const OpCall& call : calls.calls()) {
    const Kernel kernel(call.op, call.attributes);
    const Bytes wanted = Results(call, kernel.Run(call.inputs));
    std::atomic<int> different{0};
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 3; ++caller) {
      callers.emplace_back([&] { different += Results(call, kernel.Run(call.inputs)) != wanted; });
    }
    for (std::thread& caller : callers) caller.join();
    CHECK_THAT(different == 0, "%s: %d calls gave other bits", call.op.c_str(), different.load());
  }
}

}  // namespace
}  // namespace sampled_compat

int main() {
  using namespace sampled_compat;
  for (const TF_DataType type : {TF_FLOAT, TF_DOUBLE, TF_HALF, TF_BFLOAT16}) CheckSideBySide(type);
  CheckSharedKernel();
  return Report("glue_threads_test");
}
