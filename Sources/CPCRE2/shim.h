#ifndef APUS_CPCRE2_SHIM_H
#define APUS_CPCRE2_SHIM_H
// As in the other C modules: the system's headers must mean the same in all of them.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifndef PCRE2_CODE_UNIT_WIDTH
#define PCRE2_CODE_UNIT_WIDTH 8
#endif
#include <pcre2.h>
#include <stddef.h>
#include <stdint.h>

// The library's names are macros that Swift cannot see; the wrappers have one argument for each
// decision that is Swift's.

/// What a pattern is made of once and read by any thread: the compiled code, and the limits.
struct apus_pattern {
    pcre2_code *code;
    pcre2_match_context *limits;
};

/// What `apus_pattern_matches` answers; every other outcome is a limit that was reached.
enum { APUS_PATTERN_LIMIT = -1, APUS_PATTERN_NO = 0, APUS_PATTERN_YES = 1 };

/// Compiles UTF-8 that is known to be valid. Returns 0, or the library's error number and the
/// offset at which it stopped. Without a JIT for this processor the interpreter does the work.
static inline int apus_pattern_compile(struct apus_pattern *pattern, const uint8_t *text,
                                       size_t count, uint32_t match_limit, size_t *offset) {
    int number = 0;
    pattern->code = pcre2_compile(text, count,
                                  PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY |
                                      PCRE2_NO_AUTO_CAPTURE | PCRE2_NEVER_BACKSLASH_C,
                                  &number, offset, NULL);
    if (!pattern->code) return number;
    (void)pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
    pattern->limits = pcre2_match_context_create(NULL);
    if (!pattern->limits) {
        pcre2_code_free(pattern->code);
        return PCRE2_ERROR_NOMEMORY;
    }
    pcre2_set_match_limit(pattern->limits, match_limit);
    pcre2_set_depth_limit(pattern->limits, match_limit);
    // In KiB: what the interpreter may take for its backtracking points.
    pcre2_set_heap_limit(pattern->limits, 16 << 10);
    return 0;
}

static inline void apus_pattern_free(struct apus_pattern *pattern) {
    pcre2_match_context_free(pattern->limits);
    pcre2_code_free(pattern->code);
}

/// Whether the text, valid UTF-8, has the pattern anywhere in it. The matcher's own memory is made
/// for each call, so that threads share nothing.
static inline int apus_pattern_matches(const struct apus_pattern *pattern, const uint8_t *text,
                                       size_t count) {
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    if (!data) return APUS_PATTERN_LIMIT;
    int result = pcre2_match(pattern->code, text, count, 0, PCRE2_NO_UTF_CHECK, data,
                             pattern->limits);
    // The JIT has 32 KiB of stack; a text that nests deeper than that is for the interpreter.
    if (result == PCRE2_ERROR_JIT_STACKLIMIT)
        result = pcre2_match(pattern->code, text, count, 0, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data,
                             pattern->limits);
    pcre2_match_data_free(data);
    if (result >= 0) return APUS_PATTERN_YES;
    return result == PCRE2_ERROR_NOMATCH ? APUS_PATTERN_NO : APUS_PATTERN_LIMIT;
}

/// The library's sentence for an error number; returns its length.
static inline size_t apus_pattern_message(int number, uint8_t *buffer, size_t count) {
    int length = pcre2_get_error_message(number, buffer, count);
    return length < 0 ? 0 : (size_t)length;
}
#endif
