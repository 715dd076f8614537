// libFuzzer's entry: fuzz --target=NAME. (libFuzzer leaves flags with two dashes to the program.)
#include <string>

#include "target.h"

namespace {

const sampled_compat::Target* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  for (auto* target = sampled_compat::Targets(); target != nullptr; target = target->next) {
    const std::string flag = std::string("--target=") + target->name;
    for (int i = 1; i < *count; ++i) {
      if ((*arguments)[i] == flag) chosen = target;
    }
  }
  if (chosen != nullptr) return 0;
  std::fputs("name a target: --target=NAME\n", stderr);
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sampled_compat::RunTarget(*chosen, data, size);
  return 0;
}
