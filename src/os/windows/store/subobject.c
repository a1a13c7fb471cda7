/*
 * subobject.c - see subobject.h. Subobjects are beside their channel in the kernel's
 * directory, so that a prefix holds for them, too.
 */
#include "os/windows/store/subobject.h"

#include <stdlib.h>
#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/windows/store/names.h"

static const wchar_t mark[] = L":mmf:";
static const wchar_t data[] = L"data";
/* Tokens for messages and space; tickets; tokens of a client's answers and their space. */
static const wchar_t letters[] = L"mstab";
static const wchar_t digits[] = L"0123456789abcdef";

enum { MARK_LENGTH = 5, DIGITS = 16, SPACE = MARK_LENGTH + 1 + DIGITS + 1 };

int
mmf_subobject_name_make(const struct mmf_name *name, struct mmf_subobject_name *made)
{
    int rc;
    wchar_t *text = mmf_names_for_kernel(name, &rc);
    wchar_t *larger;

    MMF_ASSERT(name != NULL);
    if (text == NULL)
        return rc;
    made->length = wcslen(text);
    larger = realloc(text, (made->length + SPACE) * sizeof(*text));
    if (larger == NULL) {
        free(text);
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a name");
    }
    made->text = larger;
    return MMF_OK;
}

void
mmf_subobject_name_free(struct mmf_subobject_name *name)
{
    free(name->text);
    name->text = NULL;
}

const wchar_t *
mmf_subobject_channel(struct mmf_subobject_name *name)
{
    MMF_ASSERT(name->text != NULL);
    name->text[name->length] = L'\0';
    return name->text;
}

/* Where the subobject's own part is to be written. */
static wchar_t *
write_mark(wchar_t *end)
{
    memcpy(end, mark, MARK_LENGTH * sizeof(*mark));
    return end + MARK_LENGTH;
}

void
mmf_subobject_append_data(wchar_t *end)
{
    memcpy(write_mark(end), data, sizeof(data));
}

const wchar_t *
mmf_subobject_data(struct mmf_subobject_name *name)
{
    MMF_ASSERT(name->text != NULL);
    mmf_subobject_append_data(name->text + name->length);
    return name->text;
}

const wchar_t *
mmf_subobject_numbered(struct mmf_subobject_name *name, wchar_t letter, uint64_t number)
{
    wchar_t *to = write_mark(name->text + name->length);
    int left = 4 * DIGITS;

    MMF_ASSERT(wcschr(letters, letter) != NULL);
    *to++ = letter;
    while (left > 4 && number >> (left - 4) == 0)
        left -= 4;
    for (; left > 0; left -= 4)
        *to++ = digits[number >> (left - 4) & 15];
    *to = L'\0';
    return name->text;
}

/* "data"; a letter and a number. */
static bool
is_ours(const wchar_t *end, size_t length)
{
    if (length == wcslen(data) && wcsncmp(end, data, length) == 0)
        return true;
    if (length < 2 || length > 1 + DIGITS || wcschr(letters, end[0]) == NULL)
        return false;
    for (size_t i = 1; i < length; i++)
        if (wcschr(digits, end[i]) == NULL)
            return false;
    return true;
}

bool
mmf_subobject_is_name(const wchar_t *name, size_t length)
{
    size_t at = length;

    while (at > 0 && name[at - 1] != L':')
        at--;
    return at > MARK_LENGTH &&
           wcsncmp(name + at - MARK_LENGTH, mark, MARK_LENGTH) == 0 &&
           is_ours(name + at, length - at);
}
