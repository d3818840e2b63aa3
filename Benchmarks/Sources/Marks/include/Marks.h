#ifndef APUS_MARKS_H
#define APUS_MARKS_H
/// Messages to `Benchmarks/emulation/counter.c`: long no-operations whose displacement is a number
/// that nothing else uses. On a real processor they do nothing.
#if defined(__x86_64__)
#define APUS_MARK(number) __asm__ volatile("nopl 0x415055" #number "(%%rax,%%rax,1)" ::: "memory")
#else
#define APUS_MARK(number) ((void)0)
#endif

/// The calling thread belongs to the load or the backend, not to the proxy.
static inline void apus_mark_own(void) { APUS_MARK(01); }
/// The measured work begins, and ends.
static inline void apus_mark_begin(void) { APUS_MARK(02); }
static inline void apus_mark_end(void) { APUS_MARK(03); }
/// The calling thread is about to end; another may get its place.
static inline void apus_mark_retire(void) { APUS_MARK(04); }
#endif
