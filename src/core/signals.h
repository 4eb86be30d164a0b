// SIGINT and SIGTERM ask for a stop at the next safe point; a second one ends the process at once.
#pragma once

namespace orrery {

void CatchStopSignals();      // once, at the start of a program
bool StopRequested();         // async-signal-safe flag
void RequestStop();           // the same from code (tests, server)
void ClearStopRequest();      // forgets it, so that the same process can start again
void ThrowIfStopRequested();  // throws Interrupted

}  // namespace orrery
