// Finds the rows to look up for labels and sampled ids, in one pass through one hash table.
#ifndef SAMPLED_COMPAT_KERNELS_PLAN_H_
#define SAMPLED_COMPAT_KERNELS_PLAN_H_

#include <cstdint>
#include <vector>

namespace sampled_compat {

struct Plan {
  // Each id once: the sampled ones first, then the labels', each in order of first appearance.
  std::vector<int64_t> unique_ids;
  // Where in unique_ids the sampled ids [S] and the labels [B, T] are.
  std::vector<int32_t> sampled_positions;
  std::vector<int32_t> true_positions;
  // The accidental hits: sorted, distinct pairs (batch row, column of the sampled ids) where the
  // sampled id is a label of the row. If an id was sampled more than once, only its last column is
  // reported, as in TensorFlow's compute_accidental_hits.
  std::vector<int32_t> hits;
};

// REQUIRES: num_sampled + batch * num_true < 2^30; the arrays hold that many ids.
Plan MakePlan(const int64_t* sampled, int64_t num_sampled, const int64_t* labels, int64_t batch,
              int64_t num_true, bool find_hits);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_PLAN_H_
