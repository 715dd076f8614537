#include "positions.h"

#include <algorithm>

namespace sampled_compat {

void CheckCount(OpRun* run, const Input& input) {
  if (input.count < int64_t{1} << 30) return;
  run->Invalid("%s must hold fewer than 2^30 numbers, got %s", input.name, input.Shape().c_str());
}

void CheckPositions(OpRun* run, const Input& positions, int64_t rows) {
  const int32_t* const values = positions.As<int32_t>();
  // As an unsigned number, a negative position is larger than every valid one.
  uint32_t largest = 0;
  for (int64_t i = 0; i < positions.count; ++i) {
    largest = std::max(largest, static_cast<uint32_t>(values[i]));
  }
  if (positions.count == 0 || largest < rows) return;
  const int32_t* const bad =
      std::find(values, values + positions.count, static_cast<int32_t>(largest));
  run->Invalid("%s must be in [0, %ld), the number of rows; got %d at index %ld", positions.name,
               rows, *bad, static_cast<int64_t>(bad - values));
}

}  // namespace sampled_compat
