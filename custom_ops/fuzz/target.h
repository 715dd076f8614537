// A fuzz target is a function that makes a problem from bytes, runs it, and aborts if the result is
// wrong:
//
//   FUZZ_TARGET(plan) { ... bytes->Int(0, 40) ... REQUIRE(x == y, "x is %ld", x); }
//
// It is built twice: for libFuzzer, which looks for bytes that fail (fuzz.cc), and for a replay of
// the kept ones by any compiler (replay.cc).
#ifndef SAMPLED_COMPAT_FUZZ_TARGET_H_
#define SAMPLED_COMPAT_FUZZ_TARGET_H_

#include <cstdio>
#include <cstdlib>

#include "bytes.h"

namespace sampled_compat {

struct Target {
  const char* name;
  void (*attempt)(Bytes* bytes);
  Target* next;
};

// The linked targets, as a list.
inline Target*& Targets() {
  static Target* first = nullptr;
  return first;
}

// Runs the target on an input, after it has set the number of threads.
void RunTarget(const Target& target, const uint8_t* data, size_t size);

#define FUZZ_TARGET(name)                                                                 \
  void Attempt_##name(::sampled_compat::Bytes* bytes);                                    \
  static ::sampled_compat::Target target_##name = {#name, Attempt_##name, nullptr};       \
  static const bool listed_##name = (target_##name.next = ::sampled_compat::Targets(),    \
                                     ::sampled_compat::Targets() = &target_##name, true); \
  void Attempt_##name(::sampled_compat::Bytes* bytes)

#define REQUIRE(condition, ...)                                                     \
  do {                                                                              \
    if (!(condition)) {                                                             \
      std::fprintf(stderr, "%s:%d: %s is false: ", __FILE__, __LINE__, #condition); \
      std::fprintf(stderr, __VA_ARGS__);                                            \
      std::fprintf(stderr, "\n");                                                   \
      std::abort();                                                                 \
    }                                                                               \
  } while (0)

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_FUZZ_TARGET_H_
