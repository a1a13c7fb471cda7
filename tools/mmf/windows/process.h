/* process.h - starting processes: command lines, and what they inherit. */
#ifndef MMF_TOOL_WINDOWS_PROCESS_H
#define MMF_TOOL_WINDOWS_PROCESS_H

#include <wchar.h>
#include <windows.h>

/* The arguments as one line, from which a program gets them back; to be freed. */
wchar_t *process_line(char *const *arguments);

/*
 * Start this program again with the same arguments, and the variable set for it; what
 * it writes to standard error goes to `errors`, which it inherits, and with `in`, which
 * may be NULL, nothing else. A failure ends the program. Returns its handle.
 */
HANDLE process_again(const wchar_t *variable, const wchar_t *value, HANDLE in,
                     HANDLE errors, DWORD *id);

#endif
