// Everything is in the header, to be inlined; SwiftPM wants a source file.
#include "CPrefetch.h"
