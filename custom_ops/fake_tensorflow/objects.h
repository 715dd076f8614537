// What the opaque types of the C API hold in the fake, and how a broken contract ends the process.
#ifndef SAMPLED_COMPAT_FAKE_TENSORFLOW_OBJECTS_H_
#define SAMPLED_COMPAT_FAKE_TENSORFLOW_OBJECTS_H_

#include <cstdarg>

#include "fake_tensorflow.h"

// TensorFlow's codes beside those that the ops use.
constexpr int kOutOfRange = 11;

namespace fake_tensorflow {

// Prints what was broken and aborts.
[[noreturn]] void Broken(const char* format, ...) __attribute__((format(printf, 1, 2)));

// Counts the thread's living objects of the API. An op frees each on the thread that made it.
class Counted {
 public:
  Counted();
  ~Counted();
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
};

// Marks the calling thread as inside the fake.
class Enter {
 public:
  Enter();
  ~Enter();
};
// The opposite, for a call back into the op.
class Leave {
 public:
  Leave();
  ~Leave();

 private:
  const int depth_;
};

struct Argument {
  std::string name, type;  // The type is a name such as "int64", or an attribute's name.
};

struct AttributeDefinition {
  std::string name, type;             // "int", "bool", "string" or "type"
  std::vector<std::string> choices;   // of a string or a type; empty if any is allowed
  std::optional<int64_t> least;       // of an int
  std::optional<Attribute> standard;  // the default
};

struct Op {
  std::string name;
  std::vector<std::string> attribute_words, input_words, output_words;
  std::vector<AttributeDefinition> attributes;
  std::vector<Argument> inputs, outputs;
  void (*infer)(TF_ShapeInferenceContext*, TF_Status*) = nullptr;
  void* (*create)(TF_OpKernelConstruction*) = nullptr;
  void (*compute)(void*, TF_OpKernelContext*) = nullptr;
  void (*destroy)(void*) = nullptr;
};

const Op& FindOp(const std::string& name);
AttributeDefinition ParseAttribute(const std::string& words);
Argument ParseArgument(const std::string& words);
// Fills defaults in. Returns what is wrong with the attributes, or nothing.
std::string Complete(const Op& op, AttributeValues* attributes);
TF_DataType TypeOf(const std::string& name);
// The type of an input or output of a node.
TF_DataType TypeOf(const Argument& argument, const AttributeValues& attributes);

// Whether an output of this size can be had.
bool HasMemory(int64_t bytes);
// Throws std::bad_alloc if the next object that an op asks for is to fail.
void AskForObject();

}  // namespace fake_tensorflow

struct TF_Status : fake_tensorflow::Counted {
  int code = TF_OK;
  std::string message;
};

struct TF_Tensor : fake_tensorflow::Counted {
  explicit TF_Tensor(fake_tensorflow::Tensor t) : tensor(std::move(t)) {}
  const fake_tensorflow::Tensor tensor;
};

struct TF_OpDefinitionBuilder : fake_tensorflow::Counted {
  fake_tensorflow::Op op;
};

struct TF_KernelBuilder : fake_tensorflow::Counted {
  fake_tensorflow::Op op;
};

struct TF_ShapeHandle : fake_tensorflow::Counted {
  fake_tensorflow::Shape shape;
};

struct TF_ShapeInferenceContext {
  std::vector<fake_tensorflow::Shape> inputs, outputs;
};

struct TF_OpKernelConstruction {
  const fake_tensorflow::AttributeValues& attributes;
  fake_tensorflow::Outcome outcome;
};

struct TF_OpKernelContext {
  const fake_tensorflow::Op& op;
  const fake_tensorflow::AttributeValues& attributes;
  const std::vector<fake_tensorflow::Tensor>& inputs;
  fake_tensorflow::Outcome outcome;
};

#endif  // SAMPLED_COMPAT_FAKE_TENSORFLOW_OBJECTS_H_
