// Shared by the tests: a check that reports and goes on, random numbers, and errors in ulp.
#ifndef SAMPLED_COMPAT_KERNELS_TESTS_CHECK_H_
#define SAMPLED_COMPAT_KERNELS_TESTS_CHECK_H_

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <random>
#include <vector>

namespace sampled_compat {

inline int& Failures() {
  static int failures = 0;
  return failures;
}

#define CHECK_THAT(condition, ...)                                         \
  do {                                                                     \
    if (!(condition) && ++::sampled_compat::Failures() <= 20) {            \
      std::printf("%s:%d: %s is false: ", __FILE__, __LINE__, #condition); \
      std::printf(__VA_ARGS__);                                            \
      std::printf("\n");                                                   \
    }                                                                      \
  } while (0)

inline int Report(const char* name) {
  std::printf("%s: %s\n", name, Failures() == 0 ? "passed" : "FAILED");
  return Failures() == 0 ? 0 : 1;
}

// |got - wanted| in units of the spacing of T's numbers at `wanted`.
template <typename T>
double UlpError(T got, double wanted) {
  if (std::isnan(wanted)) return std::isnan(got) ? 0 : 1e30;
  if (static_cast<double>(got) == wanted) return 0;
  const double largest = std::numeric_limits<T>::max();
  if (std::isinf(got) && std::fabs(wanted) >= largest) return 0;
  if (std::isinf(got) || std::isnan(got)) return 1e30;
  int exponent;
  std::frexp(wanted, &exponent);
  exponent = std::max(exponent, std::numeric_limits<T>::min_exponent);
  return std::fabs(got - wanted) / std::ldexp(1.0, exponent - std::numeric_limits<T>::digits);
}

template <typename T>
std::vector<T> RandomVector(size_t n, uint32_t seed, double scale) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal(0.0, scale);
  std::vector<T> values(n);
  for (T& value : values) value = static_cast<T>(normal(generator));
  return values;
}

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_KERNELS_TESTS_CHECK_H_
