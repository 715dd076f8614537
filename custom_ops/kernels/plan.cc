#include "plan.h"

#include <algorithm>

namespace sampled_compat {
namespace {

// Open addressing over int64 keys. The positions are the values; the keys live in `ids`.
class PositionTable {
 public:
  PositionTable(int64_t capacity, std::vector<int64_t>* ids) : ids_(*ids) {
    int bits = 4;
    while ((int64_t{1} << bits) < 2 * capacity) ++bits;
    shift_ = 64 - bits;
    mask_ = (uint64_t{1} << bits) - 1;
    slots_.assign(mask_ + 1, -1);
  }

  // Returns the position of `id`; a new id is appended.
  int32_t FindOrAdd(int64_t id) {
    // Fibonacci hashing: the high bits of the product depend on every bit of the id, so ids in
    // steps of a power of two do not collide.
    uint64_t slot = (static_cast<uint64_t>(id) * 0x9e3779b97f4a7c15u) >> shift_;
    for (; slots_[slot] >= 0; slot = (slot + 1) & mask_) {
      if (ids_[slots_[slot]] == id) return slots_[slot];
    }
    slots_[slot] = static_cast<int32_t>(ids_.size());
    ids_.push_back(id);
    return slots_[slot];
  }

 private:
  std::vector<int64_t>& ids_;
  std::vector<int32_t> slots_;
  int shift_;
  uint64_t mask_;
};

}  // namespace

Plan MakePlan(const int64_t* sampled, int64_t num_sampled, const int64_t* labels, int64_t batch,
              int64_t num_true, bool find_hits) {
  Plan plan;
  plan.unique_ids.reserve(num_sampled + batch * num_true);
  PositionTable table(num_sampled + batch * num_true, &plan.unique_ids);
  plan.sampled_positions.resize(num_sampled);
  std::vector<int32_t> last_column;
  for (int64_t s = 0; s < num_sampled; ++s) {
    const int32_t position = table.FindOrAdd(sampled[s]);
    plan.sampled_positions[s] = position;
    if (position == static_cast<int32_t>(last_column.size())) last_column.push_back(0);
    last_column[position] = static_cast<int32_t>(s);
  }
  plan.true_positions.resize(batch * num_true);
  std::vector<int32_t> columns;
  for (int64_t b = 0; b < batch; ++b) {
    columns.clear();
    for (int64_t t = 0; t < num_true; ++t) {
      const int32_t position = table.FindOrAdd(labels[b * num_true + t]);
      plan.true_positions[b * num_true + t] = position;
      if (find_hits && position < static_cast<int32_t>(last_column.size())) {
        columns.push_back(last_column[position]);
      }
    }
    std::sort(columns.begin(), columns.end());
    columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
    for (const int32_t column : columns) {
      plan.hits.push_back(static_cast<int32_t>(b));
      plan.hits.push_back(column);
    }
  }
  return plan;
}

}  // namespace sampled_compat
