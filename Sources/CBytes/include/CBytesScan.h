#ifndef CBYTES_SCAN_H
#define CBYTES_SCAN_H

// Masks of the bytes that end a run of plain text, 16 or 32 bytes at a time: bit i stands for byte
// i. Each reads exactly 16 or 32 bytes from `p`, whatever they hold; the caller ensures that they
// are readable. SSE2 if the machine has it, else the same byte by byte (`*_portable`, which the
// tests compare with).

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static inline uint64_t cbytes_load64(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static inline uint32_t cbytes_load32(const uint8_t *p) {
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static inline uint32_t cbytes_string_stops32_portable(const uint8_t *p) {
    uint32_t mask = 0;
    for (int i = 0; i < 32; i++) {
        uint32_t stop = p[i] == '"' || p[i] == '\\' || p[i] < 0x20 || p[i] >= 0x80;
        mask |= stop << i;
    }
    return mask;
}

static inline uint32_t cbytes_nondigits16_portable(const uint8_t *p) {
    uint32_t mask = 0;
    for (int i = 0; i < 16; i++) mask |= (uint32_t)((uint8_t)(p[i] - '0') > 9) << i;
    return mask;
}

static inline uint32_t cbytes_equals32_portable(const uint8_t *p, uint8_t byte) {
    uint32_t mask = 0;
    for (int i = 0; i < 32; i++) mask |= (uint32_t)(p[i] == byte) << i;
    return mask;
}

static inline uint32_t cbytes_quotes32_portable(const uint8_t *p) {
    uint32_t mask = 0;
    for (int i = 0; i < 32; i++) mask |= (uint32_t)(p[i] == '"' || p[i] == '\\') << i;
    return mask;
}

static inline uint32_t cbytes_same32_portable(const uint8_t *p, const uint8_t *q) {
    uint32_t mask = 0;
    for (int i = 0; i < 32; i++) mask |= (uint32_t)(p[i] == q[i]) << i;
    return mask;
}

static inline uint32_t cbytes_nonascii32_portable(const uint8_t *p) {
    uint32_t mask = 0;
    for (int i = 0; i < 32; i++) mask |= (uint32_t)(p[i] >> 7) << i;
    return mask;
}

static inline uint32_t cbytes_nonascii_or_nul32_portable(const uint8_t *p) {
    uint32_t mask = 0;
    for (int i = 0; i < 32; i++) mask |= (uint32_t)(p[i] == 0 || p[i] >= 0x80) << i;
    return mask;
}

static inline uint32_t cbytes_host_stops16_portable(const uint8_t *p) {
    uint32_t mask = 0;
    for (int i = 0; i < 16; i++) {
        uint8_t letter = p[i] | 0x20;
        uint32_t go = (letter >= 'a' && letter <= 'z') || (p[i] >= '0' && p[i] <= ':') || p[i] == '-' || p[i] == '.' || p[i] == '_' || p[i] == '%';
        mask |= (go ^ 1) << i;
    }
    return mask;
}

#if defined(__SSE2__)

static inline __m128i cbytes_load(const uint8_t *p) { return _mm_loadu_si128((const __m128i *)p); }

static inline uint32_t cbytes_pair(__m128i low, __m128i high) {
    return (uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high) << 16;
}

// Signed comparison: a byte below 0x20 is either a control character or not ASCII.
static inline __m128i cbytes_string_stops(__m128i text) {
    return _mm_or_si128(
        _mm_cmplt_epi8(text, _mm_set1_epi8(0x20)),
        _mm_or_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8('"')), _mm_cmpeq_epi8(text, _mm_set1_epi8('\\'))));
}

#endif

// Bytes that end a run of plain text in a string: a quote, a backslash, a control character, or any
// byte that is not ASCII.
static inline uint32_t cbytes_string_stops32(const uint8_t *p) {
#if defined(__SSE2__)
    return cbytes_pair(cbytes_string_stops(cbytes_load(p)), cbytes_string_stops(cbytes_load(p + 16)));
#else
    return cbytes_string_stops32_portable(p);
#endif
}

static inline uint32_t cbytes_nondigits16(const uint8_t *p) {
#if defined(__SSE2__)
    __m128i shifted = _mm_add_epi8(cbytes_load(p), _mm_set1_epi8((char)(0x80 - '0')));
    return (uint32_t)_mm_movemask_epi8(_mm_cmpgt_epi8(shifted, _mm_set1_epi8(-128 + 9)));
#else
    return cbytes_nondigits16_portable(p);
#endif
}

static inline uint32_t cbytes_equals32(const uint8_t *p, uint8_t byte) {
#if defined(__SSE2__)
    __m128i wanted = _mm_set1_epi8((char)byte);
    return cbytes_pair(_mm_cmpeq_epi8(cbytes_load(p), wanted), _mm_cmpeq_epi8(cbytes_load(p + 16), wanted));
#else
    return cbytes_equals32_portable(p, byte);
#endif
}

