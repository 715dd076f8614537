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
  // Pairs (batch row, column of the sampled ids), sorted, none twice: where a sampled id is a label
  // of that row. Of an id that was sampled repeatedly only the last column is reported, as
  // TensorFlow's compute_accidental_hits does.
  std::vector<int32_t> hits;
};

// REQUIRES: num_sampled + batch * num_true < 2^30; the arrays hold that many ids.
Plan MakePlan(const int64_t* sampled, int64_t num_sampled, const int64_t* labels, int64_t batch,
              int64_t num_true, bool find_hits);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_PLAN_H_
