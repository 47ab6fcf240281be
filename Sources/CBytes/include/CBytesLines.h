#ifndef CBYTES_LINES_H
#define CBYTES_LINES_H
#include <stddef.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/// Writes the positions of the line feeds in bytes[*from ..< to] to `out`, in order, and returns
/// how many.
///
/// Stops early, with *from advanced, if fewer than 64 entries are left in `out`; otherwise *from
/// becomes `to`. Reads up to 63 bytes past `to` (the padding of a ByteBuffer), and ignores them.
/// `to` is at most 2^32 - 65.
static inline size_t cbytes_line_feeds(const uint8_t *bytes, uint32_t *from, uint32_t to, uint32_t *out, size_t room) {
    size_t found = 0;
    uint32_t at = *from;
    while (at < to && found + 64 <= room) {
#ifdef __SSE2__
        const __m128i feed = _mm_set1_epi8('\n');
        const __m128i *block = (const __m128i *)(bytes + at);
        uint64_t mask = (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(block), feed));
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(block + 1), feed)) << 16;
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(block + 2), feed)) << 32;
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(block + 3), feed)) << 48;
        if (to - at < 64) mask &= ((uint64_t)1 << (to - at)) - 1;
        while (mask) {
            out[found++] = at + (uint32_t)__builtin_ctzll(mask);
            mask &= mask - 1;
        }
        at = to - at < 64 ? to : at + 64;
#else
        if (bytes[at] == '\n') out[found++] = at;
        at += 1;
#endif
    }
    *from = at;
    return found;
}

#endif
