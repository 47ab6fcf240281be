#ifndef CRE2_H
#define CRE2_H

// A C interface to libre2, for Swift. Nothing here throws; many threads may use a compiled pattern
// at once.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cre2_pattern cre2_pattern;

// A range of the text; start is -1 for a group that did not take part in the match.
typedef struct cre2_span {
    ptrdiff_t start;
    ptrdiff_t length;
} cre2_span;

// NULL if the pattern is invalid; `message` (zero-terminated, truncated to `message_capacity`) then
// says why.
cre2_pattern *cre2_new(const char *text, size_t length, int64_t max_memory, char *message, size_t message_capacity);
void cre2_delete(cre2_pattern *pattern);

// The number of capturing groups, without the whole match.
int cre2_group_count(const cre2_pattern *pattern);

// Calls `visit` for each named group, in no particular order.
void cre2_each_group_name(
    const cre2_pattern *pattern, void *state,
    void (*visit)(void *state, int index, const char *name, size_t length));

// Whether the pattern matches anywhere in the text. Text need not be valid UTF-8: invalid bytes
// match nothing.
bool cre2_matches(const cre2_pattern *pattern, const uint8_t *text, size_t length);

// The leftmost match that starts at `from` or later. Fills `count` spans: the whole match, then the
// groups.
bool cre2_find(
    const cre2_pattern *pattern, const uint8_t *text, size_t length, size_t from, cre2_span *spans, int count);

#ifdef __cplusplus
}
#endif
#endif
