// A small fake of TensorFlow's C API, so that a test or a fuzzer can run the ops without
// TensorFlow.
//
// A program links the glue, the kernels and this folder. Loading it registers the ops, as loading
// the library into TensorFlow would. Then:
//
//   Kernel kernel("SampledCompat>ClassIds", {{"argument", "labels"}, {"weights_rows", 5}});
//   Outcome outcome = kernel.Run({Tensor::Of<int64_t>({3}, {0, 4, 2})});
//
// The fake keeps TensorFlow's side of the contract: it fills defaults in, refuses attributes and
// inputs that the op's definition does not allow, and keeps the first error. Where the ops break
// theirs, TensorFlow would end the process or lose memory. The fake then prints what was broken and
// aborts: an output of another type, one set twice or not at all, a shape that no tensor has, an
// object of the API that is not freed. (The address sanitizer sees one that is freed twice.)
//
// Source: tensorflow/c/{kernels,ops,tf_tensor,tf_status}.cc of TensorFlow 2.21.
#ifndef SAMPLED_COMPAT_FAKE_TENSORFLOW_H_
#define SAMPLED_COMPAT_FAKE_TENSORFLOW_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "../glue/tensorflow_c_api.h"

namespace fake_tensorflow {

// Numbers of any type in a block of exactly their size, so that the address sanitizer sees
// overruns. Copies share the block, as TensorFlow's do.
class Tensor {
 public:
  Tensor() = default;
  // Uninitialised. REQUIRES: the type is one of TF_DataType, no dimension is negative.
  Tensor(TF_DataType type, std::vector<int64_t> dims);
  // Around a block that the deallocator will free.
  Tensor(TF_DataType type, std::vector<int64_t> dims, std::shared_ptr<void> block)
      : type_(type), dims_(std::move(dims)), block_(std::move(block)) {}

  template <typename T>
  static Tensor Of(std::vector<int64_t> dims, const std::vector<T>& values);

  TF_DataType type() const { return type_; }
  const std::vector<int64_t>& dims() const { return dims_; }
  int64_t count() const;
  void* data() const { return block_.get(); }
  template <typename T>
  T* As() const {
    return static_cast<T*>(data());
  }
  template <typename T>
  std::vector<T> Values() const {
    return std::vector<T>(As<T>(), As<T>() + count());
  }
  bool is_set() const { return block_ != nullptr; }

 private:
  TF_DataType type_ = TF_FLOAT;
  std::vector<int64_t> dims_;
  std::shared_ptr<void> block_;
};

// The bytes of a tensor, or -1 if TensorFlow can have no tensor of this shape.
int64_t BytesOf(TF_DataType type, const int64_t* dims, int num_dims);

// The type of a C++ number.
template <typename T>
constexpr TF_DataType kTypeOf = TF_FLOAT;
template <>
inline constexpr TF_DataType kTypeOf<double> = TF_DOUBLE;
template <>
inline constexpr TF_DataType kTypeOf<int32_t> = TF_INT32;
template <>
inline constexpr TF_DataType kTypeOf<int64_t> = TF_INT64;

template <typename T>
Tensor Tensor::Of(std::vector<int64_t> dims, const std::vector<T>& values) {
  Tensor tensor(kTypeOf<T>, std::move(dims));
  for (int64_t i = 0; i < tensor.count(); ++i) tensor.As<T>()[i] = values[i];
  return tensor;
}

// An attribute's value. (The struct, as a plain variant would turn a text into a bool.)
struct Attribute : std::variant<int64_t, bool, std::string, TF_DataType> {
  using Base = std::variant<int64_t, bool, std::string, TF_DataType>;
  Attribute() = default;
  Attribute(int value) : Base(int64_t{value}) {}
  Attribute(int64_t value) : Base(value) {}
  Attribute(bool value) : Base(value) {}
  Attribute(const char* value) : Base(std::string(value)) {}
  Attribute(std::string value) : Base(std::move(value)) {}
  Attribute(TF_DataType value) : Base(value) {}
};
using AttributeValues = std::map<std::string, Attribute>;

struct Outcome {
  int code = TF_OK;  // A TF_Code; the header declares only those that the ops use.
  std::string message;
  std::vector<Tensor> outputs;  // Complete if the code is TF_OK.
  bool ok() const { return code == TF_OK; }
};

// A node of a graph and its kernel.
class Kernel {
 public:
  // Aborts if no op has the name. Attributes that are missing have their defaults.
  Kernel(const std::string& op, const AttributeValues& attributes);
  ~Kernel();
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  // The error if the kernel could not be made. Run then gives the same.
  const Outcome& creation() const { return creation_; }
  // May be called by several threads at once.
  Outcome Run(const std::vector<Tensor>& inputs) const;

 private:
  const struct Op& op_;
  AttributeValues attributes_;
  Outcome creation_;
  void* kernel_ = nullptr;
  bool made_ = false;
};

// The names of the registered ops.
std::vector<std::string> OpNames();

// What an op's definition says of an input, an output or an attribute, such as "inputs: T".
std::vector<std::string> InputsOf(const std::string& op);
std::vector<std::string> OutputsOf(const std::string& op);
std::vector<std::string> AttributesOf(const std::string& op);

// Shapes while a graph is built: nothing if the rank is unknown, -1 for an unknown dimension.
using Shape = std::optional<std::vector<int64_t>>;
struct InferredShapes {
  int code = TF_OK;
  std::string message;
  std::vector<Shape> outputs;
};
InferredShapes InferShapes(const std::string& op, const std::vector<Shape>& inputs);

// The objects of the API that the calling thread holds: tensors, statuses, builders, handles of
// shapes. It does not grow from call to call.
int64_t LiveObjects();

// An output of more bytes than this is "out of memory". The default is no limit.
void SetMostBytes(int64_t bytes);
// The n-th allocation of an output from now on fails, counted from 0; -1 for none.
void FailAllocation(int64_t number);

// The objects of the API numbered `first` to `last` that ops ask for from now on, counted from 0,
// throw std::bad_alloc, as TensorFlow's own operator new does. -1, -1 for none.
void FailObjects(int64_t first, int64_t last);
// How many ops have asked for since.
int64_t ObjectsAsked();

// Whether the calling thread is inside the fake. A program that lets allocations fail asks this, to
// spare those of the fake: TensorFlow does not return from a lack of memory of its own.
bool Inside();

}  // namespace fake_tensorflow

#endif  // SAMPLED_COMPAT_FAKE_TENSORFLOW_H_
