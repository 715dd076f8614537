#include "thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "cpu_affinity.h"
#include "scratch.h"

namespace sampled_compat {
namespace {

// How often an idle worker looks for work before it sleeps. The phases of one kernel follow each
// other within microseconds, and waking a worker takes as long as a small phase.
constexpr int kSpins = 2000;

// Makes the thread treat denormals as zero while this object lives.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : saved_(__builtin_ia32_stmxcsr()) {
    __builtin_ia32_ldmxcsr(saved_ | kFlushToZero | kDenormalsAreZero);
  }
  ~FlushDenormals() { __builtin_ia32_ldmxcsr(saved_); }

 private:
  static constexpr unsigned kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040;
  const unsigned saved_;
#endif
};

// std::condition_variable::wait needs a recent libstdc++; POSIX's works everywhere.
class Condition {
 public:
  void Wait(std::unique_lock<std::mutex>* lock) {
    pthread_cond_wait(&condition_, lock->mutex()->native_handle());
  }
  void NotifyOne() { pthread_cond_signal(&condition_); }
  void NotifyAll() { pthread_cond_broadcast(&condition_); }

 private:
  pthread_cond_t condition_ = PTHREAD_COND_INITIALIZER;
};

// What a call threw, kept so that another thread can throw it. (A std::exception_ptr would need the
// C++ library of GCC 11, which the systems that TensorFlow runs on may not have.)
class Thrown {
 public:
  // REQUIRES: an exception is being handled.
  void Keep() noexcept {
    try {
      throw;
    } catch (const OutOfMemory& error) {
      kind_ = Kind::kMemory;
      bytes_ = error.bytes();
    } catch (const std::bad_alloc&) {
      kind_ = Kind::kMemory;
    } catch (const std::exception& error) {
      kind_ = Kind::kOther;
      std::snprintf(what_, sizeof(what_), "%s", error.what());
    } catch (...) {
      kind_ = Kind::kOther;
    }
  }
  void ThrowIfKept() const {
    if (kind_ == Kind::kMemory && bytes_ > 0) throw OutOfMemory(bytes_);
    if (kind_ == Kind::kMemory) throw std::bad_alloc();
    if (kind_ == Kind::kOther) throw std::runtime_error(what_);
  }

 private:
  enum class Kind { kNothing, kMemory, kOther };
  Kind kind_ = Kind::kNothing;
  size_t bytes_ = 0;
  char what_[256] = "unknown error";
};

struct Job {
  void (*call)(const void*, int64_t);
  const void* f;
  int64_t tasks;
  std::atomic<int64_t> next{0};
  // The number of workers inside this job. It grows only under the pool's mutex. So no worker can
  // enter after the job's owner has taken the job off the list.
  std::atomic<int> workers{0};
  int max_workers;
  // What a call threw first. The caller reads it after all workers have left.
  std::atomic<bool> failed{false};
  Thrown thrown;

  void Work() noexcept {
    const FlushDenormals flush;
    try {
      for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) call(f, i);
    } catch (...) {
      if (!failed.exchange(true)) thrown.Keep();
      next.store(tasks, std::memory_order_relaxed);  // No further call begins.
    }
  }
  bool Open() const {
    return next.load(std::memory_order_relaxed) < tasks && workers.load() < max_workers;
  }
};

// A sleeping worker, and the CPU that it was last told to avoid.
//
// Linux may wake a thread on the CPU of the thread that wakes it. In a virtual machine it often
// does, because a halted CPU looks busy there. The worker then waits for milliseconds behind the
// work that it should share. So the caller first excludes its own CPU for the worker, and then
// wakes it. A program can forbid this; see MayChangeAffinity.
struct Sleeper {
  const int thread = ThreadId();
  int avoids = -1;
  bool asleep = false;
  Condition woken;

  void Sleep(std::unique_lock<std::mutex>* lock) {
    asleep = true;
    while (asleep) woken.Wait(lock);
  }

  void Wake(int callers_cpu) {
    if (callers_cpu != avoids && KeepOff(thread, callers_cpu)) avoids = callers_cpu;
    asleep = false;
    woken.NotifyOne();
  }
};

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

class Pool {
 public:
  void Run(Job* job) {
    const bool posted = Post(job);
    job->Work();
    if (posted) Withdraw(job);
    job->thrown.ThrowIfKept();
  }

