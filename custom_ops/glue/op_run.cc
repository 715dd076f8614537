#include "op_run.h"

#include <cstdarg>
#include <cstdio>

namespace sampled_compat {

std::string Input::Shape() const {
  std::string shape = "[";
  for (const int64_t d : dims) shape += (shape.size() > 1 ? ", " : "") + std::to_string(d);
  return shape + "]";
}

FloatType ToFloatType(TF_DataType type) {
  switch (type) {
    case TF_HALF:
      return FloatType::kHalf;
    case TF_BFLOAT16:
      return FloatType::kBfloat16;
    case TF_DOUBLE:
      return FloatType::kDouble;
    default:
      return FloatType::kFloat;
  }
}

OpRun::OpRun(TF_OpKernelContext* context, const char* op_name)
    : context_(context), op_name_(op_name), status_(TF_NewStatus()) {}

OpRun::~OpRun() {
  for (TF_Tensor* tensor : tensors_) TF_DeleteTensor(tensor);
  if (!ok_) TF_OpKernelContext_Failure(context_, status_);
  TF_DeleteStatus(status_);
}

Input OpRun::Get(int index, const char* name) {
  Input input;
  input.name = name;
  if (!ok_) return input;
  TF_Tensor* tensor = nullptr;
  TF_GetInput(context_, index, &tensor, status_);
  if (TF_GetCode(status_) != TF_OK) {
    ok_ = false;
    return input;
  }
  tensors_.push_back(tensor);
  input.type = TF_TensorType(tensor);
  input.data = TF_TensorData(tensor);
  input.count = 1;
  for (int i = 0; i < TF_NumDims(tensor); ++i) {
    input.dims.push_back(TF_Dim(tensor, i));
    input.count *= input.dims.back();
  }
  return input;
}

Input OpRun::Get(int index, const char* name, const char* shape,
                 std::initializer_list<int64_t> dims) {
  const Input input = Get(index, name);
  if (!ok_) return input;
  bool fits = input.dims.size() == dims.size();
  std::string sizes;
  for (size_t i = 0; i < dims.size(); ++i) {
    const int64_t wanted = dims.begin()[i];
    if (fits && wanted >= 0 && wanted != input.dims[i]) fits = false;
    sizes += (i > 0 ? ", " : "") + (wanted < 0 ? std::string("?") : std::to_string(wanted));
  }
  if (!fits) {
    Invalid("%s must have shape %s = [%s], got %s", name, shape, sizes.c_str(),
            input.Shape().c_str());
  }
  return input;
}

void OpRun::Invalid(const char* format, ...) {
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(message, sizeof(message), format, arguments);
  va_end(arguments);
  Fail(TF_INVALID_ARGUMENT, std::string(op_name_) + ": " + message);
}

void OpRun::OutOfMemory() {
  Fail(TF_RESOURCE_EXHAUSTED, std::string(op_name_) + ": out of memory");
}

void OpRun::Fail(TF_Code code, const std::string& message) {
  if (!ok_) return;
  ok_ = false;
  TF_SetStatus(status_, code, message.c_str());
}

void* OpRun::Allocate(int index, TF_DataType type, const std::vector<int64_t>& dims) {
  if (!ok_) return nullptr;
  size_t bytes = TF_DataTypeSize(type);
  for (const int64_t d : dims) bytes *= d;
  TF_Tensor* tensor = TF_AllocateOutput(context_, index, type, dims.data(),
                                        static_cast<int>(dims.size()), bytes, status_);
  if (TF_GetCode(status_) != TF_OK || tensor == nullptr) {
    ok_ = false;
    return nullptr;
  }
  tensors_.push_back(tensor);
  return TF_TensorData(tensor);
}

void OpRun::Forward(int input, int index) {
  TF_Tensor* tensor = nullptr;
  if (ok_) TF_GetInput(context_, input, &tensor, status_);
  if (tensor == nullptr) return;
  tensors_.push_back(tensor);
  TF_SetOutput(context_, index, tensor, status_);
  ok_ = TF_GetCode(status_) == TF_OK;
}

void* OpRun::AllocateFromScratch(int index, TF_DataType type, int64_t count) {
  if (count == 0) return Allocate(index, type, {0});
  if (!ok_) return nullptr;
  const size_t bytes = TF_DataTypeSize(type) * count;
  void* const block = AcquireScratch(bytes);
  if (block == nullptr) {
    OutOfMemory();
    return nullptr;
  }
  TF_Tensor* tensor = TF_NewTensor(
      type, &count, 1, block, bytes, [](void* data, size_t, void*) { ReleaseScratch(data); },
      nullptr);
  tensors_.push_back(tensor);
  TF_SetOutput(context_, index, tensor, status_);
  if (TF_GetCode(status_) != TF_OK) ok_ = false;
  return ok_ ? TF_TensorData(tensor) : nullptr;
}

}  // namespace sampled_compat