// Quotes and backslashes.
static inline uint32_t cbytes_quotes32(const uint8_t *p) {
#if defined(__SSE2__)
    return cbytes_equals32(p, '"') | cbytes_equals32(p, '\\');
#else
    return cbytes_quotes32_portable(p);
#endif
}

// The bytes in which two texts of 32 bytes agree.
static inline uint32_t cbytes_same32(const uint8_t *p, const uint8_t *q) {
#if defined(__SSE2__)
    return cbytes_pair(
        _mm_cmpeq_epi8(cbytes_load(p), cbytes_load(q)), _mm_cmpeq_epi8(cbytes_load(p + 16), cbytes_load(q + 16)));
#else
    return cbytes_same32_portable(p, q);
#endif
}

static inline uint32_t cbytes_nonascii32(const uint8_t *p) {
#if defined(__SSE2__)
    return cbytes_pair(cbytes_load(p), cbytes_load(p + 16));
#else
    return cbytes_nonascii32_portable(p);
#endif
}

// What no text of a log has: NUL, and all that is not ASCII and must be looked at. Signed
// comparison.
static inline uint32_t cbytes_nonascii_or_nul32(const uint8_t *p) {
#if defined(__SSE2__)
    __m128i one = _mm_set1_epi8(1);
    return cbytes_pair(_mm_cmplt_epi8(cbytes_load(p), one), _mm_cmplt_epi8(cbytes_load(p + 16), one));
#else
    return cbytes_nonascii_or_nul32_portable(p);
#endif
}

// Bytes that stand in no address and no host name: all but letters, digits and `.:-_%`.
static inline uint32_t cbytes_host_stops16(const uint8_t *p) {
#if defined(__SSE2__)
    __m128i text = cbytes_load(p);
    // Unsigned: what is at most the width of a range above its first byte is in it.
    __m128i letter = _mm_sub_epi8(_mm_or_si128(text, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    __m128i digit = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    __m128i dash = _mm_sub_epi8(text, _mm_set1_epi8('-'));
    __m128i go = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter);
    go = _mm_or_si128(go, _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(10)), digit));
    go = _mm_or_si128(go, _mm_cmpeq_epi8(_mm_min_epu8(dash, _mm_set1_epi8(1)), dash));
    go = _mm_or_si128(go, _mm_or_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8('_')), _mm_cmpeq_epi8(text, _mm_set1_epi8('%'))));
    return (uint32_t)_mm_movemask_epi8(go) ^ 0xFFFF;
#else
    return cbytes_host_stops16_portable(p);
#endif
}

// Whether all bytes are below 0x80. Reads nothing else.
static inline bool cbytes_is_ascii(const uint8_t *p, size_t count) {
    uint64_t all = 0;
    size_t at = 0;
    for (; at + 8 <= count; at += 8) {
        uint64_t word;
        memcpy(&word, p + at, 8);
        all |= word;
    }
    for (; at < count; at++) all |= p[at];
    return (all & 0x8080808080808080) == 0;
}

// Reads four numbers below 256 without leading zeros, with dots between them. Reads nothing beyond
// the text.
//
// All digits are found at once, and each number is made from the four bytes before its end: how
// long the numbers are decides no branch.
static inline bool cbytes_ipv4(const uint8_t *text, size_t count, uint32_t *address) {
    if (count < 7 || count > 15) return false;
    // Four bytes, the text, and as many more as make 20.
    uint8_t copy[20] = {0};
    if (count >= 8) {
        memcpy(copy + 4, text, 8);
        memcpy(copy + 4 + count - 8, text + count - 8, 8);
    } else {
        memcpy(copy + 4, text, 4);
        memcpy(copy + 4 + count - 4, text + count - 4, 4);
    }
    uint32_t end_bit = UINT32_C(1) << count;
    uint32_t dots = cbytes_nondigits16(copy + 4) & (end_bit - 1);
    uint32_t two = dots & (dots - 1), one = two & (two - 1);
    if (one == 0 || (one & (one - 1)) != 0) return false;
    uint32_t ends = dots | end_bit, bits = 0, begin = 0;
    bool is_right = true;
    for (int number = 0; number < 4; number++) {
        uint32_t end = (uint32_t)__builtin_ctz(ends), length = end - begin;
        ends &= ends - 1;
        // The last digit is the highest byte.
        uint32_t shift = (32 - 8 * length) & 31;
        uint32_t digits = (cbytes_load32(copy + end) & 0x0F0F0F0F) >> shift << shift;
        uint32_t value = (digits >> 24) + 10 * (digits >> 16 & 15) + 100 * (digits >> 8 & 15);
        bool begins_with_zero = (digits >> shift & 15) == 0;
        bool is_number = (length - 1 < 3) & (value < 256) & !(begins_with_zero & (length > 1));
        is_right &= is_number & ((number == 3) | (copy[4 + end] == '.'));
        bits = bits << 8 | value;
        begin = end + 1;
    }
    *address = bits;
    return is_right;
}

#endif
