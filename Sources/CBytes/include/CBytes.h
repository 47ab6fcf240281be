#ifndef CBYTES_H
#define CBYTES_H
#include <stdint.h>

#include "CBytesFields.h"
#include "CBytesLines.h"
#include "CBytesScan.h"
#include "CBytesSearch.h"
#endif
