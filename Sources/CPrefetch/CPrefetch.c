// Everything is in the header, to be inlined; SwiftPM requires a source file.
#include "CPrefetch.h"
