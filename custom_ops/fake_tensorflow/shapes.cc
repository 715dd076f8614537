// The inference of shapes.
#include "objects.h"

namespace fake_tensorflow {

InferredShapes InferShapes(const std::string& name, const std::vector<Shape>& inputs) {
  const Enter enter;
  const Op& op = FindOp(name);
  if (inputs.size() != op.inputs.size()) Broken("%s: another number of inputs", name.c_str());
  const int64_t live = LiveObjects();
  // Every output needs a shape, if only "unknown". This one stands for "none".
  const Shape none = std::vector<int64_t>{-2};
  TF_ShapeInferenceContext context{inputs, std::vector<Shape>(op.outputs.size(), none)};
  InferredShapes inferred;
  {
    TF_Status status;
    {
      const Leave leave;
      op.infer(&context, &status);
    }
    inferred = {status.code, status.message, context.outputs};
  }
  for (const Shape& shape : context.outputs) {
    if (inferred.code == TF_OK && shape == none) Broken("%s: an output has no shape", name.c_str());
  }
  if (LiveObjects() != live) Broken("%s: inferring shapes leaks", name.c_str());
  return inferred;
}

}  // namespace fake_tensorflow

using fake_tensorflow::Enter;

extern "C" {

TF_ShapeHandle* TF_NewShapeHandle() {
  const Enter enter;
  fake_tensorflow::AskForObject();
  return new TF_ShapeHandle;
}

void TF_DeleteShapeHandle(TF_ShapeHandle* handle) {
  const Enter enter;
  delete handle;
}

void TF_ShapeInferenceContextGetInput(TF_ShapeInferenceContext* context, int index,
                                      TF_ShapeHandle* handle, TF_Status* status) {
  const Enter enter;
  if (index < 0 || index >= static_cast<int>(context->inputs.size())) {
    return TF_SetStatus(status, TF_INVALID_ARGUMENT, "input index out of range");
  }
  handle->shape = context->inputs[index];
  TF_SetStatus(status, TF_OK, "");
}

void TF_ShapeInferenceContextSetOutput(TF_ShapeInferenceContext* context, int index,
                                       TF_ShapeHandle* handle, TF_Status* status) {
  const Enter enter;
  if (index < 0 || index >= static_cast<int>(context->outputs.size())) {
    return TF_SetStatus(status, TF_INVALID_ARGUMENT, "output index out of range");
  }
  context->outputs[index] = handle->shape;
  TF_SetStatus(status, TF_OK, "");
}

int TF_ShapeInferenceContextRankKnown(TF_ShapeInferenceContext*, TF_ShapeHandle* handle) {
  return handle->shape.has_value();
}

void TF_ShapeInferenceContextWithRank(TF_ShapeInferenceContext*, TF_ShapeHandle* handle,
                                      int64_t rank, TF_ShapeHandle* result, TF_Status* status) {
  const Enter enter;
  if (!handle->shape) {
    result->shape = std::vector<int64_t>(rank, -1);
  } else if (static_cast<int64_t>(handle->shape->size()) == rank) {
    result->shape = handle->shape;
  } else {
    const std::string message = "Shape must be rank " + std::to_string(rank) + " but is rank " +
                                std::to_string(handle->shape->size());
    return TF_SetStatus(status, TF_INVALID_ARGUMENT, message.c_str());
  }
  TF_SetStatus(status, TF_OK, "");
}

void TF_ShapeInferenceContextSubshape(TF_ShapeInferenceContext*, TF_ShapeHandle* handle,
                                      int64_t begin, int64_t end, TF_ShapeHandle* result,
                                      TF_Status* status) {
  const Enter enter;
  if (!handle->shape) {
    result->shape = fake_tensorflow::Shape();
    return TF_SetStatus(status, TF_OK, "");
  }
  const int64_t rank = handle->shape->size();
  if (end > rank) end = rank;
  if (begin < 0 || begin > end) {
    return TF_SetStatus(status, TF_INVALID_ARGUMENT, "Subshape must have computed start <= end");
  }
  const std::vector<int64_t> all = *handle->shape;
  result->shape = std::vector<int64_t>(all.begin() + begin, all.begin() + end);
  TF_SetStatus(status, TF_OK, "");
}

void TF_ShapeInferenceContextSetUnknownShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  const Enter enter;
  for (auto& output : context->outputs) output = fake_tensorflow::Shape();
  TF_SetStatus(status, TF_OK, "");
}

}  // extern "C"
