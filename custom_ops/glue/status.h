// A status of TensorFlow's C API that frees itself.
#ifndef SAMPLED_COMPAT_GLUE_STATUS_H_
#define SAMPLED_COMPAT_GLUE_STATUS_H_

#include <new>

#include "tensorflow_c_api.h"

namespace sampled_compat {

class Status {
 public:
  // Throws std::bad_alloc, as TensorFlow's own call may.
  Status() : status_(TF_NewStatus()) {
    if (status_ == nullptr) throw std::bad_alloc();
  }
  ~Status() { TF_DeleteStatus(status_); }
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;

  TF_Status* get() const { return status_; }
  TF_Code code() const { return TF_GetCode(status_); }
  const char* message() const { return TF_Message(status_); }

 private:
  TF_Status* const status_;
};

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_GLUE_STATUS_H_