 private:
  // Returns false if there is no memory to share the job: its owner does the work alone.
  bool Post(Job* job) noexcept {
    try {
      std::lock_guard<std::mutex> lock(mutex_);
      StartWorkers(job->max_workers);
      jobs_.push_back(job);
      posted_.fetch_add(1);
      Wake(job->max_workers);
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }

  // Returns when no worker is inside the job.
  void Withdraw(Job* job) {
    std::unique_lock<std::mutex> lock(mutex_);
    jobs_.erase(std::find(jobs_.begin(), jobs_.end(), job));
    lock.unlock();
    for (int i = 0; i < kSpins && job->workers.load() > 0; ++i) Pause();
    lock.lock();
    while (job->workers.load() > 0) done_.Wait(&lock);
  }

  // REQUIRES: mutex_ is held.
  void StartWorkers(int wanted) {
    while (workers_ < wanted) {
      try {
        // So that a worker needs no memory to fall asleep.
        sleepers_.reserve(workers_ + 1);
        // Detached and never joined: the pool is never destroyed, so a worker asleep at exit uses
        // no memory that was freed.
        std::thread([this] { Loop(); }).detach();
      } catch (const std::exception&) {
        return;  // No memory or no thread: the caller does the work alone.
      }
      ++workers_;
    }
  }

  // REQUIRES: mutex_ is held.
  void Wake(int wanted) {
    for (; wanted > 0 && !sleepers_.empty(); --wanted) {
      // The worker that fell asleep last has the warmest cache.
      sleepers_.back()->Wake(CurrentCpu());
      sleepers_.pop_back();
    }
  }

  // REQUIRES: mutex_ is held.
  Job* FindOpenJob() {
    for (Job* job : jobs_) {
      if (job->Open()) return job;
    }
    return nullptr;
  }

  void Loop() {
    uint64_t seen = 0;
    Sleeper self;
    while (true) {
      for (int i = 0; i < kSpins && posted_.load(std::memory_order_relaxed) == seen; ++i) Pause();
      std::unique_lock<std::mutex> lock(mutex_);
      Job* job;
      while ((job = FindOpenJob()) == nullptr) {
        sleepers_.push_back(&self);
        self.Sleep(&lock);
      }
      seen = posted_.load();
      job->workers.fetch_add(1);
      lock.unlock();
      job->Work();
      lock.lock();
      if (job->workers.fetch_sub(1) == 1) done_.NotifyAll();
    }
  }

  std::mutex mutex_;
  Condition done_;
  std::vector<Job*> jobs_;
  std::atomic<uint64_t> posted_{0};
  std::vector<Sleeper*> sleepers_;
  int workers_ = 0;
};

std::atomic<int> threads_setting{0};
thread_local bool small_work = false;
std::atomic<Pool*> process_pool{nullptr};

// The process's pool. The child of a fork has none of its workers, and its mutex may be locked, so
// the child makes a new pool. Null if there is no memory for it.
Pool* GetPool() {
  static std::atomic<bool> follows_forks{false};
  if (!follows_forks.load(std::memory_order_relaxed)) {
    // Two threads may both register the function: to call it twice does no harm.
    if (pthread_atfork(nullptr, nullptr, [] { process_pool.store(nullptr); }) != 0) return nullptr;
    follows_forks.store(true);
  }
  Pool* pool = process_pool.load();
  if (pool != nullptr) return pool;
  Pool* fresh;
  try {
    fresh = new Pool;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  if (process_pool.compare_exchange_strong(pool, fresh)) return fresh;
  delete fresh;  // Another thread made a pool first. This one has no workers yet.
  return pool;
}

}  // namespace

SmallWork::SmallWork(bool small) : before_(small_work) { small_work = small_work || small; }

SmallWork::~SmallWork() { small_work = before_; }

void SetThreads(int threads) { threads_setting.store(threads); }

int Threads() {
  const int setting = threads_setting.load();
  if (setting > 0) return setting;
  static const int cpus = std::max(1u, std::thread::hardware_concurrency());
  return cpus;
}

void internal::ParallelFor(int64_t tasks, void (*call)(const void*, int64_t), const void* f) {
  const int threads = static_cast<int>(std::min<int64_t>(Threads(), tasks));
  Pool* const pool = threads <= 1 || small_work ? nullptr : GetPool();
  if (pool == nullptr) {
    const FlushDenormals flush;
    for (int64_t i = 0; i < tasks; ++i) call(f, i);
    return;
  }
  Job job;
  job.call = call;
  job.f = f;
  job.tasks = tasks;
  job.max_workers = threads - 1;
  pool->Run(&job);
}

}  // namespace sampled_compat
