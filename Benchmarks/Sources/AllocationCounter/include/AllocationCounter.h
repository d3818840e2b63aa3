#ifndef APUS_ALLOCATION_COUNTER_H
#define APUS_ALLOCATION_COUNTER_H
/// Preloaded into a program (`LD_PRELOAD`), counts its allocations into the file that
/// `ALLOCATION_COUNTS` names: four 64-bit numbers, the allocations of all threads but the main one,
/// the main one's, and the releases likewise, mapped and shared, so that `tools/bench` can read
/// them while the program runs. Nothing here is to be called.
#endif
