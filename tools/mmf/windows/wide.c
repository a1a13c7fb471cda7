/* wide.c - see wide.h. */
#include "windows/wide.h"

#include <stdlib.h>
#include <windows.h>

#include "base/say.h"
#include "base/text.h"

wchar_t *
wide_from_text(const char *text)
{
    int length = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
    wchar_t *wide = calloc((size_t)length + 1, sizeof(*wide));

    if (wide == NULL)
        say_no_memory();
    MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, length);
    return wide;
}

char *
wide_to_text(const wchar_t *wide)
{
    int length = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *text = calloc((size_t)length + 1, 1);

    if (text == NULL)
        say_no_memory();
    WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, length, NULL, NULL);
    return text;
}

char *
wide_error(unsigned long error)
{
    wchar_t wide[512];
    DWORD length =
        FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                       error, 0, wide, sizeof(wide) / sizeof(wide[0]), NULL);

    while (length > 0 && (wide[length - 1] <= L' ' || wide[length - 1] == L'.'))
        wide[--length] = L'\0';
    if (length == 0)
        return text_format("error %lu", error);
    return wide_to_text(wide);
}
