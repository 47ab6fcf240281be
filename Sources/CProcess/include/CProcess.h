#ifndef CPROCESS_H
#define CPROCESS_H

#include <malloc.h>
#include <sys/prctl.h>

/// Has the kernel send this process a signal when its parent dies. `prctl` is variadic, which Swift
/// cannot call.
///
/// - Returns: 0, or -1 with `errno`.
static inline int cprocess_signal_on_death_of_parent(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }

/// Sets in how many arenas the allocator keeps free memory for the threads of this process. By
/// default, glibc makes up to eight for each processor, and what is free in one serves no thread of
/// another. Its header is in none of the modules that Swift imports.
static inline void cprocess_set_arenas(int count) {
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, count);
#else
    (void)count;
#endif
}

/// Has the allocator return memory of this size and more to the system as soon as it is freed. By
/// default, glibc raises the size with each such piece that is freed, up to 32 MiB, and then keeps
/// free pieces of long records in each of its arenas.
static inline void cprocess_set_large(int bytes) {
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, bytes);
    mallopt(M_TRIM_THRESHOLD, 2 * bytes);
#else
    (void)bytes;
#endif
}

#endif
