// ISA-L's inflate, deflate and CRC-32 behind handles of our own. In a build without ISA-L
// (SLUICE_NO_ISAL=1), cisal_available() is 0 and nothing else here may be called.
#ifndef CISAL_H
#define CISAL_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cisal_inflater cisal_inflater;
typedef struct cisal_deflater cisal_deflater;

enum cisal_result {
    CISAL_NEEDS_INPUT = 0,
    CISAL_OUTPUT_FULL = 1,
    CISAL_ENDED = 2,
    CISAL_CORRUPT = 3,
};

int cisal_available(void);

/// "2.30": of the headers, since the library has no call that tells its own.
const char *cisal_version(void);

/// The CRC-32 of gzip, continued from `crc`.
uint32_t cisal_crc32(uint32_t crc, const uint8_t *bytes, size_t count);

/// Null where there is no memory.
cisal_inflater *cisal_inflater_new(void);
void cisal_inflater_free(cisal_inflater *inflater);
void cisal_inflater_reset(cisal_inflater *inflater);
/// Begins in the middle of a stream, between two blocks, after the text `history`, at most its last
/// 32 KiB.
void cisal_inflater_reset_after(cisal_inflater *inflater, const uint8_t *history, size_t count);

/// Inflates raw deflate data. `consumed` is negative where bytes of an earlier call turn out to lie
/// after the stream's end (at most 8). With CISAL_CORRUPT everything before the bad symbol has
/// been produced; call again while that did not fit.
int cisal_inflate(cisal_inflater *inflater, const uint8_t *input, size_t input_count, uint8_t *output, size_t output_count, ptrdiff_t *consumed,
                  size_t *produced);

/// Whether all input so far was whole blocks, none of them the stream's last, that end on a byte,
/// and all their text was produced.
int cisal_inflater_is_between_blocks(const cisal_inflater *inflater);

/// `level` is ISA-L's, 0 to 3. Null where there is no memory.
cisal_deflater *cisal_deflater_new(int level);
void cisal_deflater_free(cisal_deflater *deflater);
/// Begins raw deflate data of all of `input`, without a dictionary: a whole stream, or, where
/// `ends_stream` is 0, a part that a full flush closes (so that it ends on a byte, with 00 00 FF
/// FF). `input` is not empty then.
void cisal_deflater_begin(cisal_deflater *deflater, const uint8_t *input, size_t input_count, int ends_stream);
/// Writes more of it: CISAL_ENDED, or CISAL_OUTPUT_FULL to be called again with 16 bytes of room or
/// more, or CISAL_CORRUPT if the library refuses.
int cisal_deflate(cisal_deflater *deflater, uint8_t *output, size_t output_count, size_t *produced);

#ifdef __cplusplus
}
#endif
#endif
