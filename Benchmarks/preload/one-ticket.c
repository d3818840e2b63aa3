// Preloaded: every SSL_CTX sends one ticket after a full handshake instead of OpenSSL's two
// (SSL_CTX_set_num_tickets(3)), for programs that have no setting for it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <openssl/ssl.h>

SSL_CTX *SSL_CTX_new(const SSL_METHOD *method) {
    static SSL_CTX *(*make)(const SSL_METHOD *);
    if (!make) make = (SSL_CTX * (*)(const SSL_METHOD *)) dlsym(RTLD_NEXT, "SSL_CTX_new");
    SSL_CTX *context = make ? make(method) : NULL;
    if (context) SSL_CTX_set_num_tickets(context, 1);
    return context;
}
