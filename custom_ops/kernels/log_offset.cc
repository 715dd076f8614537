#include "log_offset.h"

#include <algorithm>
#include <limits>

#include "vector_math.h"

namespace sampled_compat {

template <typename T>
int64_t LogOffset(const T* counts, int64_t count, T* offsets) {
  constexpr int64_t kWidth = Simd<T>::kWidth;
  for (int64_t begin = 0; begin < count; begin += kWidth) {
    const int64_t size = std::min(kWidth, count - begin);
    T lanes[kWidth] = {};
    for (int64_t i = 0; i < size; ++i) {
      const T value = counts[begin + i];
      if (!(value > 0) || value > std::numeric_limits<T>::max()) return begin + i;
      lanes[i] = value;
    }
    Store<T>(lanes, -Log<T>(Load<T>(lanes)));
    std::copy(lanes, lanes + size, offsets + begin);
  }
  return -1;
}

template int64_t LogOffset(const float*, int64_t, float*);
template int64_t LogOffset(const double*, int64_t, double*);

}  // namespace sampled_compat
