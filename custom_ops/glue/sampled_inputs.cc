#include "sampled_inputs.h"

#include "positions.h"

namespace sampled_compat {

SampledInputs::SampledInputs(OpRun* run) {
  Read(run);
  // Positions and columns are int32 everywhere.
  for (const Input* input : {&biases, &sampled_positions, &true_positions, &hits}) {
    CheckCount(run, *input);
  }
  for (Input* indices : {&sampled_positions, &true_positions, &hits}) run->Own(indices);
  CheckPositions(run, sampled_positions, unique());
  CheckPositions(run, true_positions, unique());
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
