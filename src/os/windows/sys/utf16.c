/*
 * utf16.c - text for the system. What is not UTF-8 is refused, not repaired: two names
 * that differ must not become one.
 */
#include "os/windows/sys/utf16.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include <mmf/status.h>

#include "base/fail.h"

static int
fail_conversion(const char *text, const char *parameter)
{
    return mmf_fail_argument(MMF_E_INVALID, parameter, "\"%.200s\" is not UTF-8", text);
}

wchar_t *
mmf_utf16_from_utf8(const char *text, const char *parameter, int *rc)
{
    size_t bytes = strlen(text);
    wchar_t *wide;
    int length;

    if (bytes > INT_MAX / 4) {
        *rc = mmf_fail_argument(MMF_E_PATH_TOO_LONG, parameter,
                                "\"%.40s...\" has %zu bytes", text, bytes);
        return NULL;
    }
    /* UTF-16 never has more units than UTF-8 has bytes. */
    wide = malloc((bytes + 1) * sizeof(*wide));
    if (wide == NULL) {
        *rc = mmf_fail(MMF_E_NO_MEMORY, "no memory for \"%.200s\"", text);
        return NULL;
    }
    length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, (int)bytes, wide,
                                 (int)bytes + 1);
    if (length <= 0 && bytes > 0) {
        free(wide);
        *rc = fail_conversion(text, parameter);
        return NULL;
    }
    wide[length] = L'\0';
    *rc = MMF_OK;
    return wide;
}

int
mmf_utf16_to_utf8(const wchar_t *wide, char *text, size_t size)
{
    int most = size > INT_MAX ? INT_MAX : (int)size;
    int length = WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, most, NULL, NULL);

    return length > 0 ? 0 : -1;
}
