// The one place where C++ exceptions end: none may cross TensorFlow's C API.
#ifndef SAMPLED_COMPAT_GLUE_BARRIER_H_
#define SAMPLED_COMPAT_GLUE_BARRIER_H_

#include "op_run.h"

namespace sampled_compat {

// Sets the status to what the exception that is being handled says. `op_name` begins the messages
// that do not name an argument.
void SetStatus(const char* op_name, TF_Status* status);

// Calls body(). If it throws, calls report(status) with the error. Returns whether it did not
// throw.
template <typename Body, typename Report>
bool Guarded(const char* op_name, const Body& body, const Report& report) {
  try {
    body();
    return true;
  } catch (...) {
    TF_Status* const status = TF_NewStatus();
    SetStatus(op_name, status);
    report(status);
    TF_DeleteStatus(status);
    return false;
  }
}

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_GLUE_BARRIER_H_
