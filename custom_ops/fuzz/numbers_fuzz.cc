// Conversions between types, and the logarithms of expected counts.
#include "../kernels/log_offset.h"
#include "numbers.h"

namespace sampled_compat {
namespace {

// A narrow format: its fraction's bits, and the exponents of its smallest and largest numbers.
struct Format {
  int fraction_bits, least_exponent, most_exponent;
};
constexpr Format kHalfFormat{10, -14, 15}, kBfloat16Format{7, -126, 127};

double Decode(const Format& format, uint16_t bits) {
  const int exponent_bits = 15 - format.fraction_bits;
  const int exponent = bits >> format.fraction_bits & ((1 << exponent_bits) - 1);
  const int fraction = bits & ((1 << format.fraction_bits) - 1);
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1) {
    return fraction != 0 ? std::nan("") : sign * std::numeric_limits<double>::infinity();
  }
  const int whole = exponent > 0 ? 1 << format.fraction_bits : 0;
  return sign * std::ldexp(whole + fraction, std::max(exponent, 1) - 1 + format.least_exponent -
                                                 format.fraction_bits);
}

// The nearest number of the format, ties to even.
double Round(const Format& format, double x) {
  if (!std::isfinite(x) || x == 0) return x;
  const int unit = std::max(std::ilogb(x), format.least_exponent) - format.fraction_bits;
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(x, -unit)), unit);
  return std::fabs(rounded) < std::ldexp(1, format.most_exponent + 1)
             ? rounded
             : std::copysign(std::numeric_limits<double>::infinity(), x);
}

// The kernels treat denormal numbers as zero, as TensorFlow's threads do.
bool SameOrFlushed(double got, double wanted, double smallest) {
  if (std::isnan(wanted)) return std::isnan(got);
  return got == wanted || (got == 0 && std::fabs(wanted) < smallest);
}

constexpr double kSmallestFloat = std::numeric_limits<float>::min();

template <typename T>
void CheckNarrow(FloatType type, const Format& format, const Array<T>& values) {
  const Array<uint16_t> narrow(values.size());
  ConvertTo<T>(type, values.data(), values.size(), narrow.data());
  for (int64_t i = 0; i < values.size(); ++i) {
    // A double goes by way of float, as in TensorFlow.
    const double wanted = Round(format, static_cast<float>(values[i]));
    const double got = Decode(format, narrow[i]);
    // The largest denormal float rounds to the smallest normal number.
    REQUIRE(SameOrFlushed(got, wanted, kSmallestFloat) ||
                (got == 0 && std::fabs(double(values[i])) < kSmallestFloat),
            "%.17g gives %.17g, wanted %.17g", double(values[i]), got, wanted);
  }
  const Array<T> wide(values.size());
  ConvertFrom<T>(type, narrow.data(), narrow.size(), wide.data());
  for (int64_t i = 0; i < wide.size(); ++i) {
    REQUIRE(SameOrFlushed(wide[i], Decode(format, narrow[i]), kSmallestFloat), "%#x gives %.17g",
            narrow[i], double(wide[i]));
  }
}

template <typename T, typename Other>
void CheckWide(FloatType type, const Array<T>& values) {
  const Array<Other> other(values.size());
  ConvertTo<T>(type, values.data(), values.size(), other.data());
  const Array<T> back(values.size());
  ConvertFrom<T>(type, other.data(), other.size(), back.data());
  for (int64_t i = 0; i < values.size(); ++i) {
    const Other wanted = static_cast<Other>(values[i]);
    REQUIRE(SameOrFlushed(other[i], wanted, kSmallestFloat) ||
                (other[i] == 0 && std::fabs(double(values[i])) < kSmallestFloat),
            "%.17g gives %.17g", double(values[i]), double(other[i]));
    REQUIRE(SameOrFlushed(back[i], static_cast<T>(other[i]), kSmallestFloat), "%.17g gives %.17g",
            double(other[i]), double(back[i]));
  }
}

// Any numbers, any bits.
template <typename T>
Array<T> AnyNumbers(Bytes* bytes) {
  Array<T> values = Numbers<T>(bytes, bytes->Int(0, 200), 3, true);
  for (int64_t i = 0; i < std::min<int64_t>(values.size(), 8); ++i) values[i] = bytes->Any<T>();
  return values;
}

template <typename T>
void AttemptConvert(Bytes* bytes) {
  const Array<T> values = AnyNumbers<T>(bytes);
  CheckNarrow<T>(FloatType::kHalf, kHalfFormat, values);
  CheckNarrow<T>(FloatType::kBfloat16, kBfloat16Format, values);
  CheckWide<T, float>(FloatType::kFloat, values);
  CheckWide<T, double>(FloatType::kDouble, values);
}

template <typename T>
void AttemptLogOffset(Bytes* bytes) {
  const Array<T> counts = AnyNumbers<T>(bytes);
  if (bytes->Bool()) {
    for (T& count : counts) count = std::fabs(count);
  }
  const Array<T> offsets(counts.size());
  const int64_t bad = LogOffset<T>(counts.data(), counts.size(), offsets.data());
  REQUIRE(bad >= -1 && bad < counts.size(), "bad index %ld", bad);
  const auto is_valid = [](T x) { return x > 0 && std::isfinite(x); };
  for (int64_t i = 0; i < (bad < 0 ? counts.size() : bad); ++i) {
    REQUIRE(is_valid(counts[i]), "%g passed", double(counts[i]));
  }
  REQUIRE(bad < 0 || !is_valid(counts[bad]), "%g did not pass", double(counts[bad]));
  for (int64_t i = 0; bad < 0 && i < counts.size(); ++i) {
    const double wanted = -std::log(double(counts[i]));
    const double error = 2 * double(std::numeric_limits<T>::epsilon()) * std::fabs(wanted);
    REQUIRE(std::fabs(offsets[i] - wanted) <= error, "%.17g gives %.17g, wanted %.17g",
            double(counts[i]), double(offsets[i]), wanted);
  }
}

}  // namespace

FUZZ_TARGET(convert) {
  bytes->Bool() ? AttemptConvert<double>(bytes) : AttemptConvert<float>(bytes);
}

FUZZ_TARGET(log_offset) {
  bytes->Bool() ? AttemptLogOffset<double>(bytes) : AttemptLogOffset<float>(bytes);
}

}  // namespace sampled_compat
