// Statuses and tensors.
#include "objects.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace fake_tensorflow {
namespace {

constexpr size_t kAlignment = 64;  // TensorFlow's, of the blocks it allocates.

std::atomic<int64_t> most_bytes{INT64_MAX};
std::atomic<int64_t> until_failure{-1};
std::atomic<int64_t> objects_asked{0}, first_failing{-1}, last_failing{-1};
thread_local int64_t live = 0;
thread_local int depth = 0;

// A block of exactly this size.
std::shared_ptr<void> NewBlock(int64_t bytes) {
  void* block = nullptr;
  if (posix_memalign(&block, kAlignment, bytes) != 0) throw std::bad_alloc();
  return std::shared_ptr<void>(block, std::free);
}

}  // namespace

void Broken(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::fputs("the contract of TensorFlow's C API is broken: ", stderr);
  std::vfprintf(stderr, format, arguments);
  std::fputs("\n", stderr);
  va_end(arguments);
  std::abort();
}

Counted::Counted() { ++live; }
Counted::~Counted() { --live; }
int64_t LiveObjects() { return live; }

Enter::Enter() { ++depth; }
Enter::~Enter() { --depth; }
Leave::Leave() : depth_(depth) { depth = 0; }
Leave::~Leave() { depth = depth_; }
bool Inside() { return depth > 0; }

void SetMostBytes(int64_t bytes) { most_bytes.store(bytes); }
void FailAllocation(int64_t number) { until_failure.store(number); }

bool HasMemory(int64_t bytes) {
  int64_t left = until_failure.load();
  while (left >= 0 && !until_failure.compare_exchange_weak(left, left - 1)) {
  }
  return left != 0 && bytes <= most_bytes.load();
}

void FailObjects(int64_t first, int64_t last) {
  first_failing.store(first);
  last_failing.store(last);
  objects_asked.store(0);
}
int64_t ObjectsAsked() { return objects_asked.load(); }
void AskForObject() {
  const int64_t number = objects_asked.fetch_add(1);
  if (number >= first_failing.load() && number <= last_failing.load()) throw std::bad_alloc();
}

int64_t BytesOf(TF_DataType type, const int64_t* dims, int num_dims) {
  int64_t count = 1, bytes;
  // TensorFlow multiplies in order, so that a later 0 does not mend an overflow.
  for (int i = 0; i < num_dims; ++i) {
    if (dims[i] < 0 || __builtin_mul_overflow(count, dims[i], &count)) return -1;
  }
  const int64_t size = TF_DataTypeSize(type);
  return __builtin_mul_overflow(count, size, &bytes) ? -1 : bytes;
}

Tensor::Tensor(TF_DataType type, std::vector<int64_t> dims) : type_(type), dims_(std::move(dims)) {
  const int64_t bytes = BytesOf(type_, dims_.data(), static_cast<int>(dims_.size()));
  if (bytes < 0) Broken("a tensor of a shape that does not exist");
  block_ = NewBlock(bytes);
}

int64_t Tensor::count() const {
  int64_t count = 1;
  for (const int64_t d : dims_) count *= d;
  return count;
}

}  // namespace fake_tensorflow

using fake_tensorflow::Broken;
using fake_tensorflow::Enter;

extern "C" {

TF_Status* TF_NewStatus() {
  const Enter enter;
  fake_tensorflow::AskForObject();
  return new TF_Status;
}

void TF_DeleteStatus(TF_Status* status) {
  const Enter enter;
  delete status;
}

void TF_SetStatus(TF_Status* status, TF_Code code, const char* message) {
  // An op's text needs memory. The fake's own texts fail with the objects that they are about.
  if (!fake_tensorflow::Inside() && *message != 0) fake_tensorflow::AskForObject();
  const Enter enter;
  status->code = code;
  status->message = message;
}

TF_Code TF_GetCode(const TF_Status* status) { return static_cast<TF_Code>(status->code); }

const char* TF_Message(const TF_Status* status) { return status->message.c_str(); }

size_t TF_DataTypeSize(TF_DataType type) {
  switch (type) {
    case TF_FLOAT:
    case TF_INT32:
      return 4;
    case TF_DOUBLE:
    case TF_INT64:
      return 8;
    case TF_BFLOAT16:
    case TF_HALF:
      return 2;
  }
  return 0;
}

TF_Tensor* TF_NewTensor(TF_DataType type, const int64_t* dims, int num_dims, void* data, size_t len,
                        void (*deallocator)(void* data, size_t len, void* arg), void* arg) {
  const Enter enter;
  const int64_t bytes = fake_tensorflow::BytesOf(type, dims, num_dims);
  if (bytes < 0) Broken("TF_NewTensor of a shape that does not exist");
  if (len < static_cast<size_t>(bytes)) Broken("TF_NewTensor of %zu bytes for %ld", len, bytes);
  const std::vector<int64_t> shape(dims, dims + num_dims);
  fake_tensorflow::AskForObject();
  if (reinterpret_cast<uintptr_t>(data) % fake_tensorflow::kAlignment != 0) {
    // TensorFlow copies such a block and frees it at once.
    const fake_tensorflow::Tensor copy(type, shape);
    std::memcpy(copy.data(), data, bytes);
    const fake_tensorflow::Leave leave;
    deallocator(data, len, arg);
    return new TF_Tensor(copy);
  }
  std::shared_ptr<void> block(data, [=](void* d) {
    const fake_tensorflow::Leave leave;
    deallocator(d, len, arg);
  });
  fake_tensorflow::AskForObject();  // Without it TensorFlow releases the block again.
  return new TF_Tensor(fake_tensorflow::Tensor(type, shape, std::move(block)));
}

void TF_DeleteTensor(TF_Tensor* tensor) {
  const Enter enter;
  delete tensor;
}

TF_DataType TF_TensorType(const TF_Tensor* tensor) { return tensor->tensor.type(); }

int TF_NumDims(const TF_Tensor* tensor) { return static_cast<int>(tensor->tensor.dims().size()); }

int64_t TF_Dim(const TF_Tensor* tensor, int index) {
  if (index < 0 || index >= TF_NumDims(tensor)) Broken("TF_Dim of dimension %d", index);
  return tensor->tensor.dims()[index];
}

void* TF_TensorData(const TF_Tensor* tensor) { return tensor->tensor.data(); }

}  // extern "C"
