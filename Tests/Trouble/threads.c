// Loaded into a command with LD_PRELOAD: refuses threads beyond TROUBLE_THREADS that exist at once,
// as RLIMIT_NPROC and the pids limit of a control group do, or all from the call TROUBLE_CALL on,
// as if others had taken the rest then. Calls are counted from 1; TROUBLE_COUNT is a file that
// their number is written to when the program exits.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_int running, calls;

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("TROUBLE_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    fprintf(file, "%d\n", atomic_load(&calls));
    fclose(file);
}

struct start {
    void *(*body)(void *);
    void *argument;
};

static void ended(void *unused) {
    (void)unused;
    atomic_fetch_sub(&running, 1);
}

static void *run(void *opaque) {
    struct start start = *(struct start *)opaque;
    free(opaque);
    void *result;
    pthread_cleanup_push(ended, NULL);
    result = start.body(start.argument);
    pthread_cleanup_pop(1);
    return result;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!real) real = dlsym(RTLD_NEXT, "pthread_create");
    const char *most = getenv("TROUBLE_THREADS");
    const char *last = getenv("TROUBLE_CALL");
    if (atomic_fetch_add(&calls, 1) + 1 >= (last ? atoi(last) : 1 << 20)) return EAGAIN;
    if (atomic_fetch_add(&running, 1) >= (most ? atoi(most) : 1 << 20)) {
        atomic_fetch_sub(&running, 1);
        return EAGAIN;
    }
    struct start *start = malloc(sizeof *start);
    if (!start) return ENOMEM;
    start->body = body;
    start->argument = argument;
    int failure = real(thread, attributes, run, start);
    if (failure) {
        free(start);
        atomic_fetch_sub(&running, 1);
    }
    return failure;
}
