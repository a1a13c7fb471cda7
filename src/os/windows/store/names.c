/*
 * names.c - where a name is: in the kernel's own directories of objects. Names and
 * prefixes go there as they are given, so that a program without mmf finds what mmf
 * made, and the reverse.
 */
#include "os/windows/store/names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/os.h"
#include "os/windows/sys/utf16.h"

/* The kernel counts a path's bytes in 16 bits; "\Sessions\N\BaseNamedObjects\" is
 * first. */
enum { LONGEST = 32767 - 64 };

static size_t
length_in_utf16(const char *text)
{
    size_t length = 0;

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        length += (c & 0xC0) != 0x80; /* each character but its later bytes */
        length += c >= 0xF0;          /* a surrogate pair */
    }
    return length;
}

int
mmf_os_name_parse(const char *given, const char *parameter, struct mmf_name *name)
{
    struct mmf_name split;
    int rc = mmf_name_split(given, parameter, &split);
    wchar_t *wide;
    size_t length;

    if (rc < 0)
        return rc;
    length = length_in_utf16(given);
    if (length > LONGEST)
        return mmf_fail_argument(
            MMF_E_PATH_TOO_LONG, parameter,
            "name \"%.40s...\" has %zu characters; at most %d are possible", given,
            length, LONGEST);
    wide = mmf_utf16_from_utf8(given, parameter, &rc);
    if (wide == NULL)
        return rc;
    free(wide);
    *name = split;
    return MMF_OK;
}

static wchar_t *
add_global_prefix(const struct mmf_name *name, int *rc)
{
    static const char prefix[] = "Global\\";
    char *text = malloc(sizeof(prefix) + name->length);
    wchar_t *wide;

    MMF_ASSERT(name->scope != MMF_SCOPE_LOCAL);
    if (text == NULL) {
        *rc = mmf_fail(MMF_E_NO_MEMORY, "no memory for a name");
        return NULL;
    }
    memcpy(text, prefix, sizeof(prefix) - 1);
    memcpy(text + sizeof(prefix) - 1, name->text, name->length + 1);
    wide = mmf_utf16_from_utf8(text, "name", rc);
    free(text);
    return wide;
}

/*
 * The prefix is the caller's own, unless the options gave a scope that the name does
 * not say.
 */
wchar_t *
mmf_names_for_kernel(const struct mmf_name *name, int *rc)
{
    bool has_prefix;

    *rc = MMF_OK;
    if (name == NULL)
        return NULL;
    MMF_ASSERT(name->length > 0 && name->text >= name->given);
    has_prefix = name->text != name->given;
    if (has_prefix || name->scope == MMF_SCOPE_LOCAL)
        return mmf_utf16_from_utf8(name->given, "name", rc);
    return add_global_prefix(name, rc);
}

HANDLE
mmf_names_open(mmf_kind kind, DWORD rights, const wchar_t *name)
{
    switch (kind) {
    case MMF_KIND_MAP:
        return OpenFileMappingW(rights, FALSE, name);
    case MMF_KIND_MUTEX:
        return OpenMutexW(rights, FALSE, name);
    case MMF_KIND_EVENT:
        return OpenEventW(rights, FALSE, name);
    default:
        MMF_ASSERT(kind == MMF_KIND_SEMAPHORE);
        return OpenSemaphoreW(rights, FALSE, name);
    }
}
