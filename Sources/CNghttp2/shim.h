#ifndef APUS_CNGHTTP2_SHIM_H
#define APUS_CNGHTTP2_SHIM_H
// As in the other C modules: the system's headers must mean the same in all of them.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <nghttp2/nghttp2.h>
#endif
