// Which CPU a thread runs on: the only calls of Linux alone. Elsewhere they do nothing.
#ifndef SAMPLED_COMPAT_KERNELS_CPU_AFFINITY_H_
#define SAMPLED_COMPAT_KERNELS_CPU_AFFINITY_H_

namespace sampled_compat {

// Whether KeepOff may change anything. TF_SAMPLED_COMPAT_KEEP_AFFINITY=1 in the environment forbids
// it: for programs that pin threads, the workers of this library included, themselves. Read once.
bool MayChangeAffinity();

// The CPU that the caller runs on, or -1.
int CurrentCpu();

// The system's name for the calling thread, for KeepOff.
int ThreadId();

// Lets `thread` run on the caller's CPUs except `cpu`. Returns false, and changes nothing, if that
// would leave it none, or if it may not.
bool KeepOff(int thread, int cpu);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_CPU_AFFINITY_H_
