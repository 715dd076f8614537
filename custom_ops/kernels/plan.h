// The rows to look up for the labels and the sampled ids of a batch, and its accidental hits.
#ifndef SAMPLED_COMPAT_KERNELS_PLAN_H_
#define SAMPLED_COMPAT_KERNELS_PLAN_H_

#include <cstdint>

#include "memory.h"

namespace sampled_compat {

// Which columns of a sampled id are accidental hits.
enum class Copies { kNone, kLast, kAll };

struct Plan {
  // The ids to look up.
  Vector<int64_t> ids;
  // Where in `ids` the sampled ids [S] and the labels [B, T] are.
  Vector<int32_t> sampled_positions;
  Vector<int32_t> true_positions;
  // The accidental hits: sorted, distinct pairs (batch row, column of the sampled ids) where the
  // sampled id is a label of the row. TensorFlow's compute_accidental_hits reports only the last
  // column of an id that was sampled more than once.
  Vector<int32_t> hits;
};

// Both REQUIRE: num_sampled + batch * num_true < 2^30; the arrays hold that many ids.

// Each id once: the sampled ones first, then the labels', each in order of first appearance.
Plan UniquePlan(const int64_t* sampled, int64_t num_sampled, const int64_t* labels, int64_t batch,
                int64_t num_true, Copies hits);

// Every occurrence, as TensorFlow's losses look them up: the labels, then the sampled ids.
Plan OccurrencePlan(const int64_t* sampled, int64_t num_sampled, const int64_t* labels,
                    int64_t batch, int64_t num_true, Copies hits);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_PLAN_H_
