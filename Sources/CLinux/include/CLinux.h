#ifndef APUS_CLINUX_H
#define APUS_CLINUX_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/// System calls that answer with a result or -errno, so that callers need no thread-local errno.
static inline long apus_result(long result) { return result < 0 ? -(long)errno : result; }

static inline long apus_send(int fd, const void *data, size_t count, int flags) {
    return apus_result(send(fd, data, count, flags));
}
static inline long apus_sendto(int fd, const void *data, size_t count, int flags, const void *name,
                               unsigned length) {
    return apus_result(sendto(fd, data, count, flags, (const struct sockaddr *)name, length));
}
static inline long apus_recv(int fd, void *data, size_t count, int flags) {
    return apus_result(recv(fd, data, count, flags));
}
static inline long apus_sendmsg(int fd, const struct msghdr *message, int flags) {
    return apus_result(sendmsg(fd, message, flags));
}
static inline long apus_recvmsg(int fd, struct msghdr *message, int flags) {
    return apus_result(recvmsg(fd, message, flags));
}
static inline long apus_splice(int from, int to, size_t count, unsigned flags) {
    return apus_result(splice(from, NULL, to, NULL, count, flags));
}
static inline int apus_socket(int family, int type, int protocol) {
    return (int)apus_result(socket(family, type, protocol));
}
static inline int apus_bind(int fd, const void *address, unsigned length) {
    return (int)apus_result(bind(fd, (const struct sockaddr *)address, length));
}
static inline int apus_listen(int fd, int backlog) { return (int)apus_result(listen(fd, backlog)); }
static inline int apus_connect(int fd, const void *address, unsigned length) {
    return (int)apus_result(connect(fd, (const struct sockaddr *)address, length));
}
static inline int apus_accept(int fd, int flags) {
    return (int)apus_result(accept4(fd, NULL, NULL, flags));
}
static inline int apus_shutdown(int fd, int how) { return (int)apus_result(shutdown(fd, how)); }
static inline int apus_close(int fd) { return (int)apus_result(close(fd)); }
static inline int apus_pipe(int *ends, int flags) { return (int)apus_result(pipe2(ends, flags)); }
static inline int apus_fcntl(int fd, int command, long argument) {
    return (int)apus_result(fcntl(fd, command, argument));
}
static inline int apus_setsockopt(int fd, int level, int name, const void *value, unsigned length) {
    return (int)apus_result(setsockopt(fd, level, name, value, length));
}
static inline int apus_getsockopt(int fd, int level, int name, void *value, unsigned *length) {
    return (int)apus_result(getsockopt(fd, level, name, value, length));
}
static inline int apus_getpeername(int fd, void *address, unsigned *length) {
    return (int)apus_result(getpeername(fd, (struct sockaddr *)address, length));
}
static inline int apus_getsockname(int fd, void *address, unsigned *length) {
    return (int)apus_result(getsockname(fd, (struct sockaddr *)address, length));
}
static inline int apus_epoll(void) { return (int)apus_result(epoll_create1(EPOLL_CLOEXEC)); }
/// Adds a descriptor, and says by which number its events are told; 0 or -errno.
static inline int apus_epoll_add(int epoll, int fd, uint32_t events, uint64_t number) {
    struct epoll_event event = {.events = events, .data.u64 = number};
    return (int)apus_result(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}
static inline int apus_epoll_wait(int epoll, struct epoll_event *events, int max, int milliseconds) {
    return (int)apus_result(epoll_wait(epoll, events, max, milliseconds));
}
static inline int apus_eventfd(void) { return (int)apus_result(eventfd(0, EFD_CLOEXEC)); }

/// Of the calling thread (`setpriority(2)`).
static inline int apus_set_niceness(int value) {
    return (int)apus_result(setpriority(PRIO_PROCESS, 0, value));
}

/// Pins the calling thread to one processor; 0 or an error number (`pthread_setaffinity_np(3)`).
static inline int apus_pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

/// The processors that this process may use; returns how many were written.
static inline int apus_allowed_cpus(int *cpus, int max) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 0;
    int count = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && count < max; cpu++)
        if (CPU_ISSET(cpu, &set)) cpus[count++] = cpu;
    return count;
}

static inline long apus_read(int fd, void *data, size_t count) { return apus_result(read(fd, data, count)); }
static inline long apus_write(int fd, const void *data, size_t count) {
    return apus_result(write(fd, data, count));
}
static inline int apus_open(const char *path, int flags) { return (int)apus_result(open(path, flags)); }

/// Zeroed memory that costs nothing until it is touched; NULL when there is none (`mmap(2)`).
static inline void *apus_map(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}
static inline void apus_unmap(void *memory, size_t bytes) { munmap(memory, bytes); }

/// Gives the whole pages inside a range back; they read as zero afterwards (`madvise(2)`).
static inline void apus_forget_pages(void *memory, size_t bytes) {
    uintptr_t first = ((uintptr_t)memory + 4095) & ~(uintptr_t)4095;
    uintptr_t end = ((uintptr_t)memory + bytes) & ~(uintptr_t)4095;
    if (end > first) madvise((void *)first, end - first, MADV_DONTNEED);
}

static inline uint64_t apus_monotonic(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static inline void apus_spin_hint(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/// The macros of `cmsg(3)` that Swift cannot import.
static inline struct cmsghdr *apus_cmsg_first(const struct msghdr *message) { return CMSG_FIRSTHDR(message); }
static inline struct cmsghdr *apus_cmsg_next(struct msghdr *message, struct cmsghdr *cmsg) {
    return CMSG_NXTHDR(message, cmsg);
}
static inline void *apus_cmsg_data(struct cmsghdr *cmsg) { return CMSG_DATA(cmsg); }
static inline size_t apus_cmsg_space(size_t length) { return CMSG_SPACE(length); }
static inline size_t apus_cmsg_length(size_t length) { return CMSG_LEN(length); }
#endif
