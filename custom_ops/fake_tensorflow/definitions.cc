// The registered ops: their definitions, parsed, and the check of a node against its op's.
#include <algorithm>
#include <cstring>

#include "objects.h"

namespace fake_tensorflow {
namespace {

// Never destroyed, as ops are registered while other static objects are made.
std::map<std::string, Op>& Ops() {
  static auto* const ops = new std::map<std::string, Op>;
  return *ops;
}

std::string Trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(' '), last = text.find_last_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(Trimmed(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return parts;
}

const std::map<std::string, TF_DataType>& Types() {
  static const auto* const types = new std::map<std::string, TF_DataType>{
      {"float", TF_FLOAT}, {"double", TF_DOUBLE},     {"int32", TF_INT32},
      {"int64", TF_INT64}, {"bfloat16", TF_BFLOAT16}, {"half", TF_HALF}};
  return *types;
}

std::string NameOf(TF_DataType type) {
  for (const auto& [name, value] : Types()) {
    if (value == type) return name;
  }
  return "type " + std::to_string(static_cast<int>(type));
}

std::string WordOf(const Attribute& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* type = std::get_if<TF_DataType>(&value)) return NameOf(*type);
  return "";
}

bool HasType(const Attribute& value, const std::string& type) {
  return (type == "int" && std::holds_alternative<int64_t>(value)) ||
         (type == "bool" && std::holds_alternative<bool>(value)) ||
         (type == "string" && std::holds_alternative<std::string>(value)) ||
         (type == "type" && std::holds_alternative<TF_DataType>(value));
}

std::string Problem(const AttributeDefinition& definition, const Attribute& value) {
  if (!HasType(value, definition.type)) return "is not of type " + definition.type;
  if (definition.least && std::get<int64_t>(value) < *definition.least) {
    return "must be at least minimum " + std::to_string(*definition.least);
  }
  const auto& choices = definition.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), WordOf(value)) == choices.end())
    return "is not in the list of allowed values";
  return "";
}

}  // namespace

TF_DataType TypeOf(const std::string& name) {
  const auto type = Types().find(name);
  if (type == Types().end()) Broken("the type %s is unknown", name.c_str());
  return type->second;
}

TF_DataType TypeOf(const Argument& argument, const AttributeValues& attributes) {
  const auto attribute = attributes.find(argument.type);
  return attribute == attributes.end() ? TypeOf(argument.type)
                                       : std::get<TF_DataType>(attribute->second);
}

Argument ParseArgument(const std::string& words) {
  const auto parts = Split(words, ':');
  if (parts.size() != 2) Broken("'%s' is not 'name: type'", words.c_str());
  return {parts[0], parts[1]};
}

// "name: type", with "= default" or ">= minimum"; the type may be a list of texts or of types.
AttributeDefinition ParseAttribute(const std::string& words) {
  AttributeDefinition definition;
  Argument argument = ParseArgument(words);
  definition.name = argument.name;
  std::string rest = argument.type;
  const size_t equals = rest.find('=');
  std::string bound;
  if (equals != std::string::npos) {
    bound = Trimmed(rest.substr(equals + 1));
    const bool least = equals > 0 && rest[equals - 1] == '>';
    rest = Trimmed(rest.substr(0, equals - least));
    if (least) definition.least = std::stoll(bound);
  }
  if (rest.front() == '{') {
    for (const std::string& choice : Split(rest.substr(1, rest.size() - 2), ',')) {
      const bool text = choice.front() == '\'';
      definition.type = text ? "string" : "type";
      definition.choices.push_back(text ? choice.substr(1, choice.size() - 2) : choice);
    }
  } else {
    definition.type = rest;
  }
  if (!bound.empty() && !definition.least) {
    if (definition.type == "int") definition.standard = Attribute(int64_t{std::stoll(bound)});
    if (definition.type == "bool") definition.standard = Attribute(bound == "true");
    if (definition.type == "type") definition.standard = Attribute(TypeOf(bound));
    if (definition.type == "string") {
      definition.standard = Attribute(bound.substr(1, bound.size() - 2));
    }
  }
  const char* const known[] = {"int", "bool", "string", "type"};
  if (std::find(known, known + 4, definition.type) == known + 4) {
    Broken("'%s' is of an unknown type", words.c_str());
  }
  return definition;
}

