#include "op_run.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace sampled_compat {
namespace {

// A scratch block on its way to TensorFlow. TF_NewTensor may throw for lack of memory, before it
// owns the block or when it has released it again. So the block's end holds a note for the time of
// the call: where Release is to write that it was called.
class Handover {
 public:
  explicit Handover(size_t bytes) {
    const size_t before_note = (bytes + sizeof(bool*) - 1) / sizeof(bool*) * sizeof(bool*);
    block_ = static_cast<char*>(AcquireScratch(before_note + sizeof(bool*)));
    note_ = reinterpret_cast<bool**>(block_ + before_note);
    *note_ = &released_;
  }
  ~Handover() {
    if (!released_) ReleaseScratch(block_);
  }
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  void* block() const { return block_; }
  void* note() const { return note_; }
  // TensorFlow owns the block from now on.
  void Done() {
    if (!released_) *note_ = nullptr;
    released_ = true;
  }
  // The deallocator of the tensor; `note` is its argument.
  static void Release(void* block, size_t, void* note) {
    if (bool* const released = *static_cast<bool**>(note)) *released = true;
    ReleaseScratch(block);
  }

 private:
  char* block_;
  bool** note_;
  bool released_ = false;
};

}  // namespace

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
    : context_(context), op_name_(op_name) {}

OpRun::~OpRun() {
  for (TF_Tensor* tensor : tensors_) TF_DeleteTensor(tensor);
  for (void* copy : copies_) ReleaseScratch(copy);
}

Input OpRun::Get(int index, const char* name) {
  Input input;
  input.name = name;
  TF_Tensor* tensor = nullptr;
  TF_GetInput(context_, index, &tensor, status_.get());
  CheckStatus();
  Keep(tensor);
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

void OpRun::Own(Input* input) {
  const size_t bytes = ArrayBytes(input->count, TF_DataTypeSize(input->type));
  if (bytes == 0) return;
  copies_.push_back(nullptr);
  copies_.back() = AcquireScratch(bytes);
  std::memcpy(copies_.back(), input->data, bytes);
  input->data = copies_.back();
}

void OpRun::Invalid(const char* format, ...) const {
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(message, sizeof(message), format, arguments);
  va_end(arguments);
  throw OpError{TF_INVALID_ARGUMENT, std::string(op_name_) + ": " + message};
}

void OpRun::InvalidValue(const std::string& message) const {
  throw OpError{TF_INVALID_ARGUMENT, message};
}

void OpRun::CheckStatus() const {
  if (status_.code() != TF_OK) throw OpError{status_.code(), status_.message()};
}

void OpRun::Keep(TF_Tensor* tensor) {
  try {
    tensors_.push_back(tensor);
  } catch (const std::bad_alloc&) {
    TF_DeleteTensor(tensor);
    throw;
  }
}

void* OpRun::Allocate(int index, TF_DataType type, const Vector<int64_t>& dims) {
  size_t bytes = TF_DataTypeSize(type);
  for (const int64_t d : dims) bytes = ArrayBytes(d, bytes);
  TF_Tensor* tensor = TF_AllocateOutput(context_, index, type, dims.data(),
                                        static_cast<int>(dims.size()), bytes, status_.get());
  CheckStatus();
  Keep(tensor);
  return TF_TensorData(tensor);
}

void OpRun::Forward(int input, int index) {
  TF_Tensor* tensor = nullptr;
  TF_GetInput(context_, input, &tensor, status_.get());
  CheckStatus();
  Keep(tensor);
  TF_SetOutput(context_, index, tensor, status_.get());
  CheckStatus();
}

void* OpRun::AllocateFromScratch(int index, TF_DataType type, int64_t count) {
  if (count == 0) return Allocate(index, type, {0});
  const size_t bytes = ArrayBytes(count, TF_DataTypeSize(type));
  Handover handover(bytes);
  TF_Tensor* const tensor =
      TF_NewTensor(type, &count, 1, handover.block(), bytes, Handover::Release, handover.note());
  if (tensor == nullptr) throw OutOfMemory(bytes);
  handover.Done();
  Keep(tensor);
  TF_SetOutput(context_, index, tensor, status_.get());
  CheckStatus();
  return TF_TensorData(tensor);
}

}  // namespace sampled_compat
