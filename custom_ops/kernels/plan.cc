#include "plan.h"

#include <algorithm>
#include <numeric>

namespace sampled_compat {
namespace {

// Open addressing over int64 keys. The positions are the values; the keys live in `ids`.
class PositionTable {
 public:
  PositionTable(int64_t capacity, Vector<int64_t>* ids) : ids_(*ids) {
    int bits = 4;
    while ((int64_t{1} << bits) < 2 * capacity) ++bits;
    shift_ = 64 - bits;
    mask_ = (uint64_t{1} << bits) - 1;
    slots_.assign(mask_ + 1, -1);
  }

  // Returns the position of `id`; a new id is appended.
  int32_t FindOrAdd(int64_t id) {
    const uint64_t slot = Slot(id);
    if (slots_[slot] < 0) {
      slots_[slot] = static_cast<int32_t>(ids_.size());
      ids_.push_back(id);
    }
    return slots_[slot];
  }

  // The position of `id`, or -1.
  int32_t Find(int64_t id) const { return slots_[Slot(id)]; }

 private:
  // Where `id` is, or would be.
  uint64_t Slot(int64_t id) const {
    // Fibonacci hashing: the high bits of the product depend on every bit of the id, so ids in
    // steps of a power of two do not collide.
    uint64_t slot = (static_cast<uint64_t>(id) * 0x9e3779b97f4a7c15u) >> shift_;
    while (slots_[slot] >= 0 && ids_[slots_[slot]] != id) slot = (slot + 1) & mask_;
    return slot;
  }

  Vector<int64_t>& ids_;
  Vector<int32_t> slots_;
  int shift_;
  uint64_t mask_;
};

// The columns in which each distinct sampled id stands; ids go by their positions.
class Columns {
 public:
  explicit Columns(Copies copies) : copies_(copies) {}

  // Takes the columns in ascending order.
  void Add(int32_t position, int32_t column) {
    if (position == static_cast<int32_t>(last_.size())) last_.push_back(-1);
    if (copies_ == Copies::kAll) before_.push_back(last_[position]);
    last_[position] = column;
  }

  // Pairs (row, column), given the positions of the labels: -1 or more than there are sampled ids
  // for a label that was not sampled.
  Vector<int32_t> Hits(const int32_t* label_positions, int64_t batch, int64_t num_true) const {
    Vector<int32_t> hits, of_row;
    for (int64_t b = 0; b < batch; ++b) {
      of_row.clear();
      for (int64_t t = 0; t < num_true; ++t) {
        const int32_t position = label_positions[b * num_true + t];
        if (position < 0 || position >= static_cast<int32_t>(last_.size())) continue;
        int32_t column = last_[position];
        do {
          of_row.push_back(column);
          column = copies_ == Copies::kAll ? before_[column] : -1;
        } while (column >= 0);
      }
      std::sort(of_row.begin(), of_row.end());
      of_row.erase(std::unique(of_row.begin(), of_row.end()), of_row.end());
      for (const int32_t column : of_row) {
        hits.push_back(static_cast<int32_t>(b));
        hits.push_back(column);
      }
    }
    return hits;
  }

 private:
  const Copies copies_;
  // The last column of an id, and for each column the one before with the same id, or -1.
  Vector<int32_t> last_, before_;
};

}  // namespace

Plan UniquePlan(const int64_t* sampled, int64_t num_sampled, const int64_t* labels, int64_t batch,
                int64_t num_true, Copies hits) {
  Plan plan;
  plan.ids.reserve(num_sampled + batch * num_true);
  PositionTable table(num_sampled + batch * num_true, &plan.ids);
  plan.sampled_positions.resize(num_sampled);
  Columns columns(hits);
  for (int64_t s = 0; s < num_sampled; ++s) {
    plan.sampled_positions[s] = table.FindOrAdd(sampled[s]);
    columns.Add(plan.sampled_positions[s], static_cast<int32_t>(s));
  }
  plan.true_positions.resize(batch * num_true);
  for (int64_t i = 0; i < batch * num_true; ++i) {
    plan.true_positions[i] = table.FindOrAdd(labels[i]);
  }
  if (hits != Copies::kNone) {
    plan.hits = columns.Hits(plan.true_positions.data(), batch, num_true);
  }
  return plan;
}

Plan OccurrencePlan(const int64_t* sampled, int64_t num_sampled, const int64_t* labels,
                    int64_t batch, int64_t num_true, Copies hits) {
  const int64_t num_labels = batch * num_true;
  Plan plan;
  plan.ids.reserve(num_labels + num_sampled);
  plan.ids.assign(labels, labels + num_labels);
  plan.ids.insert(plan.ids.end(), sampled, sampled + num_sampled);
  plan.true_positions.resize(num_labels);
  plan.sampled_positions.resize(num_sampled);
  std::iota(plan.true_positions.begin(), plan.true_positions.end(), 0);
  std::iota(plan.sampled_positions.begin(), plan.sampled_positions.end(),
            static_cast<int32_t>(num_labels));
  if (hits == Copies::kNone) return plan;
  Vector<int64_t> distinct;
  distinct.reserve(num_sampled);
  PositionTable table(num_sampled, &distinct);
  Columns columns(hits);
  for (int64_t s = 0; s < num_sampled; ++s) {
    columns.Add(table.FindOrAdd(sampled[s]), static_cast<int32_t>(s));
  }
  Vector<int32_t> positions(num_labels);
  for (int64_t i = 0; i < num_labels; ++i) positions[i] = table.Find(labels[i]);
  plan.hits = columns.Hits(positions.data(), batch, num_true);
  return plan;
}

}  // namespace sampled_compat
