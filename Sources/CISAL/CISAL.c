#include "CISAL.h"
#include "StreamMemory.h"

#if !defined(SLUICE_NO_ISAL)

#if !__has_include(<isa-l.h>)
#error "ISA-L's headers are missing. 'make setup' installs them (libisal-dev on Debian and Ubuntu). SLUICE_NO_ISAL=1 builds without ISA-L, several times slower."
#endif

#include <isa-l.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_OF(number) #number
#define TEXT(macro) TEXT_OF(macro)

int cisal_available(void) { return 1; }
const char *cisal_version(void) { return TEXT(ISAL_MAJOR_VERSION) "." TEXT(ISAL_MINOR_VERSION); }

uint32_t cisal_crc32(uint32_t crc, const uint8_t *bytes, size_t count) { return crc32_gzip_refl(crc, bytes, count); }

struct cisal_inflater {
    struct inflate_state state;
    int corrupt;
};

cisal_inflater *cisal_inflater_new(void) {
    cisal_inflater *inflater = calloc(1, sizeof *inflater);
    if (!inflater) return NULL;
    isal_inflate_init(&inflater->state);
    return inflater;
}

void cisal_inflater_free(cisal_inflater *inflater) { free(inflater); }

void cisal_inflater_reset(cisal_inflater *inflater) {
    isal_inflate_reset(&inflater->state);
    inflater->corrupt = 0;
}

void cisal_inflater_reset_after(cisal_inflater *inflater, const uint8_t *history, size_t count) {
    cisal_inflater_reset(inflater);
    // The library only reads the history; its parameter lacks the const.
    isal_inflate_set_dict(&inflater->state, (uint8_t *)history, (uint32_t)count);
}

// The library decodes the first bytes of a call into a buffer of its own; when it then meets bad
// data, what did not fit into the output stays there.
static size_t drain(struct inflate_state *state, uint8_t *output, size_t room) {
    size_t left = (size_t)(state->tmp_out_valid - state->tmp_out_processed);
    if (left > room) left = room;
    memcpy(output, state->tmp_out_buffer + state->tmp_out_processed, left);
    state->tmp_out_processed += (int32_t)left;
    return left;
}

// Where a repetition has a bad distance, the library's fast loop has counted its bytes before it
// looked, and they are whatever was in the memory (seen in 2.30 and in the sources of 2.32). It has
// written the symbol of the length, which is the length and 254, in place of the first of them: so
// the length is known. Elsewhere bytes that look like that are chance, one time in 256, and what is
// left out then comes right before bad data. The longest of several is taken.
static size_t unwritten(const uint8_t *end, size_t count) {
    for (size_t length = count < 258 ? count : 258; length >= 3; length--) {
        const size_t symbol = length + 254;
        const uint8_t *first = end - length;
        if (first[0] == (symbol & 0xFF) && first[1] == symbol >> 8) return length;
    }
    return 0;
}

// - Returns: how many of the bytes in the output are text.
static size_t without_unwritten(struct inflate_state *state, const uint8_t *output, size_t produced) {
    const size_t left = (size_t)(state->tmp_out_valid - state->tmp_out_processed);
    if (left == 0) return produced - unwritten(output + produced, produced);
    const size_t junk = unwritten(state->tmp_out_buffer + state->tmp_out_valid, (size_t)state->tmp_out_valid);
    state->tmp_out_valid -= (int32_t)(junk < left ? junk : left);
    const size_t rest = junk < left ? 0 : junk - left;
    return produced - (rest < produced ? rest : produced);
}

int cisal_inflate(cisal_inflater *inflater, const uint8_t *input, size_t input_count, uint8_t *output, size_t output_count, ptrdiff_t *consumed,
                  size_t *produced) {
    struct inflate_state *state = &inflater->state;
    if (inflater->corrupt) {
        *consumed = 0;
        *produced = drain(state, output, output_count);
        return CISAL_CORRUPT;
    }
    state->next_in = (uint8_t *)input;
    state->avail_in = input_count > UINT32_MAX ? UINT32_MAX : (uint32_t)input_count;
    state->next_out = output;
    state->avail_out = output_count > UINT32_MAX ? UINT32_MAX : (uint32_t)output_count;
    int result = isal_inflate(state);
    *consumed = state->next_in - input;
    *produced = (size_t)(state->next_out - output);
    if (result < 0) {
        inflater->corrupt = 1;
        *consumed -= state->read_in_length > 0 ? state->read_in_length / 8 : 0;
        if (result == ISAL_INVALID_LOOKBACK || result == ISAL_INVALID_SYMBOL) *produced = without_unwritten(state, output, *produced);
        *produced += drain(state, output + *produced, output_count - *produced);
        return CISAL_CORRUPT;
    }
    if (state->block_state == ISAL_BLOCK_FINISH) {
        *consumed -= state->read_in_length > 0 ? state->read_in_length / 8 : 0;
        return CISAL_ENDED;
    }
    return state->avail_out == 0 ? CISAL_OUTPUT_FULL : CISAL_NEEDS_INPUT;
}

