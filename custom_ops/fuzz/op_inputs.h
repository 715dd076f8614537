// Makes the attributes and inputs of an op from bytes: mostly as the op expects them, as an op that
// refuses everything shows nothing, and often enough not.
#ifndef SAMPLED_COMPAT_FUZZ_OP_INPUTS_H_
#define SAMPLED_COMPAT_FUZZ_OP_INPUTS_H_

#include <string>
#include <vector>

#include "../fake_tensorflow/fake_tensorflow.h"
#include "bytes.h"

namespace sampled_compat {

// An op and the shape that it expects of each input: a letter for each dimension, B batch, D dim,
// U rows, S sampled, T true classes, H hits, K what a forward op keeps.
struct KnownOp {
  std::string name;
  std::vector<std::string> shapes;
};

// Every op. A new one goes to the end, so that the kept inputs stay what they are.
const std::vector<KnownOp>& KnownOps();

class OpInputs {
 public:
  OpInputs(Bytes* bytes, const KnownOp& op);

  const fake_tensorflow::AttributeValues& attributes() const { return attributes_; }
  const std::vector<fake_tensorflow::Tensor>& inputs() const { return inputs_; }
  // The shapes as a graph knows them: each dimension or rank may be unknown.
  std::vector<fake_tensorflow::Shape> KnownShapes(Bytes* bytes) const;

 private:
  void MakeAttributes(Bytes* bytes, const std::string& op);
  std::vector<int64_t> Dims(Bytes* bytes, const std::string& letters) const;
  fake_tensorflow::Tensor Make(Bytes* bytes, const std::string& words, std::vector<int64_t> dims);
  void FillIds(Bytes* bytes, const fake_tensorflow::Tensor& ids) const;
  void FillPositions(Bytes* bytes, const std::string& name,
                     const fake_tensorflow::Tensor& positions) const;

  int64_t SizeOfLetter(char letter) const;

  int64_t batch_, dim_, rows_, num_sampled_, num_true_, num_hits_;
  fake_tensorflow::AttributeValues attributes_;
  std::vector<fake_tensorflow::Tensor> inputs_;
};

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_FUZZ_OP_INPUTS_H_
