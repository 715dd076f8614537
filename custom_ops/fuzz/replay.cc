// Replays the kept inputs of every linked target: replay FOLDER, with a folder of files for each
// target in it; or those of one target: replay FOLDER TARGET; or one file: replay FILE TARGET.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "target.h"

namespace sampled_compat {
namespace {

namespace fs = std::filesystem;

const char* current = "";

void Replay(const Target& target, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> read((std::istreambuf_iterator<char>(file)),
                               std::istreambuf_iterator<char>());
  // In a block of its own, so that a target that reads behind the end is seen.
  const std::vector<uint8_t> input(read.begin(), read.end());
  current = path.c_str();
  RunTarget(target, input.data(), input.size());
}

std::vector<std::string> FilesOf(const fs::path& folder) {
  std::vector<std::string> files;
  if (fs::is_directory(folder)) {
    for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace
}  // namespace sampled_compat

// Before the sanitizer's report, or an abort's, nothing else would name the file.
extern "C" void __asan_on_error() { std::fprintf(stderr, "input: %s\n", sampled_compat::current); }

int main(int count, char** arguments) {
  using namespace sampled_compat;
  if (count < 2) return 2;
  size_t replayed = 0, targets = 0;
  for (const Target* target = Targets(); target != nullptr; target = target->next) {
    if (count > 2 && std::strcmp(arguments[2], target->name) != 0) continue;
    ++targets;
    std::vector<std::string> files = {arguments[1]};
    if (fs::is_directory(arguments[1])) files = FilesOf(fs::path(arguments[1]) / target->name);
    if (files.empty()) {
      std::fprintf(stderr, "%s: no inputs in %s\n", target->name, arguments[1]);
      return 1;
    }
    for (const std::string& file : files) Replay(*target, file);
    replayed += files.size();
  }
  std::printf("replay: %zu inputs of %zu targets\n", replayed, targets);
  return targets > 0 ? 0 : 2;
}
