// Numbers and choices from the bytes that a fuzzer makes up. (LLVM's FuzzedDataProvider comes with
// clang only, and the corpus is replayed without it.)
#ifndef SAMPLED_COMPAT_FUZZ_BYTES_H_
#define SAMPLED_COMPAT_FUZZ_BYTES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sampled_compat {

// Reads from the front. Behind the end all bytes are 0, so that a short input is a simple one.
class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  // Any value of a type of numbers.
  template <typename T>
  T Any() {
    T value{};
    const size_t n = std::min(sizeof(T), size_);
    std::memcpy(&value, data_, n);
    data_ += n;
    size_ -= n;
    return value;
  }

  // A number in [low, high]. REQUIRES: low <= high.
  int64_t Int(int64_t low, int64_t high) {
    const uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
    const uint64_t number = range < 256     ? Any<uint8_t>()
                            : range < 65536 ? Any<uint16_t>()
                                            : Any<uint64_t>();
    return static_cast<int64_t>(static_cast<uint64_t>(low) +
                                (range == UINT64_MAX ? number : number % (range + 1)));
  }

  bool Bool() { return (Any<uint8_t>() & 1) != 0; }
  // True once in n times, and never behind the end.
  bool Rarely(int n) { return Any<uint8_t>() % n == n - 1; }

  template <typename T, size_t kCount>
  T Pick(const T (&choices)[kCount]) {
    return choices[Int(0, kCount - 1)];
  }

 private:
  const uint8_t* data_;
  size_t size_;
};

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_FUZZ_BYTES_H_
