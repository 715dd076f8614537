// Checks each function's error against the limits in vector_math.h, over every exponent, by long
// doubles.
#include "../vector_math.h"

#include "check.h"

namespace sampled_compat {
namespace {

using Wide = long double;

template <typename T>
T FromBits(uint64_t bits) {
  T value;
  if (sizeof(T) == 4) {
    const uint32_t low = static_cast<uint32_t>(bits);
    std::memcpy(&value, &low, sizeof(value));
  } else {
    std::memcpy(&value, &bits, sizeof(value));
  }
  return value;
}

// Calls f on values that cover all bit patterns evenly, and so every exponent, and on corner cases.
template <typename T, typename F>
void ForAllMagnitudes(F f) {
  constexpr int kWidth = Simd<T>::kWidth;
#ifdef SAMPLED_COMPAT_QUICK_TESTS
  const uint64_t kCount = 300000;
#else
  const uint64_t kCount = 3000000;
#endif
  const uint64_t step = sizeof(T) == 4 ? (uint64_t{1} << 32) / kCount | 1
                                       : std::numeric_limits<uint64_t>::max() / kCount | 1;
  const T inf = std::numeric_limits<T>::infinity();
  std::vector<T> values = {0,
                           -T(0),
                           inf,
                           -inf,
                           std::numeric_limits<T>::quiet_NaN(),
                           std::numeric_limits<T>::denorm_min(),
                           std::numeric_limits<T>::min(),
                           std::numeric_limits<T>::max(),
                           std::numeric_limits<T>::lowest(),
                           1,
                           -1};
  for (uint64_t i = 0; i < kCount; ++i) values.push_back(FromBits<T>(i * step));
  // The range where exp is finite and not zero, evenly.
  for (int i = -800000; i < 800000; ++i) values.push_back(T(i) * T(0.00091));
  while (values.size() % kWidth != 0) values.push_back(0);
  for (size_t i = 0; i < values.size(); i += kWidth) f(&values[i]);
}

template <typename T, typename Vectorised, typename Reference>
void CheckFunction(const char* name, double ulp, bool negative_too, Vectorised vectorised,
                   Reference reference) {
  double worst = 0;
  T worst_at = 0;
  ForAllMagnitudes<T>([&](const T* x) {
    T y[Simd<T>::kWidth];
    Store<T>(y, vectorised(Load<T>(x)));
    for (int i = 0; i < Simd<T>::kWidth; ++i) {
      if (!negative_too && x[i] < 0) continue;
      const Wide wanted = reference(static_cast<Wide>(x[i]));
      double error;
      if (sizeof(T) == 4 || std::isnan(wanted) || std::isinf(wanted) || std::isinf(y[i]) ||
          std::isnan(y[i])) {
        error = UlpError<T>(y[i], static_cast<double>(wanted));
      } else {
        int exponent;
        std::frexp(static_cast<double>(wanted), &exponent);
        exponent = std::max(exponent, std::numeric_limits<T>::min_exponent);
        error = static_cast<double>(std::fabs(static_cast<Wide>(y[i]) - wanted) /
                                    std::ldexp(Wide(1), exponent - 53));
      }
      if (error > worst) worst = error, worst_at = x[i];
    }
  });
  std::printf("  %s<%s>: %.3f ulp at %.17g\n", name, sizeof(T) == 4 ? "float" : "double", worst,
              static_cast<double>(worst_at));
  CHECK_THAT(worst <= ulp, "%s: %.3f ulp at %.17g, stated %.1f", name, worst,
             static_cast<double>(worst_at), ulp);
}

template <typename T>
void CheckAll() {
  using V = typename Simd<T>::V;
  CheckFunction<T>(
      "Exp", 1.5, true, [](V x) { return Exp<T>(x); }, [](Wide x) { return std::exp(x); });
  CheckFunction<T>(
      "Log", 1.0, true, [](V x) { return Log<T>(x); }, [](Wide x) { return std::log(x); });
  CheckFunction<T>(
      "Log1p", 3.0, false, [](V x) { return Log1p<T>(x); }, [](Wide x) { return std::log1p(x); });
  CheckFunction<T>(
      "Sigmoid", 3.0, true, [](V x) { return Sigmoid<T>(x); },
      [](Wide x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); });
  CheckFunction<T>(
      "Softplus", 3.0, true, [](V x) { return Softplus<T>(x); },
      [](Wide x) {
        return (x > 0 ? x : 0) + (std::isnan(x) ? x : 0) + std::log1p(std::exp(-std::fabs(x)));
      });
}

}  // namespace
}  // namespace sampled_compat

int main() {
  sampled_compat::CheckAll<float>();
  sampled_compat::CheckAll<double>();
  return sampled_compat::Report("vector_math_test");
}
