/*
 * name_guard.c - names of a channel's parts: the channel's, ":mmf:" and the part. They are
 * beside it in the kernel's directory, so that a prefix holds for them, too.
 */
#include "os/windows/store/name_guard.h"

#include <stdlib.h>
#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "os/windows/store/names.h"

static const wchar_t mark[] = L":mmf:";
static const wchar_t data[] = L"data";

enum { MARK_LENGTH = 5, DIGITS = 16, ROOM = MARK_LENGTH + 1 + DIGITS + 1 };

int
mmf_part_name_make(const struct mmf_name *name, struct mmf_part_name *made)
{
    int rc;
    wchar_t *text = mmf_place_name(name, &rc);
    wchar_t *larger;

    if (text == NULL)
        return rc;
    made->length = wcslen(text);
    larger = realloc(text, (made->length + ROOM) * sizeof(*text));
    if (larger == NULL) {
        free(text);
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a name");
    }
    made->text = larger;
    return MMF_OK;
}

void
mmf_part_name_free(struct mmf_part_name *name)
{
    free(name->text);
    name->text = NULL;
}

const wchar_t *
mmf_part_none(struct mmf_part_name *name)
{
    name->text[name->length] = L'\0';
    return name->text;
}

/* Where the part is to be written. */
static wchar_t *
write_mark(wchar_t *end)
{
    memcpy(end, mark, MARK_LENGTH * sizeof(*mark));
    return end + MARK_LENGTH;
}

void
mmf_part_append_data(wchar_t *end)
{
    memcpy(write_mark(end), data, sizeof(data));
}

const wchar_t *
mmf_part_data(struct mmf_part_name *name)
{
    mmf_part_append_data(name->text + name->length);
    return name->text;
}

const wchar_t *
mmf_part_numbered(struct mmf_part_name *name, wchar_t part, uint64_t number)
{
    static const wchar_t digits[] = L"0123456789abcdef";
    wchar_t *to = write_mark(name->text + name->length);
    int left = 4 * DIGITS;

    *to++ = part;
    while (left > 4 && number >> (left - 4) == 0)
        left -= 4;
    for (; left > 0; left -= 4)
        *to++ = digits[number >> (left - 4) & 15];
    *to = L'\0';
    return name->text;
}

/* "data"; a letter and a number. */
static int
is_part(const wchar_t *part, size_t length)
{
    if (length == wcslen(data) && wcsncmp(part, data, length) == 0)
        return 1;
    if (length < 2 || length > 1 + DIGITS || wcschr(L"mst", part[0]) == NULL)
        return 0;
    for (size_t i = 1; i < length; i++)
        if (wcschr(L"0123456789abcdef", part[i]) == NULL)
            return 0;
    return 1;
}

int
mmf_part_is(const wchar_t *name, size_t length)
{
    size_t at = length;

    while (at > 0 && name[at - 1] != L':')
        at--;
    return at > MARK_LENGTH &&
           wcsncmp(name + at - MARK_LENGTH, mark, MARK_LENGTH) == 0 &&
           is_part(name + at, length - at);
}
