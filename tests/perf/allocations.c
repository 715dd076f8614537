/* Preloaded into a process, counts the bytes that it takes from glibc's heap. */
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);
extern void __libc_free(void*);

static atomic_llong total, live, peak;

static void* taken(void* block) {
  if (block == NULL) return NULL;
  const long long bytes = (long long)malloc_usable_size(block);
  atomic_fetch_add(&total, bytes);
  const long long now = atomic_fetch_add(&live, bytes) + bytes;
  long long most = atomic_load(&peak);
  while (most < now && !atomic_compare_exchange_weak(&peak, &most, now)) {
  }
  return block;
}

static void given_back(void* block) {
  if (block != NULL) atomic_fetch_sub(&live, (long long)malloc_usable_size(block));
}

void* malloc(size_t bytes) { return taken(__libc_malloc(bytes)); }
void* calloc(size_t count, size_t bytes) { return taken(__libc_calloc(count, bytes)); }
void* memalign(size_t alignment, size_t bytes) { return taken(__libc_memalign(alignment, bytes)); }
void* aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }

int posix_memalign(void** block, size_t alignment, size_t bytes) {
  *block = memalign(alignment, bytes);
  return *block == NULL ? ENOMEM : 0;
}

void free(void* block) {
  given_back(block);
  __libc_free(block);
}

void* realloc(void* block, size_t bytes) {
  const long long before = block == NULL ? 0 : (long long)malloc_usable_size(block);
  void* const moved = __libc_realloc(block, bytes);
  if (moved != NULL || bytes == 0) atomic_fetch_sub(&live, before);
  return taken(moved);
}

long long allocated_in_all(void) { return atomic_load(&total); }
long long allocated_now(void) { return atomic_load(&live); }
long long allocated_at_most(void) { return atomic_load(&peak); }
void forget_the_most(void) { atomic_store(&peak, atomic_load(&live)); }
