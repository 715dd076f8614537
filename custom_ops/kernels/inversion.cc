#include "inversion.h"

namespace sampled_compat {
namespace {

// 2^61 * 2^(1 / 2), 2^61 * 2^(1 / 4), ..., each rounded down.
constexpr int64_t kRoots[2 * PowerTables::kBits] = {
    3260954456333195553, 2742124912636209755, 2514539631859660217, 2407931400915394244,
    2356334396359501941, 2330951993331335644, 2318363508735371994, 2312094783834258859,
    2308966780606354387, 2307404366288625033, 2306623555640534003, 2306233249405046486,
    2306038121054551853, 2305940563070505617, 2305891785626206376, 2305867397290978176,
    2305855203220093237, 2305849106208832909, 2305846057709248261, 2305844533460967314,
    2305843771337204685, 2305843390275417831};

// Entry i is the product of the roots whose bits are set in i; the first root has the highest bit.
void Products(const int64_t* roots, int64_t* table) {
  table[0] = int64_t{1} << 61;
  for (int bit = 0; bit < PowerTables::kBits; ++bit) {
    const int64_t root = roots[PowerTables::kBits - 1 - bit];
    for (int i = 0; i < 1 << bit; ++i) {
      table[(1 << bit) + i] =
          static_cast<int64_t>(static_cast<unsigned __int128>(table[i]) * root >> 61);
    }
  }
}

}  // namespace

PowerTables::PowerTables() {
  Products(kRoots, coarse);
  Products(kRoots + kBits, fine);
}

const PowerTables& Powers() {
  static const PowerTables* const powers = new PowerTables;
  return *powers;
}

}  // namespace sampled_compat
