// Checks of the int32 numbers of an op, which may index memory.
#ifndef SAMPLED_COMPAT_GLUE_POSITIONS_H_
#define SAMPLED_COMPAT_GLUE_POSITIONS_H_

#include "op_run.h"

namespace sampled_compat {

// Fails unless an int32 can count the input's numbers.
void CheckCount(OpRun* run, const Input& input);

// Fails unless all positions are in [0, rows).
void CheckPositions(OpRun* run, const Input& positions, int64_t rows);

}  // namespace sampled_compat

#endif  // SAMPLED_COMPAT_GLUE_POSITIONS_H_
