/* wide.h - Windows' text, UTF-16, from and to ours, UTF-8; and its errors in words. */
#ifndef MMF_TOOL_WINDOWS_WIDE_H
#define MMF_TOOL_WINDOWS_WIDE_H

#include <wchar.h>

/* To be freed. What is wrong in the one is U+FFFD in the other. */
wchar_t *wide_from_text(const char *text);
char *wide_to_text(const wchar_t *wide);

/* What GetLastError's number means, without a line end; to be freed. */
char *wide_error(unsigned long error);

#endif
