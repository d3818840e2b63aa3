#ifndef APUS_COPENSSL_SHIM_H
#define APUS_COPENSSL_SHIM_H
// As in the other C modules: the system's headers must mean the same in all of them.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// What OpenSSL has as macros, which Swift does not see.

static inline int apus_error_reason(unsigned long error) { return ERR_GET_REASON(error); }
static inline int apus_error_library(unsigned long error) { return ERR_GET_LIB(error); }

static inline GENERAL_NAMES *apus_alternative_names(const X509 *certificate) {
    return (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}
static inline int apus_alternative_count(const GENERAL_NAMES *names) {
    return sk_GENERAL_NAME_num(names);
}
/// The dNSName at `index`: its length and where it stands; -1 where another kind of name is.
static inline int apus_alternative_dns(
    const GENERAL_NAMES *names, int index, const unsigned char **text) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    if (name->type != GEN_DNS) return -1;
    *text = ASN1_STRING_get0_data(name->d.dNSName);
    return ASN1_STRING_length(name->d.dNSName);
}

static inline int apus_alternative_kind(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index)->type;
}
/// The text of a dNSName, rfc822Name or URI, the octets of an iPAddress, or the text of an
/// otherName's value: its length and where it stands; -1 where the name is of another kind.
static inline int apus_alternative_text(
    const GENERAL_NAMES *names, int index, const unsigned char **text) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    const ASN1_STRING *value;
    switch (name->type) {
    case GEN_DNS: value = name->d.dNSName; break;
    case GEN_EMAIL: value = name->d.rfc822Name; break;
    case GEN_URI: value = name->d.uniformResourceIdentifier; break;
    case GEN_IPADD: value = name->d.iPAddress; break;
    case GEN_OTHERNAME:
        switch (name->d.otherName->value->type) {
        case V_ASN1_UTF8STRING:
        case V_ASN1_IA5STRING:
        case V_ASN1_PRINTABLESTRING:
        case V_ASN1_OCTET_STRING: value = name->d.otherName->value->value.asn1_string; break;
        default: return -1;
        }
        break;
    default: return -1;
    }
    *text = ASN1_STRING_get0_data(value);
    return ASN1_STRING_length(value);
}
/// The type of an otherName, as in `1.3.6.1.4.1.311.20.2.3`: its length; -1 for another kind.
static inline int apus_alternative_type(
    const GENERAL_NAMES *names, int index, char *text, int capacity) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    if (name->type != GEN_OTHERNAME) return -1;
    return OBJ_obj2txt(text, capacity, name->d.otherName->type_id, 1);
}

static const uint64_t apus_op_no_ticket = SSL_OP_NO_TICKET;
static const uint64_t apus_op_no_compression = SSL_OP_NO_COMPRESSION;
static const uint64_t apus_op_no_renegotiation = SSL_OP_NO_RENEGOTIATION;
static const uint64_t apus_op_cipher_server_preference = SSL_OP_CIPHER_SERVER_PREFERENCE;
static const uint64_t apus_op_prioritize_chacha = SSL_OP_PRIORITIZE_CHACHA;
static const uint64_t apus_op_legacy_server_connect = SSL_OP_LEGACY_SERVER_CONNECT;
static const uint64_t apus_op_no_resumption_on_renegotiation =
    SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION;

static inline void apus_ctx_set_mode(SSL_CTX *ctx, long mode) { SSL_CTX_set_mode(ctx, mode); }
static inline int apus_ctx_set_versions(SSL_CTX *ctx, int least, int most) {
    return SSL_CTX_set_min_proto_version(ctx, least) && SSL_CTX_set_max_proto_version(ctx, most);
}
static inline int apus_ctx_set_groups(SSL_CTX *ctx, const char *list) {
    return (int)SSL_CTX_set1_groups_list(ctx, list);
}
static inline int apus_ctx_set_signatures(SSL_CTX *ctx, const char *list) {
    return (int)SSL_CTX_set1_sigalgs_list(ctx, list);
}
static inline int apus_ctx_add_chain(SSL_CTX *ctx, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(ctx, certificate);
}
static inline void apus_ctx_set_cache(SSL_CTX *ctx, long mode, long sessions_max) {
    SSL_CTX_set_session_cache_mode(ctx, mode);
    SSL_CTX_sess_set_cache_size(ctx, sessions_max);
}
static inline void apus_ctx_set_status(SSL_CTX *ctx, int (*callback)(SSL *, void *)) {
    SSL_CTX_set_tlsext_status_cb(ctx, callback);
}
static inline void apus_ctx_set_name_callback(
    SSL_CTX *ctx, int (*callback)(SSL *, int *, void *)) {
    SSL_CTX_set_tlsext_servername_callback(ctx, callback);
}
static inline int apus_ctx_index(CRYPTO_EX_free *release) {
    return CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, NULL, NULL, release);
}
static inline int apus_ssl_index(CRYPTO_EX_free *release) {
    return CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, NULL, NULL, release);
}

static inline int apus_ssl_set_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}
/// Takes `response`, which OPENSSL_malloc() gave.
static inline void apus_ssl_set_status(SSL *ssl, unsigned char *response, long count) {
    SSL_set_tlsext_status_ocsp_resp(ssl, response, count);
}
/// For tests: a client asks for an OCSP response, and has got one of so many bytes; -1 = none.
static inline void apus_ssl_ask_status(SSL *ssl) {
    SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
}
static inline long apus_ssl_status(SSL *ssl, const unsigned char **response) {
    return SSL_get_tlsext_status_ocsp_resp(ssl, response);
}
static inline const EVP_MD *apus_digest(const ASN1_OBJECT *algorithm) {
    return EVP_get_digestbyobj(algorithm);
}
static inline void apus_openssl_free(void *memory) { OPENSSL_free(memory); }
static inline void *apus_openssl_malloc(size_t count) { return OPENSSL_malloc(count); }
/// A smaller maximum takes the size at which writes are split along, a larger one does not.
static inline void apus_ssl_set_record_max(SSL *ssl, long bytes) {
    SSL_set_max_send_fragment(ssl, bytes);
    SSL_set_split_send_fragment(ssl, bytes);
}
static inline int apus_cipher_count(const SSL_CTX *ctx) {
    return sk_SSL_CIPHER_num(SSL_CTX_get_ciphers(ctx));
}
static inline const SSL_CIPHER *apus_cipher(const SSL_CTX *ctx, int index) {
    return sk_SSL_CIPHER_value(SSL_CTX_get_ciphers(ctx), index);
}
#endif
