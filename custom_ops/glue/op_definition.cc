#include "op_definition.h"

#include <cstdio>

namespace sampled_compat {

void RegisterDefinition(const OpDefinition& d) {
  const Status status;
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder(d.name);
  for (const char* attribute : d.attributes) TF_OpDefinitionBuilderAddAttr(op, attribute);
  for (const char* input : d.inputs) TF_OpDefinitionBuilderAddInput(op, input);
  for (const char* output : d.outputs) TF_OpDefinitionBuilderAddOutput(op, output);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, d.shape);
  TF_RegisterOpDefinition(op, status.get());
  if (status.code() == TF_OK) {
    TF_RegisterKernelBuilder(
        d.name, TF_NewKernelBuilder(d.name, "CPU", d.create, d.compute, d.destroy), status.get());
  }
  if (status.code() != TF_OK) {
    // While a library loads, no caller can receive an error. The op will be missing.
    std::fprintf(stderr, "%s: %s\n", d.name, status.message());
  }
}

void CopyStatus(const TF_Status& error, TF_Status* status) {
  try {
    TF_SetStatus(status, TF_GetCode(&error), TF_Message(&error));
  } catch (const std::bad_alloc&) {
    TF_SetStatus(status, TF_GetCode(&error), "");
  }
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

void ShapeInference::CheckRanks(std::initializer_list<int> ranks) {
  int input = 0;
  for (const int rank : ranks) CheckRank(input++, rank);
}

void ShapeInference::CopyShape(int output, int input) {
  if (ok()) TF_ShapeInferenceContextGetInput(context_, input, shape_, status_);
  if (ok()) TF_ShapeInferenceContextSetOutput(context_, output, shape_, status_);
}

void ShapeInference::Vector(int output, int input, int dimension) {
  if (ok()) TF_ShapeInferenceContextGetInput(context_, input, shape_, status_);
  // If the rank is unknown, so is each dimension.
  if (!ok() || !TF_ShapeInferenceContextRankKnown(context_, shape_)) return;
  TF_ShapeInferenceContextSubshape(context_, shape_, dimension, dimension + 1, shape_, status_);
  if (ok()) TF_ShapeInferenceContextSetOutput(context_, output, shape_, status_);
}

template <typename Read>
void Attributes::ReadInto(Read read) const {
  const Status status;
  read(status.get());
  if (status.code() != TF_OK) throw OpError{status.code(), status.message()};
}

std::string Attributes::String(const char* name) const {
  char text[64] = {};
  ReadInto([&](TF_Status* status) {
    TF_OpKernelConstruction_GetAttrString(construction_, name, text, sizeof(text) - 1, status);
  });
  return text;
}

int64_t Attributes::Int(const char* name) const {
  int64_t value = 0;
  ReadInto([&](TF_Status* status) {
    TF_OpKernelConstruction_GetAttrInt64(construction_, name, &value, status);
  });
  return value;
}

bool Attributes::Bool(const char* name) const {
  TF_Bool value = 0;
  ReadInto([&](TF_Status* status) {
    TF_OpKernelConstruction_GetAttrBool(construction_, name, &value, status);
  });
  return value != 0;
}

TF_DataType Attributes::Type(const char* name) const {
  TF_DataType type = TF_FLOAT;
  ReadInto([&](TF_Status* status) {
    TF_OpKernelConstruction_GetAttrType(construction_, name, &type, status);
  });
  return type;
}

void Attributes::Fail(const std::string& message) const {
  throw OpError{TF_INVALID_ARGUMENT, message};
}

bool ComputesInDouble(const Attributes& attributes) {
  const bool inputs_double = attributes.Type("T") == TF_DOUBLE;
  const bool is_double = attributes.Type("Tc") == TF_DOUBLE;
  if (inputs_double != is_double) {
    attributes.Fail(inputs_double ? "inputs are float64: biases and offsets must be float64 too"
                                  : "biases and offsets must be float32 unless inputs are float64");
  }
  return is_double;
}

}  // namespace sampled_compat
