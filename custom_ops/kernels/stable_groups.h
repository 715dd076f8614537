// Lists the items of each group in the items' order, by a counting sort.
#ifndef SAMPLED_COMPAT_KERNELS_STABLE_GROUPS_H_
#define SAMPLED_COMPAT_KERNELS_STABLE_GROUPS_H_

#include <cstdint>

#include "memory.h"

namespace sampled_compat {

class StableGroups {
 public:
  struct Range {
    const int32_t* first;
    const int32_t* last;
    const int32_t* begin() const { return first; }
    const int32_t* end() const { return last; }
  };

  // REQUIRES: group[i] is in [0, groups) for i < items.
  StableGroups(const int32_t* group, int64_t items, int64_t groups)
      : starts_(groups + 1), items_(items) {
    if (items == 0) return;
    for (int64_t i = 0; i < items; ++i) ++starts_[group[i] + 1];
    for (int64_t g = 0; g < groups; ++g) starts_[g + 1] += starts_[g];
    Vector<int32_t> next(starts_.begin(), starts_.end() - 1);
    for (int64_t i = 0; i < items; ++i) items_[next[group[i]]++] = static_cast<int32_t>(i);
  }

  Range operator[](int64_t group) const {
    return {items_.data() + starts_[group], items_.data() + starts_[group + 1]};
  }

 private:
  Vector<int32_t> starts_;
  Vector<int32_t> items_;
};

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_STABLE_GROUPS_H_
