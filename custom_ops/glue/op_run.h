// One run of a kernel: wraps TensorFlow's C API with owned tensors, named inputs and one error.
#ifndef SAMPLED_COMPAT_GLUE_OP_RUN_H_
#define SAMPLED_COMPAT_GLUE_OP_RUN_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "../kernels/convert.h"
#include "../kernels/scratch.h"
#include "tensorflow_c_api.h"

namespace sampled_compat {

struct Input {
  const char* name = "";
  TF_DataType type = TF_FLOAT;
  std::vector<int64_t> dims;
  int64_t count = 0;
  const void* data = nullptr;

  template <typename T>
  const T* As() const {
    return static_cast<const T*>(data);
  }
  std::string Shape() const;
};

FloatType ToFloatType(TF_DataType type);

// Only the first failure counts: after it ok() is false and every call does nothing. The destructor
// reports the failure to TensorFlow.
class OpRun {
 public:
  // REQUIRES: op_name lives as long as the run.
  OpRun(TF_OpKernelContext* context, const char* op_name);
  ~OpRun();
  OpRun(const OpRun&) = delete;
  OpRun& operator=(const OpRun&) = delete;

  bool ok() const { return ok_; }

  // Input `index`, which must have the dimensions `dims`; a negative size allows any. The error
  // message names the expected shape by `shape`, such as "[batch, dim]".
  Input Get(int index, const char* name, const char* shape, std::initializer_list<int64_t> dims);

  // Input `index`, of any shape.
  Input Get(int index, const char* name);

  // Fails with an InvalidArgument error "op: message".
  void Invalid(const char* format, ...) __attribute__((format(printf, 2, 3)));
  // The same for a user's value: the message names the argument instead of the op.
  void InvalidValue(const std::string& message) { Fail(TF_INVALID_ARGUMENT, message); }
  void OutOfMemory();

  // Output `index`, allocated by TensorFlow; null after a failure.
  void* Allocate(int index, TF_DataType type, const std::vector<int64_t>& dims);
  // Output `index` is the tensor of input `input`, without a copy.
  void Forward(int input, int index);
  // Output `index`, a vector of `count` numbers in scratch memory. The memory is released when
  // TensorFlow drops the tensor.
  void* AllocateFromScratch(int index, TF_DataType type, int64_t count);

 private:
  void Fail(TF_Code code, const std::string& message);

  TF_OpKernelContext* const context_;
  const char* const op_name_;
  TF_Status* const status_;
  std::vector<TF_Tensor*> tensors_;
  bool ok_ = true;
};

// An input's numbers as T: the input's own memory, or a converted copy.
template <typename T>
class Converted {
 public:
  Converted(OpRun* run, const Input& input) : data_(input.As<T>()) {
    if (!run->ok() || input.type == Type()) return;
    copy_.reset(static_cast<T*>(AcquireScratch(input.count * sizeof(T))));
    data_ = copy_.get();
    if (data_ == nullptr) {
      run->OutOfMemory();
    } else {
      ConvertFrom<T>(ToFloatType(input.type), input.data, input.count, copy_.get());
    }
  }
  const T* data() const { return data_; }
  static TF_DataType Type() { return sizeof(T) == 4 ? TF_FLOAT : TF_DOUBLE; }

 private:
  struct Release {
    void operator()(void* block) const { ReleaseScratch(block); }
  };
  std::unique_ptr<T, Release> copy_;
  const T* data_;
};

// An output that is computed as T: in the output's own memory, or in a buffer that Finish converts.
template <typename T>
class ConvertedOutput {
 public:
  ConvertedOutput(OpRun* run, int index, TF_DataType type, const std::vector<int64_t>& dims)
      : type_(type), output_(run->Allocate(index, type, dims)), data_(static_cast<T*>(output_)) {
    for (const int64_t d : dims) count_ *= d;
    if (!run->ok() || type == Converted<T>::Type()) return;
    data_ = static_cast<T*>(AcquireScratch(count_ * sizeof(T)));
    if (data_ == nullptr) run->OutOfMemory();
  }
  ~ConvertedOutput() {
    if (data_ != output_) ReleaseScratch(data_);
  }
  ConvertedOutput(const ConvertedOutput&) = delete;
  ConvertedOutput& operator=(const ConvertedOutput&) = delete;

  T* data() const { return data_; }
  void Finish() const {
    if (data_ != output_) ConvertTo<T>(ToFloatType(type_), data_, count_, output_);
  }

 private:
  const TF_DataType type_;
  void* const output_;
  T* data_;
  int64_t count_ = 1;
};

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_GLUE_OP_RUN_H_
