#ifndef CBYTES_SEARCH_H
#define CBYTES_SEARCH_H

// Substring search for short needles in short texts, where a call to memmem costs more than the
// search. No function reads outside the buffers it is given.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// Sets the bits in which the two differ, in each of 64 bytes. Reads exactly 64 bytes of each.
static inline void cbytes_add_differences64(uint8_t *differences, const uint8_t *one, const uint8_t *other) {
    for (int i = 0; i < 64; i++) differences[i] |= one[i] ^ other[i];
}

// Asks for the memory there, without waiting for it.
static inline void cbytes_prefetch(const uint8_t *bytes) { __builtin_prefetch(bytes, 0, 3); }

// glibc only declares memmem with _GNU_SOURCE.
extern void *memmem(const void *haystack, size_t haystack_count, const void *needle, size_t needle_count);

static inline ptrdiff_t cbytes_find_slow(const uint8_t *text, size_t from, size_t count, const uint8_t *needle, size_t needle_count) {
    const uint8_t *at = (const uint8_t *)memmem(text + from, count - from, needle, needle_count);
    return at == NULL ? -1 : at - text;
}

// Where `needle` first occurs in `text`, or -1. Linear: switches to memmem if candidates keep
// failing.
static inline ptrdiff_t cbytes_find(const uint8_t *text, size_t count, const uint8_t *needle, size_t needle_count) {
    if (needle_count == 0) return 0;
    if (needle_count > count) return -1;
    if (needle_count == 1) {
        const uint8_t *at = (const uint8_t *)memchr(text, needle[0], count);
        return at == NULL ? -1 : at - text;
    }
    const size_t last = needle_count - 1;
    const size_t places = count - last;
#if defined(__SSE2__)
    if (places >= 16) {
        const __m128i first_byte = _mm_set1_epi8((char)needle[0]);
        const __m128i last_byte = _mm_set1_epi8((char)needle[last]);
        size_t work = 0;
        for (size_t i = 0;; i += 16) {
            if (i + 16 > places) {
                if (i >= places) return -1;
                i = places - 16;
            }
            const __m128i starts = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(text + i)), first_byte);
            const __m128i ends = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(text + i + last)), last_byte);
            uint32_t hits = (uint32_t)_mm_movemask_epi8(_mm_and_si128(starts, ends));
            while (hits != 0) {
                const size_t at = i + (size_t)__builtin_ctz(hits);
                if (memcmp(text + at + 1, needle + 1, last - 1) == 0) return (ptrdiff_t)at;
                work += needle_count;
                if (work > 1024 + 4 * i) return cbytes_find_slow(text, at, count, needle, needle_count);
                hits &= hits - 1;
            }
        }
    }
#endif
    if (places >= 64) return cbytes_find_slow(text, 0, count, needle, needle_count);
    for (size_t i = 0; i < places; i++) {
        if (text[i] == needle[0] && text[i + last] == needle[last] && memcmp(text + i + 1, needle + 1, last - 1) == 0) {
            return (ptrdiff_t)i;
        }
    }
    return -1;
}

// Whether `count` bytes are the same. Up to 16 without a call: both ends are loaded, overlapping.
static inline int cbytes_equal(const uint8_t *left, const uint8_t *right, size_t count) {
    if (count >= 8) {
        if (count > 16) return memcmp(left, right, count) == 0;
        uint64_t a, b, c, d;
        memcpy(&a, left, 8);
        memcpy(&b, right, 8);
        memcpy(&c, left + count - 8, 8);
        memcpy(&d, right + count - 8, 8);
        return ((a ^ b) | (c ^ d)) == 0;
    }
    if (count >= 4) {
        uint32_t a, b, c, d;
        memcpy(&a, left, 4);
        memcpy(&b, right, 4);
        memcpy(&c, left + count - 4, 4);
        memcpy(&d, right + count - 4, 4);
        return ((a ^ b) | (c ^ d)) == 0;
    }
    if (count == 0) return 1;
    return left[0] == right[0] && left[count >> 1] == right[count >> 1] && left[count - 1] == right[count - 1];
}

