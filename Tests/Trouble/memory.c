// Loaded into a command with LD_PRELOAD: refuses memory for TROUBLE_BYTES bytes and more at once,
// as a limit of the address space does (ulimit -v) that little is left of.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static size_t most(void) {
    static size_t known;
    if (!known) {
        const char *text = getenv("TROUBLE_BYTES");
        known = text ? strtoull(text, NULL, 10) : (size_t)-1;
    }
    return known;
}

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

void *malloc(size_t bytes) {
    if (bytes < most()) return __libc_malloc(bytes);
    errno = ENOMEM;
    return NULL;
}

void *calloc(size_t count, size_t size) {
    if (size == 0 || count < most() / size) return __libc_calloc(count, size);
    errno = ENOMEM;
    return NULL;
}

void *realloc(void *memory, size_t bytes) {
    if (bytes < most()) return __libc_realloc(memory, bytes);
    errno = ENOMEM;
    return NULL;
}
