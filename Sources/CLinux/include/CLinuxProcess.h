#ifndef APUS_CLINUX_PROCESS_H
#define APUS_CLINUX_PROCESS_H
#include "CLinux.h"
#include <dirent.h>
#include <malloc.h>

/// Raises the soft limit on descriptors to the hard one; returns the limit that now holds, or
/// -errno (`setrlimit(2)`).
static inline long apus_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -(long)errno;
    if (limit.rlim_cur != limit.rlim_max) {
        struct rlimit raised = {limit.rlim_max, limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    }
    return limit.rlim_cur > INT32_MAX ? INT32_MAX : (long)limit.rlim_cur;
}

/// Blocks SIGTERM, SIGINT and SIGHUP in this thread and those it starts and returns a descriptor
/// that they are read from (`signalfd(2)`), or -errno. A write to a closed pipe or socket becomes
/// an error instead of a signal.
static inline int apus_take_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    int result = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (result != 0) return -result;
    signal(SIGPIPE, SIG_IGN);
    return (int)apus_result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

static inline long apus_recvfrom(int fd, void *data, size_t count, void *address, unsigned *length) {
    return apus_result(recvfrom(fd, data, count, 0, (struct sockaddr *)address, length));
}

/// A descriptor that can be read once the process has ended (`pidfd_open(2)`), or -errno.
static inline int apus_pidfd_open(pid_t pid) {
    return (int)apus_result(syscall(SYS_pidfd_open, pid, 0));
}

static inline int apus_inotify(void) {
    return (int)apus_result(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
}
static inline int apus_inotify_add(int fd, const char *path, uint32_t mask) {
    return (int)apus_result(inotify_add_watch(fd, path, mask));
}
static inline int apus_inotify_remove(int fd, int watch) {
    return (int)apus_result(inotify_rm_watch(fd, watch));
}

/// For tests: threads that have not allocated yet use malloc's first arena, whose memory in use,
/// with what is mapped, the other tells (`mallopt(3)`, `mallinfo2(3)`).
static inline void apus_use_one_arena(void) { mallopt(M_ARENA_MAX, 1); }
static inline size_t apus_heap_bytes(void) {
    struct mallinfo2 use = mallinfo2();
    return use.uordblks + use.hblkhd;
}

static inline const char *apus_entry_name(const struct dirent *entry) { return entry->d_name; }
#endif
