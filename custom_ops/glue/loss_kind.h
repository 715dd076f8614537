// The attribute that selects which loss an op computes.
#ifndef SAMPLED_COMPAT_GLUE_LOSS_KIND_H_
#define SAMPLED_COMPAT_GLUE_LOSS_KIND_H_

#include "../kernels/sampled_loss.h"
#include "op_definition.h"

namespace sampled_compat {

#define SAMPLED_COMPAT_KIND "kind: {'softmax', 'sigmoid'}"

inline LossKind KindAttribute(const Attributes& attributes) {
  return attributes.Choice<LossKind>(
      "kind", {{"softmax", LossKind::kSoftmax}, {"sigmoid", LossKind::kSigmoid}});
}

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_GLUE_LOSS_KIND_H_
