#include "barrier.h"

#include <cstdio>
#include <exception>

namespace sampled_compat {
namespace {

TF_Status* no_memory = nullptr;

}  // namespace

void PrepareBarrier() {
  no_memory = TF_NewStatus();
  TF_SetStatus(no_memory, TF_RESOURCE_EXHAUSTED, "not enough memory, not even for the error");
}

TF_Status* NoMemoryStatus() { return no_memory; }

void SetStatus(const char* op_name, TF_Status* status) {
  char message[512];  // Where memory has run out, a string could not be made.
  try {
    throw;
  } catch (const OpError& e) {
    return TF_SetStatus(status, e.code, e.message.c_str());
  } catch (const OutOfMemory& e) {
    std::snprintf(message, sizeof(message), "%s: not enough memory for %zu bytes", op_name,
                  e.bytes());
    return TF_SetStatus(status, TF_RESOURCE_EXHAUSTED, message);
  } catch (const std::bad_alloc&) {
    std::snprintf(message, sizeof(message), "%s: not enough memory", op_name);
    return TF_SetStatus(status, TF_RESOURCE_EXHAUSTED, message);
  } catch (const std::exception& e) {
    std::snprintf(message, sizeof(message), "%s: %s", op_name, e.what());
  } catch (...) {
    std::snprintf(message, sizeof(message), "%s: unknown error", op_name);
  }
  TF_SetStatus(status, TF_INTERNAL, message);
}

}  // namespace sampled_compat
