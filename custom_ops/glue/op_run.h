// One run of a kernel: wraps TensorFlow's C API with owned tensors, named inputs and exceptions.
#ifndef SAMPLED_COMPAT_GLUE_OP_RUN_H_
#define SAMPLED_COMPAT_GLUE_OP_RUN_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>

#include "../kernels/convert.h"
#include "../kernels/scratch.h"
#include "status.h"

namespace sampled_compat {

struct Input {
  const char* name = "";
  TF_DataType type = TF_FLOAT;
  Vector<int64_t> dims;
  int64_t count = 0;
  const void* data = nullptr;

  template <typename T>
  const T* As() const {
    return static_cast<const T*>(data);
  }
  std::string Shape() const;
};

FloatType ToFloatType(TF_DataType type);

// A failure that TensorFlow is to report. All methods of OpRun throw it; see barrier.h.
struct OpError {
  TF_Code code;
  std::string message;
};

class OpRun {
 public:
  // REQUIRES: op_name lives as long as the run.
  OpRun(TF_OpKernelContext* context, const char* op_name);
  ~OpRun();
  OpRun(const OpRun&) = delete;
  OpRun& operator=(const OpRun&) = delete;

  // Input `index`, which must have the dimensions `dims`; a negative size allows any. The error
  // message names the expected shape by `shape`, such as "[batch, dim]".
  Input Get(int index, const char* name, const char* shape, std::initializer_list<int64_t> dims);

  // Input `index`, of any shape.
  Input Get(int index, const char* name);

  // Replaces the input's numbers by a copy that lives as long as the run. Numbers that index memory
  // must be copied before they are checked: another thread may write a reference variable of
  // TensorFlow 1 while the op reads it.
  void Own(Input* input);

  // Throws an InvalidArgument error "op: message".
  [[noreturn]] void Invalid(const char* format, ...) const __attribute__((format(printf, 2, 3)));
  // The same for a user's value: the message names the argument instead of the op.
  [[noreturn]] void InvalidValue(const std::string& message) const;

  // Output `index`, allocated by TensorFlow.
  void* Allocate(int index, TF_DataType type, const Vector<int64_t>& dims);
  // Output `index` is the tensor of input `input`, without a copy.
  void Forward(int input, int index);
  // Output `index`, a vector of `count` numbers in scratch memory. The memory is released when
  // TensorFlow drops the tensor.
  void* AllocateFromScratch(int index, TF_DataType type, int64_t count);

 private:
  // Throws what TensorFlow reports in status_.
  void CheckStatus() const;
  // Owns the tensor until the end of the run.
  void Keep(TF_Tensor* tensor);

  TF_OpKernelContext* const context_;
  const char* const op_name_;
  const Status status_;
  Vector<TF_Tensor*> tensors_;
  Vector<void*> copies_;
};

// An input's numbers as T: the input's own memory, or a converted copy.
template <typename T>
class Converted {
 public:
  explicit Converted(const Input& input) : data_(input.As<T>()) {
    if (input.type == Type()) return;
    copy_.reset(static_cast<T*>(AcquireScratch(ArrayBytes(input.count, sizeof(T)))));
    data_ = copy_.get();
    ConvertFrom<T>(ToFloatType(input.type), input.data, input.count, copy_.get());
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
  ConvertedOutput(OpRun* run, int index, TF_DataType type, const Vector<int64_t>& dims)
      : type_(type), output_(run->Allocate(index, type, dims)), data_(static_cast<T*>(output_)) {
    for (const int64_t d : dims) count_ *= d;
    if (type != Converted<T>::Type()) {
      data_ = static_cast<T*>(AcquireScratch(ArrayBytes(count_, sizeof(T))));
    }
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
