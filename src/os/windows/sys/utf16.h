/* utf16.h - the caller's UTF-8 as the system's UTF-16, and back. */
#ifndef MMF_OS_WINDOWS_SYS_UTF16_H
#define MMF_OS_WINDOWS_SYS_UTF16_H

#include <stddef.h>
#include <wchar.h>

/*
 * `text` as UTF-16, to be freed. NULL: mmf_fail was called. MMF_E_INVALID: it is not
 * UTF-8. MMF_E_NO_MEMORY.
 */
wchar_t *mmf_utf16_from_utf8(const char *text, const char *parameter, int *rc);

/* 0, or -1 if the UTF-8 does not fit in `size` bytes. What is no UTF-16 becomes U+FFFD.
 */
int mmf_utf16_to_utf8(const wchar_t *wide, char *text, size_t size);

#endif