int cisal_inflater_is_between_blocks(const cisal_inflater *inflater) {
    const struct inflate_state *state = &inflater->state;
    // Where no byte of a header has come yet, the library is in either of these states.
    int is_before_header = state->block_state == ISAL_BLOCK_NEW_HDR || (state->block_state == ISAL_BLOCK_HDR && state->tmp_in_size == 0);
    return is_before_header && !state->bfinal && state->read_in_length == 0 && state->tmp_out_valid == state->tmp_out_processed;
}

struct cisal_deflater {
    struct isal_zstream *stream;
    int level;
    uint8_t *memory;
};

static uint32_t level_memory(int level) {
    switch (level) {
    case 1: return ISAL_DEF_LVL1_DEFAULT;
    case 2: return ISAL_DEF_LVL2_DEFAULT;
    case 3: return ISAL_DEF_LVL3_DEFAULT;
    default: return ISAL_DEF_LVL0_DEFAULT;
    }
}

cisal_deflater *cisal_deflater_new(int level) {
    cisal_deflater *deflater = calloc(1, sizeof *deflater);
    if (!deflater) return NULL;
    deflater->level = level;
    uint32_t memory = level_memory(level);
    deflater->stream = stream_memory_new(sizeof *deflater->stream);
    if (!deflater->stream || (memory > 0 && !(deflater->memory = calloc(1, memory)))) {
        cisal_deflater_free(deflater);
        return NULL;
    }
    isal_deflate_init(deflater->stream);
    return deflater;
}

void cisal_deflater_free(cisal_deflater *deflater) {
    if (!deflater) return;
    stream_memory_free(deflater->stream, sizeof *deflater->stream);
    free(deflater->memory);
    free(deflater);
}

void cisal_deflater_begin(cisal_deflater *deflater, const uint8_t *input, size_t input_count, int ends_stream) {
    struct isal_zstream *stream = deflater->stream;
    isal_deflate_reset(stream);
    stream->level = (uint32_t)deflater->level;
    stream->level_buf = deflater->memory;
    stream->level_buf_size = level_memory(deflater->level);
    stream->gzip_flag = IGZIP_DEFLATE;
    stream->flush = ends_stream ? NO_FLUSH : FULL_FLUSH;
    stream->end_of_stream = ends_stream ? 1 : 0;
    stream->next_in = (uint8_t *)input;
    stream->avail_in = (uint32_t)input_count;
}

int cisal_deflate(cisal_deflater *deflater, uint8_t *output, size_t output_count, size_t *produced) {
    struct isal_zstream *stream = deflater->stream;
    stream->next_out = output;
    stream->avail_out = output_count > UINT32_MAX ? UINT32_MAX : (uint32_t)output_count;
    int result = isal_deflate(stream);
    *produced = (size_t)(stream->next_out - output);
    if (result != COMP_OK) return CISAL_CORRUPT;
    enum isal_zstate_state end = stream->end_of_stream ? ZSTATE_END : ZSTATE_NEW_HDR;
    return stream->avail_in == 0 && stream->internal_state.state == end ? CISAL_ENDED : CISAL_OUTPUT_FULL;
}

#else

// Never called: cisal_available() says so.
int cisal_available(void) { return 0; }
const char *cisal_version(void) { return ""; }
uint32_t cisal_crc32(uint32_t crc, const uint8_t *bytes, size_t count) { return crc; }
cisal_inflater *cisal_inflater_new(void) { return NULL; }
void cisal_inflater_free(cisal_inflater *inflater) {}
void cisal_inflater_reset(cisal_inflater *inflater) {}
void cisal_inflater_reset_after(cisal_inflater *inflater, const uint8_t *history, size_t count) {}
int cisal_inflate(cisal_inflater *inflater, const uint8_t *input, size_t input_count, uint8_t *output, size_t output_count, ptrdiff_t *consumed,
                  size_t *produced) {
    return CISAL_CORRUPT;
}
int cisal_inflater_is_between_blocks(const cisal_inflater *inflater) { return 0; }
cisal_deflater *cisal_deflater_new(int level) { return NULL; }
void cisal_deflater_free(cisal_deflater *deflater) {}
void cisal_deflater_begin(cisal_deflater *deflater, const uint8_t *input, size_t input_count, int ends_stream) {}
int cisal_deflate(cisal_deflater *deflater, uint8_t *output, size_t output_count, size_t *produced) { return CISAL_CORRUPT; }

#endif
