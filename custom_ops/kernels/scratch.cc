#include "scratch.h"

#include <pthread.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <stdexcept>

namespace sampled_compat {
namespace {

constexpr size_t kHeader = 64;  // Holds the block's size, and keeps the block aligned.
constexpr size_t kHugePage = size_t{2} << 20;

#ifndef __has_feature  // GCC has none, and defines __SANITIZE_ADDRESS__.
#define __has_feature(feature) 0
#endif

// Not under the address sanitizer, which would miss an overrun into the rest of a larger block.
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
constexpr bool kKeepsIdleBlocks = false;
#else
constexpr bool kKeepsIdleBlocks = true;
#endif

struct Idle {
  void* block;
  size_t bytes;
};

struct IdleBlocks {
  std::mutex mutex;
  Vector<Idle> blocks;  // The longest idle first.
  size_t bytes = 0;
};

// Never destroyed, because blocks are released until the process ends. Locked across a fork, so
// that the child never finds it locked by a thread that does not exist there.
IdleBlocks& Idles() {
  alignas(IdleBlocks) static char memory[sizeof(IdleBlocks)];
  static IdleBlocks* const idles = [] {
    if (pthread_atfork([] { Idles().mutex.lock(); }, [] { Idles().mutex.unlock(); },
                       [] { Idles().mutex.unlock(); }) != 0) {
      throw OutOfMemory(sizeof(IdleBlocks));
    }
    return new (memory) IdleBlocks;
  }();
  return *idles;
}

std::atomic<bool> poison{false};

void* HandOut(void* block, size_t bytes) {
  void* const memory = static_cast<char*>(block) + kHeader;
  if (poison.load(std::memory_order_relaxed)) std::memset(memory, 0xff, bytes - kHeader);
  return memory;
}

size_t& SizeOf(void* block) { return *static_cast<size_t*>(block); }

void* NewBlock(size_t bytes) {
  const bool huge = bytes >= 2 * kHugePage;
  const size_t alignment = huge ? kHugePage : size_t{64};
  const size_t rounded = kKeepsIdleBlocks ? (bytes + alignment - 1) / alignment * alignment : bytes;
  void* block = nullptr;
  if (posix_memalign(&block, alignment, rounded) != 0) throw OutOfMemory(bytes);
#ifdef MADV_HUGEPAGE
  if (huge) madvise(block, rounded, MADV_HUGEPAGE);
#endif
  SizeOf(block) = rounded;
  return block;
}

// The smallest idle block that fits, or null. One that is much too large stays: another caller may
// need it.
void* TakeIdle(size_t bytes) {
  IdleBlocks& idles = Idles();
  std::lock_guard<std::mutex> lock(idles.mutex);
  auto best = idles.blocks.end();
  for (auto it = idles.blocks.begin(); it != idles.blocks.end(); ++it) {
    if (it->bytes < bytes || it->bytes > 2 * bytes + kHugePage) continue;
    if (best == idles.blocks.end() || it->bytes < best->bytes) best = it;
  }
  if (best == idles.blocks.end()) return nullptr;
  void* block = best->block;
  idles.bytes -= best->bytes;
  idles.blocks.erase(best);
  return block;
}

// Keeps the block. Returns false if there is no memory for its entry in the list.
bool KeepIdle(void* block) noexcept {
  try {
    IdleBlocks& idles = Idles();
    std::lock_guard<std::mutex> lock(idles.mutex);
    idles.blocks.push_back({block, SizeOf(block)});
    idles.bytes += SizeOf(block);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

// Takes the block that has been idle the longest off the list if the list holds too much. Returns
// null otherwise.
void* TakeSurplus() {
  IdleBlocks& idles = Idles();
  std::lock_guard<std::mutex> lock(idles.mutex);
  if (idles.bytes <= kMaxIdleScratch) return nullptr;
  void* block = idles.blocks.front().block;
  idles.bytes -= idles.blocks.front().bytes;
  idles.blocks.erase(idles.blocks.begin());
  return block;
}

}  // namespace

void* AcquireScratch(size_t bytes) {
  if (bytes > kMostBytes) throw OutOfMemory(bytes);
  bytes += kHeader;
  void* block = kKeepsIdleBlocks ? TakeIdle(bytes) : nullptr;
  return HandOut(block != nullptr ? block : NewBlock(bytes), bytes);
}

void PoisonScratch() { poison.store(true); }

void ReleaseScratch(void* memory) noexcept {
  if (memory == nullptr) return;
  void* block = static_cast<char*>(memory) - kHeader;
  if (!kKeepsIdleBlocks || !KeepIdle(block)) return std::free(block);
  // Outside the lock, because to free a large block takes long.
  while (void* surplus = TakeSurplus()) std::free(surplus);
}

Workspace::~Workspace() {
  ReleaseScratch(block_);
  for (void* block : blocks_) ReleaseScratch(block);
}

void Workspace::Allocate() {
  if (kKeepsIdleBlocks) block_ = AcquireScratch(added_);
}

void* Workspace::TakeBytes(size_t bytes) {
  const size_t start = taken_;
  taken_ += RoundUp(bytes);
  if (taken_ > added_) throw std::logic_error("a workspace was asked for more than was added");
  if (kKeepsIdleBlocks) return static_cast<char*>(block_) + start;
  blocks_.push_back(nullptr);
  return blocks_.back() = AcquireScratch(bytes);
}

}  // namespace sampled_compat
