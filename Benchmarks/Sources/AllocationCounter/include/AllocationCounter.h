#ifndef APUS_ALLOCATION_COUNTER_H
#define APUS_ALLOCATION_COUNTER_H
/// Preloaded into a program (`LD_PRELOAD`), counts its allocations into the file that
/// `ALLOCATION_COUNTS` names: two 64-bit numbers, allocations and releases, mapped and shared, so
/// that `tools/bench` can read them while the program runs. Nothing here is to be called.
#endif
