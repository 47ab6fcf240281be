#ifndef SLUICE_STREAM_MEMORY_H
#define SLUICE_STREAM_MEMORY_H

#include <stddef.h>

// Zeroed memory for a struct isal_zstream, at an address with which ISA-L compresses the same text
// to the same bytes in every process.
//
// ISA-L 2.21 to 2.32.1 hash an uninitialised register for the third byte of a text at levels 1 and
// 2 on x86-64 (igzip_icf_body_h1_gr_bt.asm, at write_first_byte). The register holds the address of
// the stream, and bits 16 to 47 are hashed with CRC-32C. One entry of the table of matches is
// overwritten, another one for each address: it decides whether one of the first matches is found.
// At the addresses chosen here, it is always the first entry.
//
// Returns NULL if there is no memory. Safe to be called by several threads.
void *stream_memory_new(size_t size);
void stream_memory_free(void *memory, size_t size);

#endif
