// Memory that one training step leaves to the next.
//
// Every training step needs the same large blocks. If they went back to the system, it would map
// and zero each page again. For 32 MiB that takes as long as the arithmetic of a small step. So
// idle blocks are kept, up to a limit.
#ifndef SAMPLED_COMPAT_KERNELS_SCRATCH_H_
#define SAMPLED_COMPAT_KERNELS_SCRATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>

namespace sampled_compat {

// The limit of idle memory, in bytes.
constexpr size_t kMaxIdleScratch = size_t{80} << 20;

// Returns uninitialised memory, aligned to 64 bytes, or null if there is not enough.
void* AcquireScratch(size_t bytes);
// REQUIRES: `block` came from AcquireScratch, or is null.
void ReleaseScratch(void* block);

// For tests: from now on fills every block with NaN before it is handed out.
void PoisonScratch();

// A block cut into arrays. Add all sizes first, then Allocate, then take the arrays in that order.
class Workspace {
 public:
  ~Workspace() { ReleaseScratch(block_); }
  Workspace() = default;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  template <typename T>
  void Add(int64_t count) {
    bytes_ += RoundUp(count * sizeof(T));
  }
  bool Allocate() { return (block_ = AcquireScratch(bytes_ + 64)) != nullptr; }
  template <typename T>
  T* Take(int64_t count) {
    char* start = static_cast<char*>(block_) + taken_;
    taken_ += RoundUp(count * sizeof(T));
    return reinterpret_cast<T*>(start);
  }

 private:
  static size_t RoundUp(size_t bytes) { return (bytes + 63) / 64 * 64; }
  void* block_ = nullptr;
  size_t bytes_ = 0;
  size_t taken_ = 0;
};

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_SCRATCH_H_
