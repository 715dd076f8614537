// Registering an op and its CPU kernel through TensorFlow's C API.
#ifndef SAMPLED_COMPAT_GLUE_OP_DEFINITION_H_
#define SAMPLED_COMPAT_GLUE_OP_DEFINITION_H_

#include <initializer_list>
#include <string>

#include "tensorflow_c_api.h"

namespace sampled_compat {

struct OpDefinition {
  const char* name;
  std::initializer_list<const char*> attributes;
  std::initializer_list<const char*> inputs;
  std::initializer_list<const char*> outputs;
  void (*shape)(TF_ShapeInferenceContext*, TF_Status*);
  void* (*create)(TF_OpKernelConstruction*);
  void (*compute)(void*, TF_OpKernelContext*);
  void (*destroy)(void*);
};

void Register(const OpDefinition& definition);

// The shape function's view: what inputs have which ranks, and outputs made of their dimensions.
class ShapeInference {
 public:
  ShapeInference(TF_ShapeInferenceContext* context, TF_Status* status);
  ~ShapeInference();

  // Fails unless the input has this rank or an unknown one.
  void CheckRank(int input, int rank);
  // The output has the shape of this input.
  void CopyShape(int output, int input);
  // The output is a vector as long as the input's dimension.
  void Vector(int output, int input, int dimension);
  // The output is of unknown shape, as all outputs are at first.

 private:
  bool ok() const;
  TF_ShapeInferenceContext* const context_;
  TF_Status* const status_;
  TF_ShapeHandle* const shape_;
};

// What a kernel's attributes say.
// Which of `choices` the attribute is: the index. Fails the construction if it is none of them.
int ChoiceAttribute(TF_OpKernelConstruction* construction, const char* name,
                    std::initializer_list<const char*> choices);
bool BoolAttribute(TF_OpKernelConstruction* construction, const char* name);
int64_t IntAttribute(TF_OpKernelConstruction* construction, const char* name);
std::string StringAttribute(TF_OpKernelConstruction* construction, const char* name);
TF_DataType TypeAttribute(TF_OpKernelConstruction* construction, const char* name);
// Fails the construction unless Tc is double where T is double, and float otherwise.
void CheckComputeType(TF_OpKernelConstruction* construction);

// One for each file that registers.
void RegisterValues();
void RegisterPlan();
void RegisterDraws();
void RegisterSampledLoss();
void RegisterTapas();
void RegisterFull();

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_GLUE_OP_DEFINITION_H_
