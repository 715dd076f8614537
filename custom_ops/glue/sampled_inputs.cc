#include "sampled_inputs.h"

#include <algorithm>

namespace sampled_compat {

SampledInputs::SampledInputs(OpRun* run) {
  Read(run);
  CheckSizes(run);
  for (Input* indices : {&sampled_positions, &true_positions, &hits}) run->Own(indices);
  CheckPositions(run, sampled_positions);
  CheckPositions(run, true_positions);
  CheckHits(run);
}

void SampledInputs::Read(OpRun* run) {
  inputs = run->Get(0, "inputs", "[batch, dim]", {-1, -1});
  rows = run->Get(1, "rows", "[unique, dim]", {-1, dim()});
  biases = run->Get(2, "biases", "[unique]", {unique()});
  sampled_positions = run->Get(3, "sampled_positions", "[num_sampled]", {-1});
  true_positions = run->Get(4, "true_positions", "[batch, num_true]", {batch(), -1});
  hits = run->Get(5, "hits", "[num_hits, 2]", {-1, 2});
  true_offset = run->Get(6, "true_offset", "[batch, num_true]", {batch(), num_true()});
  sampled_offset = run->Get(7, "sampled_offset", "[num_sampled]", {num_sampled()});
  if (num_true() < 1) {
    run->Invalid("true_positions must have at least one column, got %s",
                 true_positions.Shape().c_str());
  }
}

// Positions and columns are int32 everywhere.
void SampledInputs::CheckSizes(OpRun* run) const {
  for (const Input* input : {&biases, &sampled_positions, &true_positions, &hits}) {
    if (input->count < int64_t{1} << 30) continue;
    run->Invalid("%s must hold fewer than 2^30 numbers, got %s", input->name,
                 input->Shape().c_str());
  }
}

void SampledInputs::CheckPositions(OpRun* run, const Input& positions) const {
  const int32_t* const values = positions.As<int32_t>();
  // As an unsigned number, a negative position is larger than every valid one.
  uint32_t largest = 0;
  for (int64_t i = 0; i < positions.count; ++i) {
    largest = std::max(largest, static_cast<uint32_t>(values[i]));
  }
  if (positions.count == 0 || largest < unique()) return;
  const int32_t* const bad =
      std::find(values, values + positions.count, static_cast<int32_t>(largest));
  run->Invalid("%s must be in [0, %ld), the number of rows; got %d at index %ld", positions.name,
               unique(), *bad, static_cast<int64_t>(bad - values));
}

void SampledInputs::CheckHits(OpRun* run) const {
  const int32_t* const pairs = hits.As<int32_t>();
  for (int64_t i = 0; i < hits.dims[0]; ++i) {
    const int32_t row = pairs[2 * i], column = pairs[2 * i + 1];
    if (row < 0 || row >= batch() || column < 0 || column >= num_sampled()) {
      run->Invalid("hits must be pairs in [0, %ld) x [0, %ld), got (%d, %d) at index %ld", batch(),
                   num_sampled(), row, column, i);
    } else if (i > 0 &&
               (pairs[2 * i - 2] > row || (pairs[2 * i - 2] == row && pairs[2 * i - 1] > column))) {
      run->Invalid("hits must be sorted by row, then column; got (%d, %d) after (%d, %d)", row,
                   column, pairs[2 * i - 2], pairs[2 * i - 1]);
    }
  }
}

template <typename T>
void SampledInputs::CheckOffsets(OpRun* run) const {
  for (const Input* offset : {&true_offset, &sampled_offset}) {
    const T* const values = offset->As<T>();
    for (int64_t i = 0; i < offset->count; ++i) {
      if (std::isfinite(values[i])) continue;
      run->Invalid(
          "%s must be finite (minus the logarithm of a positive expected count), got %g at index "
          "%ld",
          offset->name, static_cast<double>(values[i]), i);
    }
  }
}

template void SampledInputs::CheckOffsets<float>(OpRun*) const;
template void SampledInputs::CheckOffsets<double>(OpRun*) const;

}  // namespace sampled_compat