std::string Complete(const Op& op, AttributeValues* attributes) {
  for (const AttributeDefinition& definition : op.attributes) {
    const auto value = attributes->find(definition.name);
    if (value == attributes->end()) {
      if (!definition.standard) return op.name + ": missing attr '" + definition.name + "'";
      (*attributes)[definition.name] = *definition.standard;
    } else if (const std::string problem = Problem(definition, value->second); !problem.empty()) {
      return op.name + ": attr '" + definition.name + "' " + problem;
    }
  }
  for (const auto& [name, value] : *attributes) {
    const auto has_name = [&name = name](const auto& d) { return d.name == name; };
    if (std::none_of(op.attributes.begin(), op.attributes.end(), has_name)) {
      return op.name + ": no attr named '" + name + "'";
    }
  }
  return "";
}

const Op& FindOp(const std::string& name) {
  const auto op = Ops().find(name);
  if (op == Ops().end() || op->second.compute == nullptr) Broken("no op %s", name.c_str());
  return op->second;
}

std::vector<std::string> OpNames() {
  std::vector<std::string> names;
  for (const auto& [name, op] : Ops()) names.push_back(name);
  return names;
}

std::vector<std::string> InputsOf(const std::string& op) { return FindOp(op).input_words; }
std::vector<std::string> OutputsOf(const std::string& op) { return FindOp(op).output_words; }
std::vector<std::string> AttributesOf(const std::string& op) { return FindOp(op).attribute_words; }

}  // namespace fake_tensorflow

using fake_tensorflow::Broken;
using fake_tensorflow::Enter;

extern "C" {

TF_OpDefinitionBuilder* TF_NewOpDefinitionBuilder(const char* op_name) {
  const Enter enter;
  auto* const builder = new TF_OpDefinitionBuilder;
  builder->op.name = op_name;
  return builder;
}

void TF_OpDefinitionBuilderAddAttr(TF_OpDefinitionBuilder* builder, const char* specification) {
  const Enter enter;
  builder->op.attribute_words.push_back(specification);
  builder->op.attributes.push_back(fake_tensorflow::ParseAttribute(specification));
}

void TF_OpDefinitionBuilderAddInput(TF_OpDefinitionBuilder* builder, const char* specification) {
  const Enter enter;
  builder->op.input_words.push_back(specification);
  builder->op.inputs.push_back(fake_tensorflow::ParseArgument(specification));
}

void TF_OpDefinitionBuilderAddOutput(TF_OpDefinitionBuilder* builder, const char* specification) {
  const Enter enter;
  builder->op.output_words.push_back(specification);
  builder->op.outputs.push_back(fake_tensorflow::ParseArgument(specification));
}

void TF_OpDefinitionBuilderSetShapeInferenceFunction(
    TF_OpDefinitionBuilder* builder,
    void (*function)(TF_ShapeInferenceContext* context, TF_Status* status)) {
  builder->op.infer = function;
}

// Takes the builder.
void TF_RegisterOpDefinition(TF_OpDefinitionBuilder* builder, TF_Status* status) {
  const Enter enter;
  const bool is_new = fake_tensorflow::Ops().emplace(builder->op.name, builder->op).second;
  if (!is_new) Broken("the op %s was registered before", builder->op.name.c_str());
  delete builder;
  TF_SetStatus(status, TF_OK, "");
}

TF_KernelBuilder* TF_NewKernelBuilder(const char* op_name, const char* device_name,
                                      void* (*create)(TF_OpKernelConstruction*),
                                      void (*compute)(void*, TF_OpKernelContext*),
                                      void (*destroy)(void*)) {
  const Enter enter;
  if (std::strcmp(device_name, "CPU") != 0) Broken("the device %s is unknown", device_name);
  auto* const builder = new TF_KernelBuilder;
  builder->op.name = op_name;
  builder->op.create = create;
  builder->op.compute = compute;
  builder->op.destroy = destroy;
  return builder;
}

// Takes the builder.
void TF_RegisterKernelBuilder(const char*, TF_KernelBuilder* builder, TF_Status* status) {
  const Enter enter;
  const auto op = fake_tensorflow::Ops().find(builder->op.name);
  if (op == fake_tensorflow::Ops().end()) Broken("a kernel of an unknown op");
  op->second.create = builder->op.create;
  op->second.compute = builder->op.compute;
  op->second.destroy = builder->op.destroy;
  delete builder;
  TF_SetStatus(status, TF_OK, "");
}

}  // extern "C"
