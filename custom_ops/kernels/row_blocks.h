// Reads rows of a table of any type, block by block, as the type of the computation.
#ifndef SAMPLED_COMPAT_KERNELS_ROW_BLOCKS_H_
#define SAMPLED_COMPAT_KERNELS_ROW_BLOCKS_H_

#include "convert.h"

namespace sampled_compat {

template <typename T>
class RowBlocks {
 public:
  RowBlocks(FloatType type, const void* rows, int64_t dim) : type_(type), rows_(rows), dim_(dim) {}

  // The size of the buffer that Block needs, in numbers.
  int64_t BufferSize(int64_t rows) const { return AsTheyAre() ? 0 : rows * dim_; }

  // Rows [begin, end): in place, or converted into `buffer`.
  const T* Block(int64_t begin, int64_t end, T* buffer) const {
    const char* from = static_cast<const char*>(rows_) + begin * dim_ * SizeOf(type_);
    if (AsTheyAre()) return reinterpret_cast<const T*>(from);
    ConvertFrom<T>(type_, from, (end - begin) * dim_, buffer);
    return buffer;
  }

 private:
  bool AsTheyAre() const {
    return type_ == (sizeof(T) == 4 ? FloatType::kFloat : FloatType::kDouble);
  }

  const FloatType type_;
  const void* const rows_;
  const int64_t dim_;
};

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_ROW_BLOCKS_H_
