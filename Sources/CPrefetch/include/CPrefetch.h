#ifndef CPREFETCH_H
#define CPREFETCH_H

#include <stdint.h>

/// Asks the processor to fetch `count` cache lines that will soon be written to. This is only a
/// hint: any address is valid, and none is read.
static inline void prefetch_lines(uintptr_t address, uintptr_t count) {
    for (uintptr_t line = 0; line < count; line++) {
        __builtin_prefetch((const char *)(address + 64 * line), 1, 3);
    }
}

#endif
