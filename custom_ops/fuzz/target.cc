#include "target.h"

#include <new>

#include "../kernels/scratch.h"
#include "../kernels/thread_pool.h"

extern "C" int __asan_address_is_poisoned(void const volatile* address);

// The address sanitizer's own `new` ends the process where memory is missing. The library's way of
// such a failure is to be tried too.
void* operator new(size_t size) {
  void* const block = std::malloc(size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, size_t) noexcept { std::free(block); }

// libFuzzer takes memory by a `new` that is not replaced here, and frees it by one that is.
extern "C" const char* __asan_default_options() {
  return "allocator_may_return_null=1:max_allocation_size_mb=256:alloc_dealloc_mismatch=0";
}

namespace sampled_compat {
namespace {

// An overrun of one array of a workspace must not land in the next.
void CheckThatArraysAreApart() {
  Workspace workspace;
  workspace.Add<char>(3);
  workspace.Add<char>(3);
  workspace.Allocate();
  char* const first = workspace.Take<char>(3);
  workspace.Take<char>(3);
  REQUIRE(__asan_address_is_poisoned(first + 3) && !__asan_address_is_poisoned(first + 2),
          "each array of a workspace must be a block of its own");
}

}  // namespace

void RunTarget(const Target& target, const uint8_t* data, size_t size) {
  static const bool ready = [] {
    PoisonScratch();
    CheckThatArraysAreApart();
    return true;
  }();
  (void)ready;
  Bytes bytes(data, size);
  SetThreads(static_cast<int>(bytes.Int(1, 3)));
  target.attempt(&bytes);
}

}  // namespace sampled_compat
