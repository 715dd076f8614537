// Makes kernels and runs them.
#include <algorithm>
#include <cstring>

#include "objects.h"

namespace fake_tensorflow {
namespace {

Outcome Invalid(const std::string& message) { return {TF_INVALID_ARGUMENT, message, {}}; }

// The first failure stays, as in TensorFlow.
void Fail(Outcome* outcome, const TF_Status& status) {
  if (status.code == TF_OK) Broken("a failure whose status is OK");
  if (!outcome->ok()) return;
  outcome->code = status.code;
  outcome->message = status.message;
}

}  // namespace

Kernel::Kernel(const std::string& op, const AttributeValues& attributes) : op_(FindOp(op)) {
  const Enter enter;
  attributes_ = attributes;
  if (const std::string problem = Complete(op_, &attributes_); !problem.empty()) {
    creation_ = Invalid(problem);
    return;
  }
  const int64_t live = LiveObjects();
  TF_OpKernelConstruction construction{attributes_, {}};
  {
    const Leave leave;
    kernel_ = op_.create(&construction);
  }
  made_ = true;
  creation_ = construction.outcome;
  if (LiveObjects() != live) Broken("%s: creating it leaks", op.c_str());
}

// As in TensorFlow, also where the op's own constructor failed.
Kernel::~Kernel() {
  if (made_) op_.destroy(kernel_);
}

Outcome Kernel::Run(const std::vector<Tensor>& inputs) const {
  const Enter enter;
  if (!creation_.ok()) return creation_;
  if (inputs.size() != op_.inputs.size()) {
    return Invalid(op_.name + ": takes " + std::to_string(op_.inputs.size()) + " inputs, got " +
                   std::to_string(inputs.size()));
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].type() == TypeOf(op_.inputs[i], attributes_)) continue;
    return Invalid(op_.name + ": the input " + op_.inputs[i].name + " has another type");
  }
  TF_OpKernelContext context{op_, attributes_, inputs, {}};
  context.outcome.outputs.resize(op_.outputs.size());
  const int64_t live = LiveObjects();
  {
    const Leave leave;
    op_.compute(kernel_, &context);
  }
  if (LiveObjects() != live) Broken("%s: running it leaks", op_.name.c_str());
  Outcome& outcome = context.outcome;
  for (size_t i = 0; outcome.ok() && i < outcome.outputs.size(); ++i) {
    if (!outcome.outputs[i].is_set()) {
      Broken("%s: the output %s is missing", op_.name.c_str(), op_.outputs[i].name.c_str());
    }
  }
  if (!outcome.ok()) outcome.outputs.clear();
  return outcome;
}

}  // namespace fake_tensorflow

using fake_tensorflow::Broken;
using fake_tensorflow::Enter;

namespace {

template <typename T>
void GetAttribute(TF_OpKernelConstruction* construction, const char* name, T* value,
                  TF_Status* status) {
  const auto attribute = construction->attributes.find(name);
  if (attribute == construction->attributes.end()) {
    TF_SetStatus(status, TF_INVALID_ARGUMENT,
                 (std::string("No attr named '") + name + "' in NodeDef").c_str());
  } else if (const T* const found = std::get_if<T>(&attribute->second)) {
    *value = *found;
    TF_SetStatus(status, TF_OK, "");
  } else {
    TF_SetStatus(status, TF_INVALID_ARGUMENT,
                 (std::string("AttrValue of '") + name + "' has another type").c_str());
  }
}

// What TensorFlow checks of an output before the op may set it.
void CheckOutput(const TF_OpKernelContext& context, int index, TF_DataType type) {
  const char* const op = context.op.name.c_str();
  if (index < 0 || index >= static_cast<int>(context.op.outputs.size())) {
    Broken("%s: there is no output %d", op, index);
  }
  const fake_tensorflow::Argument& output = context.op.outputs[index];
  if (type != TypeOf(output, context.attributes)) {
    Broken("%s: the output %s is of type %d", op, output.name.c_str(), static_cast<int>(type));
  }
  if (context.outcome.outputs[index].is_set()) {
    Broken("%s: the output %s is set twice", op, output.name.c_str());
  }
}

}  // namespace

extern "C" {

void TF_OpKernelConstruction_GetAttrType(TF_OpKernelConstruction* construction, const char* name,
                                         TF_DataType* value, TF_Status* status) {
  const Enter enter;
  GetAttribute(construction, name, value, status);
}

void TF_OpKernelConstruction_GetAttrBool(TF_OpKernelConstruction* construction, const char* name,
                                         TF_Bool* value, TF_Status* status) {
  const Enter enter;
  bool found = false;
  GetAttribute(construction, name, &found, status);
  *value = found;
}

void TF_OpKernelConstruction_GetAttrInt64(TF_OpKernelConstruction* construction, const char* name,
                                          int64_t* value, TF_Status* status) {
  const Enter enter;
  GetAttribute(construction, name, value, status);
}

// Copies at most max_length characters, and no 0 after them.
void TF_OpKernelConstruction_GetAttrString(TF_OpKernelConstruction* construction, const char* name,
                                           char* value, size_t max_length, TF_Status* status) {
  const Enter enter;
  std::string found;
  GetAttribute(construction, name, &found, status);
  std::memcpy(value, found.data(), std::min(found.size(), max_length));
}

void TF_OpKernelConstruction_Failure(TF_OpKernelConstruction* construction, TF_Status* status) {
  const Enter enter;
  fake_tensorflow::Fail(&construction->outcome, *status);
}

void TF_GetInput(TF_OpKernelContext* context, int index, TF_Tensor** tensor, TF_Status* status) {
  const Enter enter;
  if (index < 0 || index >= static_cast<int>(context->inputs.size())) {
    Broken("%s: there is no input %d", context->op.name.c_str(), index);
  }
  fake_tensorflow::AskForObject();
  *tensor = new TF_Tensor(context->inputs[index]);
  TF_SetStatus(status, TF_OK, "");
}

TF_Tensor* TF_AllocateOutput(TF_OpKernelContext* context, int index, TF_DataType type,
                             const int64_t* dims, int num_dims, size_t len, TF_Status* status) {
  const Enter enter;
  CheckOutput(*context, index, type);
  const int64_t bytes = fake_tensorflow::BytesOf(type, dims, num_dims);
  // TensorFlow ends the process for such a shape.
  if (bytes < 0) Broken("%s: an output of a shape that does not exist", context->op.name.c_str());
  if (static_cast<size_t>(bytes) != len) Broken("an output of %ld bytes as %zu", bytes, len);
  if (!fake_tensorflow::HasMemory(bytes)) {
    TF_SetStatus(status, TF_RESOURCE_EXHAUSTED, "OOM when allocating tensor");
    return nullptr;
  }
  fake_tensorflow::Tensor& output = context->outcome.outputs[index];
  output = fake_tensorflow::Tensor(type, std::vector<int64_t>(dims, dims + num_dims));
  TF_SetStatus(status, TF_OK, "");
  fake_tensorflow::AskForObject();
  return new TF_Tensor(output);
}

void TF_SetOutput(TF_OpKernelContext* context, int index, const TF_Tensor* tensor,
                  TF_Status* status) {
  const Enter enter;
  CheckOutput(*context, index, tensor->tensor.type());
  context->outcome.outputs[index] = tensor->tensor;
  TF_SetStatus(status, TF_OK, "");
}

void TF_OpKernelContext_Failure(TF_OpKernelContext* context, TF_Status* status) {
  const Enter enter;
  fake_tensorflow::Fail(&context->outcome, *status);
}

}  // extern "C"
