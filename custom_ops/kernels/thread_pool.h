// The process's one pool of worker threads.
//
// TensorFlow's C API lends no threads, so the kernels bring their own. Work is cut into tasks by
// the shapes alone and each task writes what no other writes: which thread runs which task, and how
// many threads there are, never shows in a result.
#ifndef SAMPLED_COMPAT_KERNELS_THREAD_POOL_H_
#define SAMPLED_COMPAT_KERNELS_THREAD_POOL_H_

#include <cstdint>

namespace sampled_compat {

// How many threads ParallelFor may use, the caller included; below 1 restores the default, the
// number of CPUs. Takes effect with the next ParallelFor.
void SetThreads(int threads);
int Threads();

namespace internal {
void ParallelFor(int64_t tasks, void (*call)(const void*, int64_t), const void* f);
}  // namespace internal

// Calls f(0), ..., f(tasks - 1), each once, in any order, and returns when all have returned. The
// caller works too, so a call makes progress even where every worker is busy, and calls may nest.
// Within f denormal numbers count as zero and become zero, on every thread alike: TensorFlow sets
// its own threads so, and a number must not depend on which thread computed it.
// In the child of a fork new workers are started.
// REQUIRES: f throws nothing.
template <typename F>
void ParallelFor(int64_t tasks, const F& f) {
  internal::ParallelFor(
      tasks, [](const void* g, int64_t i) { (*static_cast<const F*>(g))(i); }, &f);
}

// While it lives, and if `small`, ParallelFor on this thread uses this thread alone: waking a
// worker takes longer than a few microseconds of work. Changes no result.
class SmallWork {
 public:
  explicit SmallWork(bool small);
  ~SmallWork();
  SmallWork(const SmallWork&) = delete;
  SmallWork& operator=(const SmallWork&) = delete;

 private:
  const bool before_;
};

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_THREAD_POOL_H_
