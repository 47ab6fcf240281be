// Makes one of the calls by which a program changes files fail, or be the last thing that the
// program does. Loaded into a program with LD_PRELOAD.
//
// SLUICE_FAULT_AT      which call, from 1; 0: none
// SLUICE_FAULT         `before`: the process is killed instead of the call; `after`: once the call
//                      has returned; or the number of an error that the call fails with
// SLUICE_FAULT_COUNT   a file that the number of calls is written to when the program exits
//
// Counted are calls that make, write, sync, cut, rename or remove something in a file system.
// Writes to pipes and terminals are not.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long calls;
static long fault_at;
static int kills_before, kills_after, fault_errno;

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

__attribute__((constructor)) static void prepare(void) {
    const char *at = getenv("SLUICE_FAULT_AT");
    const char *kind = getenv("SLUICE_FAULT");
    fault_at = at ? atol(at) : 0;
    if (!kind) return;
    kills_before = strcmp(kind, "before") == 0;
    kills_after = strcmp(kind, "after") == 0;
    fault_errno = atoi(kind);
    // Children are on their own.
    unsetenv("SLUICE_FAULT_AT");
}

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("SLUICE_FAULT_COUNT");
    if (!path) return;
    FILE *file = fopen(path, "w");
    if (!file) return;
    fprintf(file, "%ld\n", atomic_load(&calls));
    fclose(file);
}

// Whether the call that begins now is the one.
static int is_the_one(void) {
    long number = atomic_fetch_add(&calls, 1) + 1;
    if (number != fault_at) return 0;
    if (kills_before) die();
    return 1;
}

static int is_file(int descriptor) {
    struct stat status;
    return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

#define CHANGE(type, name, parameters, arguments)                              \
    type name parameters {                                                     \
        static type(*real) parameters;                                         \
        if (!real) real = (type(*) parameters)dlsym(RTLD_NEXT, #name);         \
        int one = is_the_one();                                                \
        if (one && !kills_after) {                                             \
            errno = fault_errno;                                               \
            return -1;                                                         \
        }                                                                      \
        type result = real arguments;                                          \
        if (one) die();                                                        \
        return result;                                                         \
    }

CHANGE(int, rename, (const char *from, const char *to), (from, to))
CHANGE(int, unlink, (const char *path), (path))
CHANGE(int, renameat, (int from_folder, const char *from, int to_folder, const char *to), (from_folder, from, to_folder, to))
CHANGE(int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
CHANGE(int, linkat, (int from_folder, const char *from, int to_folder, const char *to, int flags), (from_folder, from, to_folder, to, flags))
CHANGE(int, mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode))
CHANGE(int, mkdir, (const char *path, mode_t mode), (path, mode))
CHANGE(int, rmdir, (const char *path), (path))
CHANGE(int, fsync, (int descriptor), (descriptor))
CHANGE(int, ftruncate, (int descriptor, off_t size), (descriptor, size))

ssize_t write(int descriptor, const void *bytes, size_t count) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    if (!is_file(descriptor)) return real(descriptor, bytes, count);
    int one = is_the_one();
    if (one && !kills_after) {
        errno = fault_errno;
        return -1;
    }
    // A process that dies in a write leaves a part of it.
    ssize_t result = real(descriptor, bytes, one ? (count + 1) / 2 : count);
    if (one) die();
    return result;
}

static int open_counted(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode) {
    if (!(flags & O_CREAT)) return real(path, flags, mode);
    int one = is_the_one();
    if (one && !kills_after) {
        errno = fault_errno;
        return -1;
    }
    int result = real(path, flags, mode);
    if (one) die();
    return result;
}

#define OPEN(name)                                                             \
    int name(const char *path, int flags, ...) {                               \
        static int (*real)(const char *, int, ...);                            \
        if (!real) real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name); \
        va_list rest;                                                          \
        va_start(rest, flags);                                                 \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;              \
        va_end(rest);                                                          \
        return open_counted(real, path, flags, mode);                          \
    }

OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                           \
    int name(int folder, const char *path, int flags, ...) {                   \
        static int (*real)(int, const char *, int, ...);                       \
        if (!real) real = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, #name); \
        va_list rest;                                                          \
        va_start(rest, flags);                                                 \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;              \
        va_end(rest);                                                          \
        if (!(flags & O_CREAT)) return real(folder, path, flags, mode);        \
        int one = is_the_one();                                                \
        if (one && !kills_after) {                                             \
            errno = fault_errno;                                               \
            return -1;                                                         \
        }                                                                      \
        int result = real(folder, path, flags, mode);                          \
        if (one) die();                                                        \
        return result;                                                         \
    }

OPENAT(openat)
OPENAT(openat64)
