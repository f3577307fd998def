// What the engine takes from C; one header per concern.

#ifndef MK_CSHIMS_H
#define MK_CSHIMS_H

#include "crc32c.h"
#include "guarded_copy.h"
#include "posix_shims.h"

#endif
