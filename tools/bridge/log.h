/*
 * log.h - one line for each thing that an operator wants to know, on standard error.
 */
#ifndef MMF_BRIDGE_LOG_H
#define MMF_BRIDGE_LOG_H

#include <stdbool.h>

#if defined(__GNUC__)
#define LOG_FORMAT(text, first) __attribute__((format(printf, text, first)))
#else
#define LOG_FORMAT(text, first)
#endif

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* Before any thread is started. A line is plain text, or an object of JSON. */
void log_begin(bool json, enum log_level least);

/* `subject`, the channel that the line is about, may be NULL. */
void log_say(enum log_level level, const char *subject, const char *format, ...)
    LOG_FORMAT(3, 4);

#endif
