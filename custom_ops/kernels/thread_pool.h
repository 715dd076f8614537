// The process's one pool of worker threads.
//
// TensorFlow's C API gives no access to its threads, so the kernels have their own. The shapes
// alone decide how work is cut into tasks, and no two tasks write the same number. So results never
// depend on the number of threads or on which thread runs which task.
#ifndef SAMPLED_COMPAT_KERNELS_THREAD_POOL_H_
#define SAMPLED_COMPAT_KERNELS_THREAD_POOL_H_

#include <cstdint>

namespace sampled_compat {

// Sets how many threads ParallelFor may use, the caller included. A value below 1 restores the
// default, the number of CPUs. Takes effect with the next ParallelFor.
void SetThreads(int threads);
int Threads();

namespace internal {
void ParallelFor(int64_t tasks, void (*call)(const void*, int64_t), const void* f);
}  // namespace internal

// Calls f(0), ..., f(tasks - 1), each once, in any order, and returns when all have returned. The
// caller works too, so a call makes progress even if every worker is busy, and calls may nest.
// Within f, denormal numbers are treated as zero and flushed to zero, on every thread. TensorFlow
// configures its threads so, and a number must not depend on which thread computed it.
// The child of a fork starts new workers. What an f throws first is thrown to the caller (anything
// but a lack of memory as a std::runtime_error), after every call that had begun has returned.
// Calls that had not begun are left out.
template <typename F>
void ParallelFor(int64_t tasks, const F& f) {
  internal::ParallelFor(
      tasks, [](const void* g, int64_t i) { (*static_cast<const F*>(g))(i); }, &f);
}

// While this object lives, and if `small`, ParallelFor uses the calling thread alone: waking a
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
