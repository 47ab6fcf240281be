// Everything is in the header; SwiftPM requires a source file.
#include "CProcess.h"
