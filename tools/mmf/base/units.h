/*
 * units.h - numbers as people write and read them: 10K, 4MiB, 2s. An invalid number
 * ends the program with a message that shows valid ones.
 */
#ifndef MMF_TOOL_UNITS_H
#define MMF_TOOL_UNITS_H

#include <stddef.h>
#include <stdint.h>

/* "10000", "10K", "4MiB", "0x1000": bytes, not negative. `what` is "size", "--offset".
 */
int64_t units_bytes(const char *what, const char *text);

/* "250ms", "2s", "1.5s", "2m", "1h", "5" (seconds): milliseconds. */
int32_t units_milliseconds(const char *what, const char *text);

/* The same, or -1 for "forever". */
int32_t units_timeout(const char *what, const char *text);

/* A plain number from `least` to `most`. */
int64_t units_number(const char *what, const char *text, int64_t least, int64_t most);

/* Permission bits: "640", "0640". */
uint32_t units_mode(const char *what, const char *text);

enum { UNITS_TEXT_SIZE = 32 };

/* "9.8K", "4M", "512": at most five characters up to exabytes, as lsblk has it. */
const char *units_show_bytes(int64_t bytes, char text[UNITS_TEXT_SIZE]);

/* "3s", "4m", "2h", "5d". */
const char *units_show_age(int64_t nanoseconds, char text[UNITS_TEXT_SIZE]);

#endif
