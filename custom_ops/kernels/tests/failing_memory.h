// Lets the n-th request for memory of a test fail. Include it in one file of a test; the Makefile
// links tests with names in *memory_test so that the functions below stand before the real ones.
//
// Counted are operator new, posix_memalign, pthread_atfork (which needs memory too) and the start
// of a thread. The sanitizers still see every block, because these functions call the real ones.
#ifndef SAMPLED_COMPAT_KERNELS_TESTS_FAILING_MEMORY_H_
#define SAMPLED_COMPAT_KERNELS_TESTS_FAILING_MEMORY_H_

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <system_error>
#include <thread>

namespace sampled_compat {

// After the n-th request has failed, memory is there again, or never again.
enum class Lack { kOnce, kFromThenOn };

// While this object lives, the request number `n`, from 0 on, fails on whichever thread it is made.
class FailingMemory {
 public:
  FailingMemory(int64_t n, Lack lack) {
    first_ = n;
    last_ = lack == Lack::kOnce ? n : INT64_MAX;
    requests_ = 0;
    counts_ = true;
  }
  ~FailingMemory() { counts_ = false; }
  FailingMemory(const FailingMemory&) = delete;
  FailingMemory& operator=(const FailingMemory&) = delete;

  // Whether a request has failed.
  bool Failed() const { return requests_ > first_; }

  // Requests made while spared() never fail.
  static void Spare(bool (*spared)()) { spared_ = spared; }

  static bool NextFails() {
    if (!counts_ || (spared_ != nullptr && spared_())) return false;
    const int64_t request = requests_.fetch_add(1);
    return request >= first_ && request <= last_;
  }

  // The number of blocks that operator new has handed out and that live.
  static std::atomic<int64_t>& LiveBlocks() { return live_blocks_; }

 private:
  static inline bool (*spared_)() = nullptr;
  static inline std::atomic<bool> counts_{false};
  static inline std::atomic<int64_t> first_{0}, last_{0}, requests_{0}, live_blocks_{0};
};

inline void* NewBlockOrNull(std::size_t size) {
  void* const block = FailingMemory::NextFails() ? nullptr : std::malloc(size > 0 ? size : 1);
  if (block != nullptr) ++FailingMemory::LiveBlocks();
  return block;
}

inline void* NewBlockOrThrow(std::size_t size) {
  void* const block = NewBlockOrNull(size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

inline void DeleteBlock(void* block) {
  if (block != nullptr) --FailingMemory::LiveBlocks();
  std::free(block);
}

}  // namespace sampled_compat

void* operator new(std::size_t size) { return sampled_compat::NewBlockOrThrow(size); }
void* operator new[](std::size_t size) { return sampled_compat::NewBlockOrThrow(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return sampled_compat::NewBlockOrNull(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return sampled_compat::NewBlockOrNull(size);
}
void operator delete(void* block) noexcept { sampled_compat::DeleteBlock(block); }
void operator delete[](void* block) noexcept { sampled_compat::DeleteBlock(block); }
void operator delete(void* block, std::size_t) noexcept { sampled_compat::DeleteBlock(block); }
void operator delete[](void* block, std::size_t) noexcept { sampled_compat::DeleteBlock(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept {
  sampled_compat::DeleteBlock(block);
}
void operator delete[](void* block, const std::nothrow_t&) noexcept {
  sampled_compat::DeleteBlock(block);
}

// The linker's option --wrap=NAME lets the kernels' calls of NAME arrive at __wrap_NAME.
extern "C" {

int __real_posix_memalign(void** block, std::size_t alignment, std::size_t size);
int __wrap_posix_memalign(void** block, std::size_t alignment, std::size_t size) {
  if (sampled_compat::FailingMemory::NextFails()) return ENOMEM;
  return __real_posix_memalign(block, alignment, size);
}

int __real_pthread_atfork(void (*prepare)(), void (*parent)(), void (*child)());
int __wrap_pthread_atfork(void (*prepare)(), void (*parent)(), void (*child)()) {
  if (sampled_compat::FailingMemory::NextFails()) return ENOMEM;
  return __real_pthread_atfork(prepare, parent, child);
}

// std::thread::_M_start_thread, which the constructor of std::thread calls.
#define SAMPLED_COMPAT_START_THREAD \
  _ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE
#define SAMPLED_COMPAT_JOIN_AGAIN(prefix, name) prefix##name
#define SAMPLED_COMPAT_JOIN(prefix, name) SAMPLED_COMPAT_JOIN_AGAIN(prefix, name)

void SAMPLED_COMPAT_JOIN(__real_, SAMPLED_COMPAT_START_THREAD)(std::thread* thread,
                                                               std::thread::_State_ptr state,
                                                               void (*depend)());
void SAMPLED_COMPAT_JOIN(__wrap_, SAMPLED_COMPAT_START_THREAD)(std::thread* thread,
                                                               std::thread::_State_ptr state,
                                                               void (*depend)()) {
  if (sampled_compat::FailingMemory::NextFails()) {
    throw std::system_error(EAGAIN, std::generic_category());
  }
  SAMPLED_COMPAT_JOIN(__real_, SAMPLED_COMPAT_START_THREAD)(thread, std::move(state), depend);
}

}  // extern "C"

#endif  // SAMPLED_COMPAT_KERNELS_TESTS_FAILING_MEMORY_H_
