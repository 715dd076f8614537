#include "op_inputs.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "../fake_tensorflow/objects.h"
#include "../kernels/sampled_loss.h"
#include "numbers.h"

namespace sampled_compat {
namespace {

using fake_tensorflow::Attribute;
using fake_tensorflow::Tensor;

constexpr int64_t kMostBytes = 1 << 20;

int64_t AnyInt(Bytes* bytes) {
  switch (bytes->Int(0, 4)) {
    case 0:
      return bytes->Int(0, 9);
    case 1:
      return bytes->Int(-2, 300);
    case 2:
      return (int64_t{1} << bytes->Int(0, 62)) + bytes->Int(-2, 2);
    case 3:
      // A whole part in the upper bits, as log2_range has.
      return (bytes->Int(0, 62) << 56) + bytes->Int(0, (int64_t{1} << 56) - 1);
    default:
      return bytes->Any<int64_t>();
  }
}

// Random numbers and a few special ones, in a format of any width.
template <typename T>
void FillNumbers(Bytes* bytes, const Tensor& tensor) {
  const Array<T> numbers = Numbers<T>(bytes, tensor.count(), 2, bytes->Bool());
  std::copy(numbers.begin(), numbers.end(), tensor.As<T>());
}

void FillNarrow(Bytes* bytes, const Tensor& tensor, FloatType type) {
  const Array<float> numbers = Numbers<float>(bytes, tensor.count(), 2, bytes->Bool());
  ConvertTo<float>(type, numbers.data(), numbers.size(), tensor.data());
}

}  // namespace

const std::vector<KnownOp>& KnownOps() {
  static const auto* const ops = [] {
    const std::vector<std::string> sampled = {"BD", "UD", "U", "S", "BT", "H2", "BT", "S"};
    const auto with = [&](std::vector<std::string> more) {
      more.insert(more.begin(), sampled.begin(), sampled.end());
      return more;
    };
    return new std::vector<KnownOp>{
        {"SampledCompat>SampledLoss", sampled},
        {"SampledCompat>SampledTerms", sampled},
        {"SampledCompat>SampledLossGrad", with({"2B", "K", "B"})},
        {"SampledCompat>SampledTermsGrad", with({"2B", "K", "B", "BT"})},
        {"SampledCompat>FullReduce", {"BD", "UD", "U", "BT"}},
        {"SampledCompat>FullReduceGrad", {"BD", "UD", "U", "BT", "B", "B", "BT"}},
        {"SampledCompat>FullTopK", {"BD", "UD", "U", "", "B"}},
        {"SampledCompat>TapasScores", {"BD", "SD", "S", ""}},
        {"SampledCompat>Plan", {"BT", "S"}},
        {"SampledCompat>ClassIds", {"BT"}},
        {"SampledCompat>LogOffset", {"BT"}},
        {"SampledCompat>StatelessDraws", {"2"}},
        {"SampledCompat>DrawsPiece", {"2", "U", "S", ""}},
        {"SampledCompat>RowLogits", {"BD", "UD", "U", "BS"}},
        {"SampledCompat>RowLogitsGrad", {"BD", "UD", "U", "BS", "BS"}},
    };
  }();
  return *ops;
}

OpInputs::OpInputs(Bytes* bytes, const KnownOp& op)
    : batch_(bytes->Int(0, 40)),
      dim_(bytes->Int(0, 24)),
      rows_(bytes->Int(0, 80)),
      num_sampled_(bytes->Int(0, 60)),
      num_true_(bytes->Int(1, 3)),
      num_hits_(bytes->Int(0, 6)) {
  MakeAttributes(bytes, op.name);
  const std::vector<std::string> words = fake_tensorflow::InputsOf(op.name);
  REQUIRE(words.size() == op.shapes.size(), "%s has %zu inputs", op.name.c_str(), words.size());
  for (size_t i = 0; i < words.size(); ++i) {
    inputs_.push_back(Make(bytes, words[i], Dims(bytes, op.shapes[i])));
  }
}

void OpInputs::MakeAttributes(Bytes* bytes, const std::string& op) {
  for (const std::string& words : fake_tensorflow::AttributesOf(op)) {
    const auto definition = fake_tensorflow::ParseAttribute(words);
    Attribute& value = attributes_[definition.name];
    if (bytes->Rarely(64)) {
      attributes_.erase(definition.name);  // Missing, or its default.
    } else if (!definition.choices.empty()) {
      const auto& choices = definition.choices;
      const std::string& choice = choices[bytes->Int(0, choices.size() - 1)];
      value = definition.type == "type" ? Attribute(fake_tensorflow::TypeOf(choice))
                                        : Attribute(choice);
    } else if (definition.type == "int") {
      // So many draws take long by nature.
      const bool few = definition.name == "num_sampled" && !bytes->Rarely(16);
      value = few ? bytes->Int(0, 300) : AnyInt(bytes);
    } else if (definition.type == "bool") {
      value = bytes->Bool();
    } else {
      value = definition.type == "type" ? Attribute(TF_FLOAT) : Attribute("text");
    }
  }
  // Computing in double goes with double inputs; else all would be refused.
  const auto inputs = attributes_.find("T"), computed = attributes_.find("Tc");
  if (inputs == attributes_.end() || computed == attributes_.end() || bytes->Rarely(16)) return;
  const bool is_double = inputs->second == Attribute(TF_DOUBLE);
  if (op != "SampledCompat>LogOffset") computed->second = is_double ? TF_DOUBLE : TF_FLOAT;
}

int64_t OpInputs::SizeOfLetter(char letter) const {
  const auto type = attributes_.find("Tc");
  const bool is_double = type != attributes_.end() && type->second == Attribute(TF_DOUBLE);
  switch (letter) {
    case 'B':
      return batch_;
    case 'D':
      return dim_;
    case 'U':
      return rows_;
    case 'S':
      return num_sampled_;
    case 'T':
      return num_true_;
    case 'H':
      return num_hits_;
    case 'K':
      return is_double ? KeptCount<double>(batch_, num_sampled_)
                       : KeptCount<float>(batch_, num_sampled_);
    default:
      return letter - '0';
  }
}

std::vector<int64_t> OpInputs::Dims(Bytes* bytes, const std::string& letters) const {
  std::vector<int64_t> dims;
  if (bytes->Rarely(16)) {
    for (int64_t rank = bytes->Int(0, 3); rank > 0; --rank) dims.push_back(bytes->Int(0, 12));
  } else {
    for (const char letter : letters) dims.push_back(SizeOfLetter(letter));
  }
  if (dims.empty() || !bytes->Rarely(16)) return dims;
  // Also sizes that no memory holds, which a tensor without elements may have.
  const int64_t at = bytes->Int(0, dims.size() - 1);
  dims[at] = bytes->Bool() ? bytes->Int(0, 12) : int64_t{1} << bytes->Int(0, 62);
  if (bytes->Bool()) dims.back() = 0;
  return dims;
}

Tensor OpInputs::Make(Bytes* bytes, const std::string& words, std::vector<int64_t> dims) {
  const fake_tensorflow::Argument argument = fake_tensorflow::ParseArgument(words);
  const auto attribute = attributes_.find(argument.type);
  const TF_DataType type = bytes->Rarely(128) ? TF_INT32
                           : attribute != attributes_.end()
                               ? std::get<TF_DataType>(attribute->second)
                           : argument.type.size() < 3 ? TF_FLOAT  // The attribute is missing.
                                                      : fake_tensorflow::TypeOf(argument.type);
  const int64_t size = fake_tensorflow::BytesOf(type, dims.data(), static_cast<int>(dims.size()));
  if (size < 0 || size > kMostBytes) dims = {};
  const Tensor tensor(type, std::move(dims));
  switch (type) {
    case TF_INT64:
      FillIds(bytes, tensor);
      break;
    case TF_INT32:
      FillPositions(bytes, argument.name, tensor);
      break;
    case TF_FLOAT:
      FillNumbers<float>(bytes, tensor);
      break;
    case TF_DOUBLE:
      FillNumbers<double>(bytes, tensor);
      break;
    case TF_HALF:
      FillNarrow(bytes, tensor, FloatType::kHalf);
      break;
    case TF_BFLOAT16:
      FillNarrow(bytes, tensor, FloatType::kBfloat16);
      break;
  }
  // A temperature and expected counts are positive.
  if (type == TF_FLOAT && bytes->Bool()) {
    for (int64_t i = 0; i < tensor.count(); ++i) {
      tensor.As<float>()[i] = std::fabs(tensor.As<float>()[i]);
    }
  }
  return tensor;
}

void OpInputs::FillIds(Bytes* bytes, const Tensor& ids) const {
  Mixer mixer(bytes->Any<uint8_t>());
  for (int64_t i = 0; i < ids.count(); ++i) {
    ids.As<int64_t>()[i] = mixer.Below(std::max<int64_t>(1, rows_));
  }
  for (int64_t left = ids.count() > 0 ? bytes->Int(0, 3) : 0; left > 0; --left) {
    const int64_t at = bytes->Int(0, ids.count() - 1);
    ids.As<int64_t>()[at] = AnyInt(bytes);
  }
}

void OpInputs::FillPositions(Bytes* bytes, const std::string& name, const Tensor& positions) const {
  int32_t* const values = positions.As<int32_t>();
  const int64_t count = positions.count();
  Mixer mixer(bytes->Any<uint8_t>());
  for (int64_t i = 0; i < count; ++i) {
    values[i] = static_cast<int32_t>(mixer.Below(std::max<int64_t>(1, rows_)));
  }
  if (name == "hits") {
    std::vector<std::pair<int32_t, int32_t>> pairs(count / 2);
    for (auto& [row, column] : pairs) {
      row = static_cast<int32_t>(mixer.Below(std::max<int64_t>(1, batch_)));
      column = static_cast<int32_t>(mixer.Below(std::max<int64_t>(1, num_sampled_)));
    }
    std::sort(pairs.begin(), pairs.end());
    if (!pairs.empty()) std::memcpy(values, pairs.data(), pairs.size() * sizeof(pairs[0]));
  }
  if (count == 0 || !bytes->Rarely(4)) return;
  const int64_t at = bytes->Int(0, count - 1);
  values[at] =
      bytes->Bool() ? static_cast<int32_t>(rows_ + bytes->Int(-1, 1)) : bytes->Any<int32_t>();
}

std::vector<fake_tensorflow::Shape> OpInputs::KnownShapes(Bytes* bytes) const {
  std::vector<fake_tensorflow::Shape> shapes;
  for (const Tensor& input : inputs_) {
    std::vector<int64_t> dims = input.dims();
    for (int64_t& d : dims) {
      if (bytes->Rarely(4)) d = -1;
    }
    shapes.push_back(bytes->Rarely(8) ? fake_tensorflow::Shape() : fake_tensorflow::Shape(dims));
  }
  return shapes;
}

}  // namespace sampled_compat
