// The pool under nested and concurrent use, across a fork and at exit; the scratch; conversions.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>

#include "../convert.h"
#include "../scratch.h"
#include "../thread_pool.h"
#include "check.h"

namespace sampled_compat {
namespace {

void CheckEachTaskOnce(int64_t tasks) {
  std::vector<std::atomic<int>> calls(tasks);
  ParallelFor(tasks, [&](int64_t i) { ++calls[i]; });
  for (int64_t i = 0; i < tasks; ++i)
    CHECK_THAT(calls[i] == 1, "task %ld ran %d times", i, calls[i].load());
}

// Two tasks that wait for each other: one thread alone would never finish.
void CheckSideBySide() {
  std::atomic<int> arrived{0};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  ParallelFor(2, [&](int64_t) {
    ++arrived;
    while (arrived < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  });
  CHECK_THAT(std::chrono::steady_clock::now() < deadline, "the tasks ran one after the other");
}

void CheckNestedAndConcurrent() {
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 50; ++repeat) {
        ParallelFor(5, [&](int64_t) { ParallelFor(7, [&](int64_t i) { sum += i; }); });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK_THAT(sum == 4 * 50 * 5 * 21, "sum %ld", sum.load());
}

// The caller gets what a task threw, on whichever thread, and the pool goes on.
void CheckThrownTasks() {
  for (const int threads : {1, 2, 16}) {
    SetThreads(threads);
    for (int repeat = 0; repeat < 50; ++repeat) {
      std::string caught;
      try {
        ParallelFor(64, [&](int64_t i) {
          if (i >= 20 + repeat % 3) throw std::logic_error("task");
        });
      } catch (const std::exception& error) {
        caught = error.what();
      }
      CHECK_THAT(caught == "task", "caught '%s'", caught.c_str());
    }
    size_t bytes = 0;
    try {
      ParallelFor(64, [](int64_t) { throw OutOfMemory(12345); });
    } catch (const OutOfMemory& error) {
      bytes = error.bytes();
    }
    CHECK_THAT(bytes == 12345, "%zu bytes", bytes);
    CheckEachTaskOnce(100);
  }
}

// Sizes that no memory has, and arrays beyond those that were added.
void CheckRefusedSizes() {
  const auto refused = [](const auto& call) {
    try {
      call();
    } catch (const OutOfMemory&) {
      return true;
    }
    return false;
  };
  for (const int64_t count : {int64_t{-1}, int64_t{1} << 46, int64_t{1} << 62}) {
    CHECK_THAT(refused([&] { Workspace().Add<double>(count); }), "%ld numbers", count);
  }
  CHECK_THAT(refused([] { AcquireScratch(size_t{1} << 50); }), "2^50 bytes");
  Workspace workspace;
  workspace.Add<float>(8);
  workspace.Allocate();
  workspace.Take<float>(8);
  bool noticed = false;
  try {
    workspace.Take<float>(1);
  } catch (const std::logic_error&) {
    noticed = true;
  }
  CHECK_THAT(noticed, "took more than was added");
}

// Denormals are zero in every task and unchanged afterwards.
void CheckDenormals() {
  volatile float smallest = std::numeric_limits<float>::min();
  std::vector<float> halves(1000, 1.0f);
  ParallelFor(halves.size(), [&](int64_t i) { halves[i] = smallest * 0.5f; });
  for (const float half : halves) CHECK_THAT(half == 0, "%g", half);
  CHECK_THAT(smallest * 0.5f > 0, "not restored");
}

[[maybe_unused]] void CheckFork() {
  const pid_t child = fork();
  if (child == 0) {
    // A hang in the child then fails the test instead of hanging it.
    alarm(20);
    ReleaseScratch(AcquireScratch(1000));
    CheckEachTaskOnce(1000);
    CheckSideBySide();
    _exit(Failures() == 0 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK_THAT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child's status %d", status);
  CheckEachTaskOnce(1000);
  CheckSideBySide();
}

void CheckScratch() {
  void* const block = AcquireScratch(10 << 20);
  CHECK_THAT(reinterpret_cast<uintptr_t>(block) % 64 == 0, "aligned");
  std::memset(block, 1, 10 << 20);
  ReleaseScratch(block);
  void* const again = AcquireScratch(10 << 20);
#ifndef __SANITIZE_ADDRESS__  // Under it no block is kept.
  CHECK_THAT(again == block, "the block was not found again");
#endif
  ReleaseScratch(again);
  ReleaseScratch(nullptr);
}

// Every half and bfloat16 survives conversion to float and back. Values in between round to
// nearest.
void CheckConversions() {
  for (const FloatType type : {FloatType::kHalf, FloatType::kBfloat16}) {
    std::vector<uint16_t> bits(65536), back(65536);
    for (int i = 0; i < 65536; ++i) bits[i] = static_cast<uint16_t>(i);
    std::vector<float> wide(65536);
    std::vector<double> wider(65536);
    ConvertFrom<float>(type, bits.data(), 65536, wide.data());
    ConvertFrom<double>(type, bits.data(), 65536, wider.data());
    ConvertTo<float>(type, wide.data(), 65536, back.data());
    for (int i = 0; i < 65536; ++i) {
      if (std::isnan(wide[i])) continue;
      CHECK_THAT(back[i] == bits[i], "%04x came back as %04x", bits[i], back[i]);
      // Conversion to double flushes a float's denormals, like all arithmetic in a task.
      if (std::fpclassify(wide[i]) == FP_SUBNORMAL) continue;
      CHECK_THAT(wider[i] == wide[i], "%04x", bits[i]);
    }
    const int one = type == FloatType::kHalf ? 0x3c00 : 0x3f80;
    const float low = wide[one], high = wide[one + 1], next = wide[one + 2];
    const float between[] = {(low + high) / 2,
                             (high + next) / 2,
                             std::nextafter((low + high) / 2, 2.0f),
                             std::numeric_limits<float>::quiet_NaN(),
                             1e38f,
                             -1e-30f};
    uint16_t rounded[6];
    ConvertTo<float>(type, between, 6, rounded);
    CHECK_THAT(rounded[0] == one, "ties go to even: %04x", rounded[0]);
    CHECK_THAT(rounded[1] == one + 2, "ties go to even: %04x", rounded[1]);
    CHECK_THAT(rounded[2] == one + 1, "%04x", rounded[2]);
    float out[6];
    ConvertFrom<float>(type, rounded, 6, out);
    CHECK_THAT(std::isnan(out[3]), "NaN became %g", out[3]);
    CHECK_THAT(type == FloatType::kBfloat16 || std::isinf(out[4]), "1e38 became %g", out[4]);
    CHECK_THAT(std::fabs(out[5]) < 1e-29f && std::signbit(out[5]), "-1e-30 became %g", out[5]);
  }
  // A denormal half, 3 * 2^-24, plus a quarter of the step to the next one.
  const float x = 3.25f / 16777216;
  uint16_t half;
  ConvertTo<float>(FloatType::kHalf, &x, 1, &half);
  CHECK_THAT(half == 3, "%04x", half);
}

}  // namespace
}  // namespace sampled_compat

int main() {
  using namespace sampled_compat;
  for (const int threads : {1, 2, 5, 16}) {
    SetThreads(threads);
    CHECK_THAT(Threads() == threads, "%d", Threads());
    for (const int64_t tasks : {0, 1, 2, 3, 1000}) CheckEachTaskOnce(tasks);
    CheckNestedAndConcurrent();
    CheckDenormals();
  }
  SetThreads(0);
  CHECK_THAT(Threads() >= 1, "%d", Threads());
  SetThreads(4);
#ifndef __SANITIZE_THREAD__
  CheckFork();  // The thread sanitizer itself does not follow threads into a child.
#endif
  CheckThrownTasks();
  CheckRefusedSizes();
  CheckScratch();
  CheckConversions();
  return Report("threads_test");
}
