// Memory that one training step leaves to the next.
//
// Every training step needs the same large blocks. If they went back to the system, it would map
// and zero each page again. For 32 MiB that takes as long as the arithmetic of a small step. So
// idle blocks are kept, up to a limit.
#ifndef SAMPLED_COMPAT_KERNELS_SCRATCH_H_
#define SAMPLED_COMPAT_KERNELS_SCRATCH_H_

#include "memory.h"

namespace sampled_compat {

// The limit of idle memory, in bytes.
constexpr size_t kMaxIdleScratch = size_t{80} << 20;

// Returns uninitialised memory, aligned to 64 bytes, or throws OutOfMemory.
void* AcquireScratch(size_t bytes);
// REQUIRES: `block` came from AcquireScratch, or is null.
void ReleaseScratch(void* block) noexcept;

// For tests: from now on fills every block with NaN before it is handed out.
void PoisonScratch();

// A block cut into arrays. Add all sizes first, then Allocate, then take the arrays in that order.
// Under the address sanitizer each array is a block of its own, so that it sees every overrun.
class Workspace {
 public:
  Workspace() = default;
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  template <typename T>
  void Add(int64_t count) {
    added_ += RoundUp(ArrayBytes(count, sizeof(T)));
  }
  // Throws OutOfMemory.
  void Allocate();
  // Throws std::logic_error if more is taken than was added.
  template <typename T>
  T* Take(int64_t count) {
    return static_cast<T*>(TakeBytes(ArrayBytes(count, sizeof(T))));
  }

 private:
  static size_t RoundUp(size_t bytes) { return (bytes + 63) / 64 * 64; }
  void* TakeBytes(size_t bytes);

  void* block_ = nullptr;
  Vector<void*> blocks_;  // Under the address sanitizer.
  size_t added_ = 0;
  size_t taken_ = 0;
};

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_SCRATCH_H_
