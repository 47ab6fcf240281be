#ifndef CBYTES_H
#define CBYTES_H
#include <stdint.h>
#endif
