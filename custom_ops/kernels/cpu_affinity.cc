#include "cpu_affinity.h"

#include <cstdlib>
#include <cstring>

#ifdef __linux__
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace sampled_compat {

bool MayChangeAffinity() {
  static const bool may = [] {
    const char* const keep = std::getenv("TF_SAMPLED_COMPAT_KEEP_AFFINITY");
    return keep == nullptr || std::strcmp(keep, "1") != 0;
  }();
  return may;
}

#ifdef __linux__

int CurrentCpu() { return sched_getcpu(); }

int ThreadId() { return static_cast<int>(syscall(SYS_gettid)); }

bool KeepOff(int thread, int cpu) {
  if (cpu < 0 || !MayChangeAffinity()) return false;
  cpu_set_t others;
  if (sched_getaffinity(0, sizeof(others), &others) != 0) return false;
  CPU_CLR(cpu, &others);
  if (CPU_COUNT(&others) == 0) return false;
  return sched_setaffinity(thread, sizeof(others), &others) == 0;
}

#else

int CurrentCpu() { return -1; }
int ThreadId() { return 0; }
bool KeepOff(int, int) { return false; }

#endif

}  // namespace sampled_compat
