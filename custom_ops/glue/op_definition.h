// Registers an op and its CPU kernel through TensorFlow's C API.
//
// An op is a class:
//
//   struct Example {
//     static constexpr char kName[] = "SampledCompat>Example";
//     explicit Example(const Attributes& attributes);  // reads the attributes that Run needs
//     static void Shape(ShapeInference* shapes);       // sets the known shapes of the outputs
//     void Run(OpRun* run) const;                      // reads inputs, checks them, computes
//   };
//
// Register<Example>({attributes}, {inputs}, {outputs}) registers it. If the attribute Tc selects
// float or double, the op has `template <typename T> void Run(OpRun*) const` instead, and
// RegisterTyped registers it.
#ifndef SAMPLED_COMPAT_GLUE_OP_DEFINITION_H_
#define SAMPLED_COMPAT_GLUE_OP_DEFINITION_H_

#include <initializer_list>
#include <string>
#include <utility>

#include "barrier.h"
#include "op_run.h"
#include "tensorflow_c_api.h"

namespace sampled_compat {

// The attributes of one node of a graph. A missing attribute or an unknown value throws an OpError,
// so the kernel is never made.
class Attributes {
 public:
  explicit Attributes(TF_OpKernelConstruction* construction) : construction_(construction) {}

  bool Bool(const char* name) const;
  int64_t Int(const char* name) const;
  std::string String(const char* name) const;
  TF_DataType Type(const char* name) const;

  // The value that belongs to the attribute's word.
  template <typename E>
  E Choice(const char* name, std::initializer_list<std::pair<const char*, E>> choices) const {
    const std::string word = String(name);
    for (const auto& [candidate, value] : choices) {
      if (word == candidate) return value;
    }
    Fail(std::string(name) + " has no known value: '" + word + "'");
  }

  [[noreturn]] void Fail(const std::string& message) const;

 private:
  template <typename Read>
  void ReadInto(Read read) const;

  TF_OpKernelConstruction* const construction_;
};

// Shape inference: checks the ranks of the inputs and sets the shapes of the outputs. An output
// that is not set has an unknown shape.
class ShapeInference {
 public:
  ShapeInference(TF_ShapeInferenceContext* context, TF_Status* status);
  ~ShapeInference();
  ShapeInference(const ShapeInference&) = delete;
  ShapeInference& operator=(const ShapeInference&) = delete;

  // Fails unless the input has this rank or an unknown one.
  void CheckRank(int input, int rank);
  // The same for the inputs 0, 1, ...
  void CheckRanks(std::initializer_list<int> ranks);
  // The output has the shape of this input.
  void CopyShape(int output, int input);
  // The output is a vector, as long as this dimension of the input.
  void Vector(int output, int input, int dimension);

 private:
  bool ok() const;
  TF_ShapeInferenceContext* const context_;
  TF_Status* const status_;
  TF_ShapeHandle* const shape_;
};

// What the C API registers: names and plain functions.
struct OpDefinition {
  const char* name;
  std::initializer_list<const char*> attributes, inputs, outputs;
  void (*shape)(TF_ShapeInferenceContext*, TF_Status*);
  void* (*create)(TF_OpKernelConstruction*);
  void (*compute)(void*, TF_OpKernelContext*);
  void (*destroy)(void*);
};

// Sets the status to the error: to its code alone if there is no memory for its words.
void CopyStatus(const TF_Status& error, TF_Status* status);

void RegisterDefinition(const OpDefinition& definition);

// Each list holds specifications in the syntax of TensorFlow's REGISTER_OP.
template <typename Op>
void Register(std::initializer_list<const char*> attributes,
              std::initializer_list<const char*> inputs,
              std::initializer_list<const char*> outputs) {
  OpDefinition definition{Op::kName, attributes, inputs, outputs, {}, {}, {}, {}};
  definition.shape = [](TF_ShapeInferenceContext* context, TF_Status* status) {
    Guarded(
        Op::kName,
        [&] {
          ShapeInference shapes(context, status);
          Op::Shape(&shapes);
        },
        [&](TF_Status* error) { CopyStatus(*error, status); });
  };
  definition.create = [](TF_OpKernelConstruction* construction) -> void* {
    Op* op = nullptr;
    Guarded(
        Op::kName, [&] { op = new Op(Attributes(construction)); },
        [&](TF_Status* status) { TF_OpKernelConstruction_Failure(construction, status); });
    return op;
  };
  definition.compute = [](void* op, TF_OpKernelContext* context) {
    Guarded(
        Op::kName,
        [&] {
          OpRun run(context, Op::kName);
          static_cast<const Op*>(op)->Run(&run);
        },
        [&](TF_Status* status) { TF_OpKernelContext_Failure(context, status); });
  };
  definition.destroy = [](void* op) { delete static_cast<Op*>(op); };
  RegisterDefinition(definition);
}

// Returns whether Tc is double. Throws an OpError unless Tc is double exactly if T is.
bool ComputesInDouble(const Attributes& attributes);

// Adapts an op with a typed Run: calls it for the type that the attribute Tc selects.
template <typename Op>
class Typed {
 public:
  static constexpr const char* kName = Op::kName;
  explicit Typed(const Attributes& attributes)
      : op_(attributes), is_double_(ComputesInDouble(attributes)) {}
  static void Shape(ShapeInference* shapes) { Op::Shape(shapes); }
  void Run(OpRun* run) const {
    is_double_ ? op_.template Run<double>(run) : op_.template Run<float>(run);
  }

 private:
  const Op op_;
  const bool is_double_;
};

template <typename Op>
void RegisterTyped(std::initializer_list<const char*> attributes,
                   std::initializer_list<const char*> inputs,
                   std::initializer_list<const char*> outputs) {
  Register<Typed<Op>>(attributes, inputs, outputs);
}

// The types of an op that RegisterTyped registers: T of its inputs, Tr of the table's rows, and Tc
// of the computation.
#define SAMPLED_COMPAT_TYPES \
  "T: {half, bfloat16, float, double}", "Tr: {half, bfloat16, float, double}", "Tc: {float, double}"

// One for each file that registers ops.
void RegisterValues();
void RegisterPlan();
void RegisterDraws();
void RegisterSampledLoss();
void RegisterSampledTerms();
void RegisterRowLogits();
void RegisterTapas();
void RegisterFull();

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_GLUE_OP_DEFINITION_H_