// Copies short text without a call: both ends are copied, overlapping.
static inline void cbytes_copy(uint8_t *to, const uint8_t *from, size_t count) {
    if (count >= 8) {
        if (count > 16) {
            memcpy(to, from, count);
            return;
        }
        uint64_t a, b;
        memcpy(&a, from, 8);
        memcpy(&b, from + count - 8, 8);
        memcpy(to, &a, 8);
        memcpy(to + count - 8, &b, 8);
    } else if (count >= 4) {
        uint32_t a, b;
        memcpy(&a, from, 4);
        memcpy(&b, from + count - 4, 4);
        memcpy(to, &a, 4);
        memcpy(to + count - 4, &b, 4);
    } else if (count > 0) {
        const uint8_t a = from[0], b = from[count >> 1], c = from[count - 1];
        to[0] = a;
        to[count >> 1] = b;
        to[count - 1] = c;
    }
}

// FNV-1a over words of 8 bytes, with a final mix. For tables whose keys are constants, so no
// defence against chosen keys is needed.
static inline uint64_t cbytes_hash(const uint8_t *text, size_t count) {
    uint64_t hash = 0xCBF29CE484222325u ^ count;
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, text, 8);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
        text += 8;
        count -= 8;
    }
    uint64_t tail = 0;
    for (size_t i = 0; i < count; i++) tail = tail << 8 | text[i];
    hash = (hash ^ tail) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

// Negative, zero or positive, comparing unsigned bytes and then lengths.
static inline int cbytes_compare(const uint8_t *left, size_t left_count, const uint8_t *right, size_t right_count) {
    const int order = memcmp(left, right, left_count < right_count ? left_count : right_count);
    if (order != 0) return order;
    return left_count < right_count ? -1 : left_count > right_count;
}

static inline int cbytes_has_prefix(const uint8_t *text, size_t count, const uint8_t *prefix, size_t prefix_count) {
    return prefix_count <= count && cbytes_equal(text, prefix, prefix_count);
}

// The first position at or after `from` of one of `pair_count` (1 to 4) pairs of bytes, or `count`
// if there is none.
static inline size_t cbytes_find_pair(
    const uint8_t *text, size_t from, size_t count, const uint8_t *pairs, size_t pair_count) {
#if defined(__SSE2__)
    if (count >= 17) {
        __m128i firsts[4], seconds[4];
        for (size_t k = 0; k < 4; k++) {
            const size_t pair = k < pair_count ? k : 0;
            firsts[k] = _mm_set1_epi8((char)pairs[2 * pair]);
            seconds[k] = _mm_set1_epi8((char)pairs[2 * pair + 1]);
        }
        for (size_t i = from; i + 1 < count; i += 16) {
            // The last places are looked at together with some before them.
            const size_t at = i + 17 <= count ? i : count - 17;
            const __m128i here = _mm_loadu_si128((const __m128i *)(text + at));
            const __m128i next = _mm_loadu_si128((const __m128i *)(text + at + 1));
            __m128i any = _mm_and_si128(_mm_cmpeq_epi8(here, firsts[0]), _mm_cmpeq_epi8(next, seconds[0]));
            if (pair_count > 1) {
                any = _mm_or_si128(any, _mm_and_si128(_mm_cmpeq_epi8(here, firsts[1]), _mm_cmpeq_epi8(next, seconds[1])));
                any = _mm_or_si128(any, _mm_and_si128(_mm_cmpeq_epi8(here, firsts[2]), _mm_cmpeq_epi8(next, seconds[2])));
                any = _mm_or_si128(any, _mm_and_si128(_mm_cmpeq_epi8(here, firsts[3]), _mm_cmpeq_epi8(next, seconds[3])));
            }
            const uint32_t hits = (uint32_t)_mm_movemask_epi8(any) >> (i - at);
            if (hits != 0) return i + (size_t)__builtin_ctz(hits);
        }
        return count;
    }
#endif
    for (size_t i = from; i + 1 < count; i++) {
        for (size_t k = 0; k < pair_count; k++) {
            if (text[i] == pairs[2 * k] && text[i + 1] == pairs[2 * k + 1]) return i;
        }
    }
    return count;
}

#endif
