#ifndef APUS_CSECURE_H
#define APUS_CSECURE_H
// As in the other C modules: the system's headers must mean the same in all of them.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>

// What OpenSSL has as macros, which Swift does not see.

/// 1, or 0 where the library does not know them.
static inline int apus_only_tls13(SSL_CTX *context) {
    return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION)
        && SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
}
static inline int apus_set_groups(SSL_CTX *context, const char *names) {
    return (int)SSL_CTX_set1_groups_list(context, names);
}
/// A write says how much of it went, and may be tried again from another place.
static inline void apus_set_modes(SSL_CTX *context) {
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                                  | SSL_MODE_RELEASE_BUFFERS);
}
/// Takes up to so many bytes off a socket at once, rather than a record's head and then its body.
static inline void apus_read_ahead(SSL_CTX *context, size_t bytes) {
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, bytes);
}
static inline int apus_set_server_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}

/// OpenSSL writes to sockets with write(2), and a peer may have gone.
static inline void apus_ignore_broken_pipes(void) { signal(SIGPIPE, SIG_IGN); }

/// CPU time of the calling thread.
static inline uint64_t apus_cpu_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/// One direction of a connection in memory: what is written to it can be read from it, and whoever
/// finds it empty, or without room for all that is written, is to try again. OpenSSL's own memory
/// BIO clears what it grows by, which is a tenth of what an encryption costs. NULL: no memory.
BIO *apus_tube(size_t bytes);
#endif
