// The one place where C++ exceptions end: none may cross TensorFlow's C API.
#ifndef SAMPLED_COMPAT_GLUE_BARRIER_H_
#define SAMPLED_COMPAT_GLUE_BARRIER_H_

#include "op_run.h"
#include "status.h"

namespace sampled_compat {

// Makes the status that NoMemoryStatus returns. Called once, before any op can run.
void PrepareBarrier();

// A status that says that memory has run out, for when there is none to make one.
TF_Status* NoMemoryStatus();

// Sets the status to what the exception that is being handled says. `op_name` begins the messages
// that do not name an argument.
void SetStatus(const char* op_name, TF_Status* status);

// Calls body(). If it throws, calls report(status) with the error. Returns whether it did not
// throw. A report that throws, for lack of memory, is called again with NoMemoryStatus().
template <typename Body, typename Report>
bool Guarded(const char* op_name, const Body& body, const Report& report) {
  try {
    body();
    return true;
  } catch (...) {
    try {
      const Status status;
      SetStatus(op_name, status.get());
      report(status.get());
    } catch (const std::bad_alloc&) {
      report(NoMemoryStatus());
    }
    return false;
  }
}

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_GLUE_BARRIER_H_
