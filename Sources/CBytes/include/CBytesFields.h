#ifndef CBYTES_FIELDS_H
#define CBYTES_FIELDS_H

// Text of fields between separators, which may be in quotes.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(__SSE2__)
// Bits for the bytes among 64 that are `byte`.
static inline uint64_t cbytes_equals64(const __m128i *block, __m128i byte) {
    uint64_t mask = (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(block), byte));
    mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(block + 1), byte)) << 16;
    mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(block + 2), byte)) << 32;
    return mask | (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(block + 3), byte)) << 48;
}
#endif

// Writes the positions of the line feeds, quotes and escapes in bytes[*from ..< to] to `out`, in
// order, and returns how many. Sets `*quoted` where any of them is not a line feed, and never
// clears it.
//
// As cbytes_line_feeds: stops early, with *from moved on, where fewer than 64 places are left in
// `out`; reads up to 63 bytes past `to` and ignores them; `to` is at most 2^32 - 65.
static inline size_t cbytes_line_ends_and_quotes(
    const uint8_t *bytes, uint32_t *from, uint32_t to, uint8_t quote, uint8_t escape, bool *quoted, uint32_t *out, size_t room
) {
    size_t found = 0;
    uint32_t at = *from;
    uint64_t others = 0;
    while (at < to && found + 64 <= room) {
#if defined(__SSE2__)
        const __m128i *block = (const __m128i *)(bytes + at);
        uint64_t mask = cbytes_equals64(block, _mm_set1_epi8('\n'));
        uint64_t other = cbytes_equals64(block, _mm_set1_epi8((char)quote));
        if (escape != quote) other |= cbytes_equals64(block, _mm_set1_epi8((char)escape));
        if (to - at < 64) {
            const uint64_t kept = ((uint64_t)1 << (to - at)) - 1;
            mask &= kept;
            other &= kept;
        }
        others |= other;
        mask |= other;
        while (mask) {
            out[found++] = at + (uint32_t)__builtin_ctzll(mask);
            mask &= mask - 1;
        }
        at = to - at < 64 ? to : at + 64;
#else
        const bool other = bytes[at] == quote || bytes[at] == escape;
        others |= other;
        if (other || bytes[at] == '\n') out[found++] = at;
        at += 1;
#endif
    }
    if (others) *quoted = true;
    *from = at;
    return found;
}

// Bits for the bytes among the next 64 that are a separator, a quote, or beyond ASCII.
typedef struct {
    uint64_t separators;
    uint64_t quotes;
    uint64_t beyond;
} cbytes_field_stops;

static inline cbytes_field_stops cbytes_fields64_portable(const uint8_t *p, uint8_t separator, uint8_t quote) {
    cbytes_field_stops stops = {0, 0, 0};
    for (int i = 0; i < 64; i++) {
        stops.separators |= (uint64_t)(p[i] == separator) << i;
        stops.quotes |= (uint64_t)(p[i] == quote) << i;
        stops.beyond |= (uint64_t)(p[i] >> 7) << i;
    }
    return stops;
}

// Reads exactly 64 bytes from `p`.
static inline cbytes_field_stops cbytes_fields64(const uint8_t *p, uint8_t separator, uint8_t quote) {
#if defined(__SSE2__)
    const __m128i *block = (const __m128i *)p;
    cbytes_field_stops stops;
    stops.separators = cbytes_equals64(block, _mm_set1_epi8((char)separator));
    stops.quotes = cbytes_equals64(block, _mm_set1_epi8((char)quote));
    stops.beyond = (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_loadu_si128(block));
    stops.beyond |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_loadu_si128(block + 1)) << 16;
    stops.beyond |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_loadu_si128(block + 2)) << 32;
    stops.beyond |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_loadu_si128(block + 3)) << 48;
    return stops;
#else
    return cbytes_fields64_portable(p, separator, quote);
#endif
}

static inline uint32_t cbytes_quoting_needs32_portable(const uint8_t *p, uint8_t separator, uint8_t quote, uint8_t escape) {
    uint32_t mask = 0;
    for (int i = 0; i < 32; i++) {
        uint32_t need = p[i] == separator || p[i] == quote || p[i] == escape || p[i] == '\n' || p[i] == '\r';
        mask |= need << i;
    }
    return mask;
}

// Bits for the bytes among the next 32 for which a field must be in quotes. Reads exactly 32 bytes
// from `p`.
static inline uint32_t cbytes_quoting_needs32(const uint8_t *p, uint8_t separator, uint8_t quote, uint8_t escape) {
#if defined(__SSE2__)
    uint32_t mask = 0;
    for (int half = 0; half < 2; half++) {
        const __m128i text = _mm_loadu_si128((const __m128i *)(p + 16 * half));
        const __m128i ends = _mm_or_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(text, _mm_set1_epi8('\r')));
        const __m128i quotes = _mm_or_si128(
            _mm_cmpeq_epi8(text, _mm_set1_epi8((char)quote)), _mm_cmpeq_epi8(text, _mm_set1_epi8((char)escape)));
        const __m128i needs = _mm_or_si128(_mm_or_si128(ends, quotes), _mm_cmpeq_epi8(text, _mm_set1_epi8((char)separator)));
        mask |= (uint32_t)_mm_movemask_epi8(needs) << (16 * half);
    }
    return mask;
#else
    return cbytes_quoting_needs32_portable(p, separator, quote, escape);
#endif
}

#endif
