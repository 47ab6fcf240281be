#ifndef CBYTES_H
#define CBYTES_H
#include <stdint.h>

#include "CBytesSearch.h"
#endif
