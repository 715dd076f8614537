// Compares the plan with a naive search.
#include "../plan.h"

#include <algorithm>

#include "check.h"

namespace sampled_compat {
namespace {

void CheckAgainstSearch(int64_t batch, int64_t num_true, int64_t num_sampled, int64_t classes,
                        int64_t step, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<int64_t> sampled(num_sampled), labels(batch * num_true);
  // Large ids in even steps, which a weak hash would put into one slot.
  for (int64_t& id : sampled)
    id = (int64_t{1} << 31) + 1 + static_cast<int64_t>(generator() % classes) * step;
  for (int64_t& id : labels)
    id = (int64_t{1} << 31) + 1 + static_cast<int64_t>(generator() % classes) * step;
  const Plan plan =
      UniquePlan(sampled.data(), num_sampled, labels.data(), batch, num_true, Copies::kLast);
  Vector<int64_t> unique;
  for (const std::vector<int64_t>* ids : {&sampled, &labels}) {
    for (const int64_t id : *ids) {
      if (std::find(unique.begin(), unique.end(), id) == unique.end()) unique.push_back(id);
    }
  }
  CHECK_THAT(plan.ids == unique, "unique ids");
  for (int64_t s = 0; s < num_sampled; ++s) {
    CHECK_THAT(unique[plan.sampled_positions[s]] == sampled[s], "sampled position %ld", s);
  }
  for (int64_t i = 0; i < batch * num_true; ++i) {
    CHECK_THAT(unique[plan.true_positions[i]] == labels[i], "true position %ld", i);
  }
  Vector<int32_t> hits, all_hits;
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t s = 0; s < num_sampled; ++s) {
      const bool last =
          std::find(sampled.begin() + s + 1, sampled.end(), sampled[s]) == sampled.end();
      const auto row = labels.begin() + b * num_true;
      if (std::find(row, row + num_true, sampled[s]) == row + num_true) continue;
      all_hits.insert(all_hits.end(), {static_cast<int32_t>(b), static_cast<int32_t>(s)});
      if (last) hits.insert(hits.end(), {static_cast<int32_t>(b), static_cast<int32_t>(s)});
    }
  }
  CHECK_THAT(plan.hits == hits, "hits");
  CHECK_THAT(UniquePlan(sampled.data(), num_sampled, labels.data(), batch, num_true, Copies::kNone)
                 .hits.empty(),
             "no hits asked for");

  const Plan each =
      OccurrencePlan(sampled.data(), num_sampled, labels.data(), batch, num_true, Copies::kLast);
  Vector<int64_t> occurrences(labels.begin(), labels.end());
  occurrences.insert(occurrences.end(), sampled.begin(), sampled.end());
  CHECK_THAT(each.ids == occurrences, "labels, then sampled ids");
  for (int64_t s = 0; s < num_sampled; ++s) {
    CHECK_THAT(each.sampled_positions[s] == batch * num_true + s, "sampled position %ld", s);
  }
  for (int64_t i = 0; i < batch * num_true; ++i) {
    CHECK_THAT(each.true_positions[i] == i, "true position %ld", i);
  }
  CHECK_THAT(each.hits == hits, "hits among occurrences");
  for (const auto make : {UniquePlan, OccurrencePlan}) {
    const Plan plan =
        make(sampled.data(), num_sampled, labels.data(), batch, num_true, Copies::kAll);
    CHECK_THAT(plan.hits == all_hits, "all copies");
  }
  CHECK_THAT(
      OccurrencePlan(sampled.data(), num_sampled, labels.data(), batch, num_true, Copies::kNone)
          .hits.empty(),
      "no hits asked for among occurrences");
}

}  // namespace
}  // namespace sampled_compat

int main() {
  using sampled_compat::CheckAgainstSearch;
  uint32_t seed = 1;
  for (const int64_t batch : {0, 1, 7, 100}) {
    for (const int64_t num_true : {1, 2, 5}) {
      for (const int64_t num_sampled : {0, 1, 5, 200}) {
        for (const int64_t classes : {1, 10, 1000}) {
          CheckAgainstSearch(batch, num_true, num_sampled, classes, int64_t{1} << (seed % 20),
                             seed);
          ++seed;
        }
      }
    }
  }
  // The recorded behaviour of TensorFlow: of [3, 7, 3, 5, 5] it reports columns 2 and 4.
  const int64_t sampled[] = {3, 7, 3, 5, 5}, labels[] = {5, 3};
  const sampled_compat::Plan plan =
      sampled_compat::UniquePlan(sampled, 5, labels, 1, 2, sampled_compat::Copies::kLast);
  CHECK_THAT((plan.hits == sampled_compat::Vector<int32_t>{0, 2, 0, 4}), "repeated ids");
  return sampled_compat::Report("plan_test");
}
