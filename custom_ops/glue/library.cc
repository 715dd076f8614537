// The shared library's interface: ops, which it registers when it is loaded, and three C functions.
#include <cstdio>
#include <exception>

#include "../kernels/simd.h"
#include "../kernels/thread_pool.h"
#include "barrier.h"
#include "op_definition.h"

#define SAMPLED_COMPAT_EXPORT extern "C" __attribute__((visibility("default")))

// Sets how many threads the kernels may use; a value below 1 means the number of CPUs. TensorFlow's
// C API does not give its own setting, so the caller that loads the library passes it on.
SAMPLED_COMPAT_EXPORT void SampledCompatSetNumThreads(int threads) {
  sampled_compat::SetThreads(threads);
}

// Counts the changes of the ops' interface that a caller can notice. The Python side states the one
// that it was written for, in core/backends/library.py.
SAMPLED_COMPAT_EXPORT int SampledCompatInterfaceVersion() { return 7; }

// "avx512", "avx2" or "baseline".
SAMPLED_COMPAT_EXPORT const char* SampledCompatInstructionSet() {
  return sampled_compat::kInstructionSet;
}

namespace {

// tf.load_op_library takes over the ops that are registered while the library is being opened.
void RegisterAll() {
  sampled_compat::PrepareBarrier();
  sampled_compat::RegisterValues();
  sampled_compat::RegisterPlan();
  sampled_compat::RegisterDraws();
  sampled_compat::RegisterSampledLoss();
  sampled_compat::RegisterSampledTerms();
  sampled_compat::RegisterTapas();
  sampled_compat::RegisterFull();
}

__attribute__((constructor)) void Load() {
  try {
    RegisterAll();
  } catch (const std::exception& error) {
    // While a library loads, no caller can receive an error. Ops will be missing.
    std::fprintf(stderr, "SampledCompat: its ops could not be registered: %s\n", error.what());
  }
}

}  // namespace
