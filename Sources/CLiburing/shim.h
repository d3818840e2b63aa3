#ifndef APUS_CLIBURING_SHIM_H
#define APUS_CLIBURING_SHIM_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <liburing.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/// IORING_REGISTER and IORING_ENTER constants younger than Debian 12's liburing 2.3.
static const unsigned APUS_IORING_FEAT_MIN_TIMEOUT_BIT = 1U << 15;

/// `struct io_uring_getevents_arg` of Linux 6.12: `min_wait_usec` took the place of `pad`.
struct apus_getevents_arg {
    uint64_t sigmask;
    uint32_t sigmask_sz;
    uint32_t min_wait_usec;
    uint64_t ts;
};

/// Shows the kernel the SQEs that were filled in. The index array is the identity from start on, so
/// that only the tail moves (`io_uring(7)`, submission queue).
static inline unsigned apus_sq_publish(struct io_uring *ring) {
    struct io_uring_sq *sq = &ring->sq;
    unsigned count = sq->sqe_tail - sq->sqe_head;
    if (count) {
        sq->sqe_head = sq->sqe_tail;
        __atomic_store_n(sq->ktail, sq->sqe_tail, __ATOMIC_RELEASE);
    }
    return count;
}

static inline void apus_sq_identity(struct io_uring *ring) {
    for (unsigned i = 0; i < ring->sq.ring_entries; i++) ring->sq.array[i] = i;
}

static inline unsigned apus_sq_flags(const struct io_uring *ring) {
    return __atomic_load_n(ring->sq.kflags, __ATOMIC_RELAXED);
}

/// `io_uring_enter(2)`; returns what was submitted, or -errno.
static inline int apus_enter(const struct io_uring *ring, unsigned submit, unsigned minimum,
                             unsigned flags, const void *argument, size_t size) {
    long result = syscall(__NR_io_uring_enter, ring->enter_ring_fd, submit, minimum, flags, argument, size);
    return result < 0 ? -errno : (int)result;
}

static inline unsigned apus_cq_head(const struct io_uring *ring) { return *ring->cq.khead; }

static inline unsigned apus_cq_tail(const struct io_uring *ring) {
    return __atomic_load_n(ring->cq.ktail, __ATOMIC_ACQUIRE);
}

static inline const struct io_uring_cqe *apus_cqe_at(const struct io_uring *ring, unsigned index) {
    return &ring->cq.cqes[index & ring->cq.ring_mask];
}

static inline void apus_cq_set_head(struct io_uring *ring, unsigned head) {
    __atomic_store_n(ring->cq.khead, head, __ATOMIC_RELEASE);
}

/// Writes one entry of a provided-buffer ring; `apus_buf_ring_publish` shows the kernel all of them.
static inline void apus_buf_ring_set(struct io_uring_buf_ring *br, unsigned slot, void *address,
                                     unsigned length, unsigned short id) {
    struct io_uring_buf *buf = &br->bufs[slot];
    buf->addr = (unsigned long)address;
    buf->len = length;
    buf->bid = id;
}

static inline void apus_buf_ring_publish(struct io_uring_buf_ring *br, unsigned short tail) {
    __atomic_store_n(&br->tail, tail, __ATOMIC_RELEASE);
}
#endif
