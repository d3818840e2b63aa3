#ifndef APUS_COPENSSL_SHIM_H
#define APUS_COPENSSL_SHIM_H
// As in the other C modules: the system's headers must mean the same in all of them.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <openssl/err.h>
#include <openssl/pem.h>
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
#endif
