#include "op_definition.h"

#include <cstdio>

namespace sampled_compat {

void Register(const OpDefinition& d) {
  TF_Status* status = TF_NewStatus();
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder(d.name);
  for (const char* attribute : d.attributes) TF_OpDefinitionBuilderAddAttr(op, attribute);
  for (const char* input : d.inputs) TF_OpDefinitionBuilderAddInput(op, input);
  for (const char* output : d.outputs) TF_OpDefinitionBuilderAddOutput(op, output);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, d.shape);
  TF_RegisterOpDefinition(op, status);
  if (TF_GetCode(status) == TF_OK) {
    TF_RegisterKernelBuilder(
        d.name, TF_NewKernelBuilder(d.name, "CPU", d.create, d.compute, d.destroy), status);
  }
  if (TF_GetCode(status) != TF_OK) {
    // There is nobody to return an error to while a library is loading; the op will be missing.
    std::fprintf(stderr, "%s: %s\n", d.name, TF_Message(status));
  }
  TF_DeleteStatus(status);
}

ShapeInference::ShapeInference(TF_ShapeInferenceContext* context, TF_Status* status)
    : context_(context), status_(status), shape_(TF_NewShapeHandle()) {
  TF_ShapeInferenceContextSetUnknownShape(context_, status_);
}

ShapeInference::~ShapeInference() { TF_DeleteShapeHandle(shape_); }

bool ShapeInference::ok() const { return TF_GetCode(status_) == TF_OK; }

void ShapeInference::CheckRank(int input, int rank) {
  if (ok()) TF_ShapeInferenceContextGetInput(context_, input, shape_, status_);
  if (ok()) TF_ShapeInferenceContextWithRank(context_, shape_, rank, shape_, status_);
}

void ShapeInference::CopyShape(int output, int input) {
  if (ok()) TF_ShapeInferenceContextGetInput(context_, input, shape_, status_);
  if (ok()) TF_ShapeInferenceContextSetOutput(context_, output, shape_, status_);
}

void ShapeInference::Vector(int output, int input, int dimension) {
  if (ok()) TF_ShapeInferenceContextGetInput(context_, input, shape_, status_);
  // The part of a shape of unknown rank is itself unknown.
  if (!ok() || !TF_ShapeInferenceContextRankKnown(context_, shape_)) return;
  TF_ShapeInferenceContextSubshape(context_, shape_, dimension, dimension + 1, shape_, status_);
  if (ok()) TF_ShapeInferenceContextSetOutput(context_, output, shape_, status_);
}

namespace {

// Reads an attribute, and fails the construction where there is none such.
template <typename Read>
void ReadAttribute(TF_OpKernelConstruction* construction, Read read) {
  TF_Status* status = TF_NewStatus();
  read(status);
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
}

}  // namespace

std::string StringAttribute(TF_OpKernelConstruction* construction, const char* name) {
  char text[512] = {};
  ReadAttribute(construction, [&](TF_Status* status) {
    TF_OpKernelConstruction_GetAttrString(construction, name, text, sizeof(text) - 1, status);
  });
  return text;
}

int ChoiceAttribute(TF_OpKernelConstruction* construction, const char* name,
                    std::initializer_list<const char*> choices) {
  const std::string value = StringAttribute(construction, name);
  int index = 0;
  for (const char* choice : choices) {
    if (value == choice) return index;
    ++index;
  }
  ReadAttribute(construction, [&](TF_Status* status) {
    const std::string message = std::string(name) + " is of no known value: " + value;
    TF_SetStatus(status, TF_INVALID_ARGUMENT, message.c_str());
  });
  return 0;
}

int64_t IntAttribute(TF_OpKernelConstruction* construction, const char* name) {
  int64_t value = 0;
  ReadAttribute(construction, [&](TF_Status* status) {
    TF_OpKernelConstruction_GetAttrInt64(construction, name, &value, status);
  });
  return value;
}

bool BoolAttribute(TF_OpKernelConstruction* construction, const char* name) {
  TF_Bool value = 0;
  ReadAttribute(construction, [&](TF_Status* status) {
    TF_OpKernelConstruction_GetAttrBool(construction, name, &value, status);
  });
  return value != 0;
}

TF_DataType TypeAttribute(TF_OpKernelConstruction* construction, const char* name) {
  TF_DataType type = TF_FLOAT;
  ReadAttribute(construction, [&](TF_Status* status) {
    TF_OpKernelConstruction_GetAttrType(construction, name, &type, status);
  });
  return type;
}

void CheckComputeType(TF_OpKernelConstruction* construction) {
  const bool inputs_double = TypeAttribute(construction, "T") == TF_DOUBLE;
  if (inputs_double == (TypeAttribute(construction, "Tc") == TF_DOUBLE)) return;
  ReadAttribute(construction, [&](TF_Status* status) {
    TF_SetStatus(status, TF_INVALID_ARGUMENT,
                 inputs_double ? "inputs are float64: biases and offsets must be float64 too"
                               : "biases and offsets must be float32 unless inputs are float64");
  });
}

}  // namespace sampled_compat
