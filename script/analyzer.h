/*
 * analyzer.h - what clang-tidy must be told, included before each file it reads.
 *
 * It follows one source file at a time, so it cannot know that what mmf_fail answers is
 * the status that it was given, and negative: every path behind a failure would look
 * as if it went on.
 */
#ifndef MMF_SCRIPT_ANALYZER_H
#define MMF_SCRIPT_ANALYZER_H

#include "../src/base/fail.h"
#include "../src/os/linux/sys/error.h"

#define mmf_fail(status, ...) (mmf_fail(status, __VA_ARGS__), (status))
#define mmf_fail_argument(status, ...)                                                 \
    (mmf_fail_argument(status, __VA_ARGS__), (status))
#define mmf_fail_system(status, ...) (mmf_fail_system(status, __VA_ARGS__), (status))
#define mmf_fail_null(parameter) (mmf_fail_null(parameter), MMF_E_NULL)
#define mmf_error_fail(...) (mmf_error_fail(__VA_ARGS__), MMF_E_IO)

#endif
