#ifndef CPROCESS_H
#define CPROCESS_H

#include <sys/prctl.h>

/// Has the kernel send this process a signal when its parent dies. `prctl` is variadic, which Swift
/// cannot call.
///
/// - Returns: 0, or -1 with `errno`.
static inline int cprocess_signal_on_death_of_parent(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }

#endif
