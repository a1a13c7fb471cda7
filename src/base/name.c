/*
 * name.c - .NET's (that is, Windows') rules for object names, contract 3.6, and the
 * injective encoding of names as file names.
 */
#include "base/name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "base/siphash.h"

enum { LONGEST_FILE_NAME = 200, HEAD_OF_LONG_NAME = 160 };

static const char local_prefix[] = "Local\\";
static const char global_prefix[] = "Global\\";

static bool
starts_with(const char *text, const char *prefix)
{
    return text[0] == prefix[0] && strncmp(text, prefix, strlen(prefix)) == 0;
}

int
mmf_name_split(const char *given, const char *parameter, struct mmf_name *name)
{
    const char *text = given;
    enum mmf_scope scope = MMF_SCOPE_LOCAL;

    if (given[0] == '\0')
        return mmf_fail_argument(MMF_E_INVALID, parameter, "the name is empty");
    if (starts_with(text, local_prefix)) {
        text += strlen(local_prefix);
    } else if (starts_with(text, global_prefix)) {
        text += strlen(global_prefix);
        scope = MMF_SCOPE_GLOBAL;
    }
    if (text[0] == '\0')
        return mmf_fail_argument(MMF_E_INVALID, parameter,
                                 "name \"%s\": nothing follows the prefix", given);
    name->given = given;
    name->text = text;
    name->length = strlen(text);
    name->scope = scope;
    name->user_only = 0;
    name->other_user = 0;
    return MMF_OK;
}

int
mmf_name_parse(const char *given, const char *parameter, struct mmf_name *name)
{
    struct mmf_name parsed;
    int rc = mmf_name_split(given, parameter, &parsed);

    if (rc < 0)
        return rc;
    if (parsed.length > MMF_NAME_MAX)
        return mmf_fail_argument(
            MMF_E_PATH_TOO_LONG, parameter,
            "name \"%.40s...\" has %zu bytes; at most %d are possible", parsed.text,
            parsed.length, MMF_NAME_MAX);
    if (memchr(parsed.text, '\\', parsed.length) != NULL)
        return mmf_fail_argument(MMF_E_PATH_NOT_FOUND, parameter,
                                 "name \"%.200s\": a backslash can only end the prefix "
                                 "Local or Global",
                                 given);
    *name = parsed;
    return MMF_OK;
}

static bool
stands_for_itself(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_' || c >= 0x80;
}

static size_t
encode_byte(unsigned char c, char out[3])
{
    static const char digits[] = "0123456789ABCDEF";

    if (stands_for_itself(c)) {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '%';
    out[1] = digits[c >> 4];
    out[2] = digits[c & 15];
    return 3;
}

/* Encode as many bytes of the name as fit in `space`; answer the length. */
static size_t
encode_head(const struct mmf_name *name, char *out, size_t space, bool *is_all)
{
    size_t used = 0;
    size_t i;
    char piece[3];

    for (i = 0; i < name->length; i++) {
        size_t n = encode_byte((unsigned char)name->text[i], piece);

        if (used + n > space)
            break;
        memcpy(out + used, piece, n);
        used += n;
    }
    *is_all = i == name->length;
    return used;
}

/* Do not cut a UTF-8 character in two: the head is there to be read. */
static size_t
end_of_last_character(const char *text, size_t length)
{
    size_t end = length;

    while (end > 0 && ((unsigned char)text[end - 1] & 0xC0) == 0x80)
        end--;
    if (end > 0 && (unsigned char)text[end - 1] >= 0xC0)
        return end - 1;
    return length;
}

void
mmf_name_file_name(const struct mmf_name *name, char out[MMF_FILE_NAME_SIZE])
{
    /* Any fixed key does: the full name is compared when the object is opened. */
    static const uint8_t key[16] = "mmf object name";
    uint8_t hash[16];
    bool is_all;
    size_t used = encode_head(name, out, LONGEST_FILE_NAME, &is_all);

    MMF_ASSERT(name->length >= 1 && name->length <= MMF_NAME_MAX);
    out[used] = '\0';
    if (is_all)
        return;
    used = encode_head(name, out, HEAD_OF_LONG_NAME, &is_all);
    used = end_of_last_character(out, used);
    out[used++] = '~';
    mmf_siphash128(key, name->text, name->length, hash);
    for (size_t i = 0; i < sizeof(hash); i++)
        used += (size_t)snprintf(out + used, 3, "%02x", hash[i]);
}
