// The plan of a batch: which rows to look up, and its accidental hits.
#include <map>
#include <set>
#include <utility>

#include "../kernels/plan.h"
#include "numbers.h"

namespace sampled_compat {
namespace {

Array<int64_t> Ids(Bytes* bytes, int64_t count) {
  const int64_t range = bytes->Pick({2, 7, 60, 100000});
  // Steps of a power of two, which a poor hash would let collide.
  const int shift = bytes->Pick({0, 20, 46});
  Mixer mixer(bytes->Any<uint8_t>());
  Array<int64_t> ids(count);
  for (int64_t& id : ids) id = mixer.Below(range) << shift;
  if (count == 0) return ids;
  for (int64_t left = bytes->Int(0, 3); left > 0; --left) {
    const int64_t at = bytes->Int(0, count - 1);
    ids[at] = bytes->Any<int64_t>();
  }
  return ids;
}

// The ids in order of first appearance.
Vector<int64_t> FirstAppearances(const Array<int64_t>& sampled, const Array<int64_t>& labels) {
  Vector<int64_t> ids;
  std::set<int64_t> seen;
  for (const Array<int64_t>* part : {&sampled, &labels}) {
    for (const int64_t id : *part) {
      if (seen.insert(id).second) ids.push_back(id);
    }
  }
  return ids;
}

Vector<int32_t> NaiveHits(const Array<int64_t>& sampled, const Array<int64_t>& labels,
                          int64_t num_true, Copies copies) {
  std::map<int64_t, std::set<int32_t>> columns;
  for (int64_t s = 0; s < sampled.size(); ++s) {
    std::set<int32_t>& of_id = columns[sampled[s]];
    if (copies != Copies::kAll) of_id.clear();
    of_id.insert(static_cast<int32_t>(s));
  }
  std::set<std::pair<int32_t, int32_t>> pairs;
  for (int64_t i = 0; i < labels.size(); ++i) {
    for (const int32_t column : columns[labels[i]]) {
      pairs.emplace(static_cast<int32_t>(i / num_true), column);
    }
  }
  Vector<int32_t> hits;
  for (const auto& [row, column] : pairs) hits.insert(hits.end(), {row, column});
  return hits;
}

void CheckPositions(const Plan& plan, const Vector<int32_t>& positions, const Array<int64_t>& ids) {
  REQUIRE(static_cast<int64_t>(positions.size()) == ids.size(), "%zu positions", positions.size());
  for (int64_t i = 0; i < ids.size(); ++i) {
    REQUIRE(positions[i] >= 0 && positions[i] < static_cast<int64_t>(plan.ids.size()),
            "position %d", positions[i]);
    REQUIRE(plan.ids[positions[i]] == ids[i], "id %ld at the position of %ld",
            plan.ids[positions[i]], ids[i]);
  }
}

}  // namespace

FUZZ_TARGET(plan) {
  const bool unique = bytes->Bool();
  const Copies copies = static_cast<Copies>(bytes->Int(0, 2));
  const int64_t batch = bytes->Int(0, 40), num_true = bytes->Int(1, 4);
  const Array<int64_t> sampled = Ids(bytes, bytes->Int(0, 255));
  const Array<int64_t> labels = Ids(bytes, batch * num_true);
  const Plan plan = (unique ? UniquePlan : OccurrencePlan)(sampled.data(), sampled.size(),
                                                           labels.data(), batch, num_true, copies);
  CheckPositions(plan, plan.sampled_positions, sampled);
  CheckPositions(plan, plan.true_positions, labels);
  if (unique) {
    REQUIRE(plan.ids == FirstAppearances(sampled, labels), "%zu ids", plan.ids.size());
  } else {
    REQUIRE(static_cast<int64_t>(plan.ids.size()) == sampled.size() + labels.size(), "%zu ids",
            plan.ids.size());
  }
  Vector<int32_t> hits;
  if (copies != Copies::kNone) hits = NaiveHits(sampled, labels, num_true, copies);
  REQUIRE(plan.hits == hits, "%zu numbers of hits, wanted %zu", plan.hits.size(), hits.size());
}

}  // namespace sampled_compat
