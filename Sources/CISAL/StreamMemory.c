#include "StreamMemory.h"

#include <stdlib.h>

#if defined(__x86_64__) && defined(__linux__)

#include <stdint.h>
#include <sys/mman.h>

enum {
    // Only bits 16 to 47 of an address count.
    PLACE_BITS = 16,
    // The table of matches has 8,192 entries, fewer for short texts.
    ENTRIES = 8192,
    // Places with the same entry lie about 512 MiB apart, and other memory may be there, even
    // several TiB of it, as with the address sanitizer: each attempt goes further than the last.
    MOST_ATTEMPTS = 512,
};

// As the processor's instruction computes it, from 0.
static uint32_t crc32c(uint32_t data) {
    for (int bit = 0; bit < 32; bit++) data = data >> 1 ^ (data & 1 ? 0x82F63B78 : 0);
    return data;
}

static int is_first_entry(uint64_t place) { return (crc32c((uint32_t)place) & (ENTRIES - 1)) == 0; }

static void *map(uint64_t address, size_t size) {
    void *memory = mmap((void *)(uintptr_t)address, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

// Where the next search begins, so that it need not pass what is taken.
static _Atomic uint64_t next_place;

void *stream_memory_new(size_t size) {
    void *memory = map(0, size);
    if (!memory) return NULL;
    uint64_t place = (uintptr_t)memory >> PLACE_BITS, next = next_place;
    if (next > 0 && next < place) place = next;
    for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        if (is_first_entry((uintptr_t)memory >> PLACE_BITS)) {
            next_place = ((uintptr_t)memory >> PLACE_BITS) - 1;
            return memory;
        }
        munmap(memory, size);
        while (!is_first_entry(place)) place -= 1;
        // The kernel takes the address if it is free, and another one if not.
        if (!(memory = map(place << PLACE_BITS, size))) return NULL;
        uint64_t step = 1 + (uint64_t)attempt * ENTRIES;
        if (place <= step + ENTRIES * 64) break;
        place -= step;
    }
    munmap(memory, size);
    return NULL;
}

void stream_memory_free(void *memory, size_t size) {
    if (!memory) return;
    munmap(memory, size);
    uint64_t place = (uintptr_t)memory >> PLACE_BITS;
    if (place > next_place) next_place = place;
}

#else

void *stream_memory_new(size_t size) { return calloc(1, size); }
void stream_memory_free(void *memory, size_t size) { free(memory); }

#endif
