#include "core/memory.h"

#include <malloc.h>

namespace orrery {

void TuneMalloc() {
  mallopt(M_MMAP_MAX, 0);         // large blocks come from the heap too
  mallopt(M_TRIM_THRESHOLD, -1);  // the heap never shrinks
  mallopt(M_TOP_PAD, 64 << 20);   // and grows in large steps
}

}  // namespace orrery
