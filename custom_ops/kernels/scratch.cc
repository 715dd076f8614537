#include "scratch.h"

#include <pthread.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

namespace sampled_compat {
namespace {

constexpr size_t kHeader = 64;  // Holds the block's size, and keeps the block aligned.
constexpr size_t kHugePage = size_t{2} << 20;

struct Idle {
  void* block;
  size_t bytes;
};

struct IdleBlocks {
  std::mutex mutex;
  std::vector<Idle> blocks;  // The longest idle first.
  size_t bytes = 0;
};

// Never destroyed, because blocks are released until the process ends. Locked across a fork, so
// that the child never finds it locked by a thread that does not exist there.
IdleBlocks& Idles() {
  static IdleBlocks* const idles = [] {
    pthread_atfork([] { Idles().mutex.lock(); }, [] { Idles().mutex.unlock(); },
                   [] { Idles().mutex.unlock(); });
    return new IdleBlocks;
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
  bytes = (bytes + alignment - 1) / alignment * alignment;
  void* block = std::aligned_alloc(alignment, bytes);
  if (block == nullptr) return nullptr;
#ifdef MADV_HUGEPAGE
  if (huge) madvise(block, bytes, MADV_HUGEPAGE);
#endif
  SizeOf(block) = bytes;
  return block;
}

}  // namespace

void* AcquireScratch(size_t bytes) {
  bytes += kHeader;
  IdleBlocks& idles = Idles();
  {
    std::lock_guard<std::mutex> lock(idles.mutex);
    // Take the smallest that fits, unless it is much too large: another caller may need it.
    auto best = idles.blocks.end();
    for (auto it = idles.blocks.begin(); it != idles.blocks.end(); ++it) {
      if (it->bytes < bytes || it->bytes > 2 * bytes + kHugePage) continue;
      if (best == idles.blocks.end() || it->bytes < best->bytes) best = it;
    }
    if (best != idles.blocks.end()) {
      void* block = best->block;
      idles.bytes -= best->bytes;
      idles.blocks.erase(best);
      return HandOut(block, bytes);
    }
  }
  void* block = NewBlock(bytes);
  return block == nullptr ? nullptr : HandOut(block, bytes);
}

void PoisonScratch() { poison.store(true); }

void ReleaseScratch(void* memory) {
  if (memory == nullptr) return;
  void* block = static_cast<char*>(memory) - kHeader;
  std::vector<Idle> evicted;
  {
    IdleBlocks& idles = Idles();
    std::lock_guard<std::mutex> lock(idles.mutex);
    idles.blocks.push_back({block, SizeOf(block)});
    idles.bytes += SizeOf(block);
    while (idles.bytes > kMaxIdleScratch) {
      idles.bytes -= idles.blocks.front().bytes;
      evicted.push_back(idles.blocks.front());
      idles.blocks.erase(idles.blocks.begin());
    }
  }
  for (const Idle& idle : evicted) std::free(idle.block);
}

}  // namespace sampled_compat
