/* dump.h - one line of a dump, for `dump` and `watch`. */
#ifndef MMF_TOOL_DUMP_H
#define MMF_TOOL_DUMP_H

#include <stddef.h>
#include <stdint.h>

enum { DUMP_WIDTH = 16 };

/* How a byte is shown: zero, text, control character, above ASCII. */
enum dump_class { DUMP_ZERO, DUMP_TEXT, DUMP_CONTROL, DUMP_HIGH };

enum dump_class dump_class_of(unsigned char byte);

/* What stands for it in the text column. */
char dump_character(unsigned char byte);

#endif
