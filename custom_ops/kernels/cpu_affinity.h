// Reads and sets the CPUs that a thread runs on. Only this file uses calls that only Linux has; on
// other systems these functions do nothing.
#ifndef SAMPLED_COMPAT_KERNELS_CPU_AFFINITY_H_
#define SAMPLED_COMPAT_KERNELS_CPU_AFFINITY_H_

namespace sampled_compat {

// Whether KeepOff may change anything. TF_SAMPLED_COMPAT_KEEP_AFFINITY=1 in the environment forbids
// it. Programs set it if they pin threads themselves, this library's workers included. Read once.
bool MayChangeAffinity();

// The CPU that the caller runs on, or -1.
int CurrentCpu();

// The system's name for the calling thread, for KeepOff.
int ThreadId();

// Lets `thread` run on the caller's CPUs except `cpu`. Returns false and changes nothing if no CPU
// would be left, or if changes are forbidden.
bool KeepOff(int thread, int cpu);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_CPU_AFFINITY_H_
