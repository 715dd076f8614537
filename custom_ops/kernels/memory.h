// Memory, and the error where there is none: it says how many bytes were wanted.
#ifndef SAMPLED_COMPAT_KERNELS_MEMORY_H_
#define SAMPLED_COMPAT_KERNELS_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

namespace sampled_compat {

// More than an address space holds.
constexpr size_t kMostBytes = size_t{1} << 48;

// There is not enough memory for a block of this size.
class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(size_t bytes) : bytes_(bytes) {}
  size_t bytes() const { return bytes_; }

 private:
  const size_t bytes_;
};

// The size of an array in bytes. Throws OutOfMemory if no address space could hold it, or if
// `count` is negative, as a product that overflowed is.
inline size_t ArrayBytes(int64_t count, size_t size_of_element) {
  const size_t most = size_of_element == 0 ? INT64_MAX : kMostBytes / size_of_element;
  if (count < 0 || static_cast<size_t>(count) > most) throw OutOfMemory(kMostBytes);
  return count * size_of_element;
}

template <typename T>
struct Allocator {
  using value_type = T;
  Allocator() = default;
  template <typename U>
  Allocator(const Allocator<U>&) {}

  T* allocate(size_t count) {
    const size_t bytes = ArrayBytes(static_cast<int64_t>(count), sizeof(T));
    try {
      return static_cast<T*>(::operator new(bytes));
    } catch (const std::bad_alloc&) {
      throw OutOfMemory(bytes);
    }
  }
  void deallocate(T* block, size_t) noexcept { ::operator delete(block); }

  friend bool operator==(const Allocator&, const Allocator&) { return true; }
  friend bool operator!=(const Allocator&, const Allocator&) { return false; }
};

// A std::vector that throws OutOfMemory.
template <typename T>
using Vector = std::vector<T, Allocator<T>>;

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_MEMORY_H_
