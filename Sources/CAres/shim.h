#ifndef APUS_CARES_SHIM_H
#define APUS_CARES_SHIM_H
// As in the other C modules: the system's headers must mean the same in all of them.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <ares.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/select.h>
#endif
