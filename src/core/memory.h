// Memory of programs that train.
#pragma once

namespace orrery {

// Tells the C library to keep freed memory instead of giving it back to the system, whose pages come back zeroed, one fault
// each: a training step frees and takes the same large tensors every time. Once, at the start of a program.
void TuneMalloc();

}  // namespace orrery
