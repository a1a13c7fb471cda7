/*
 * name.h - what a name means, and the file name that stands for it.
 */
#ifndef MMF_BASE_NAME_H
#define MMF_BASE_NAME_H

#include <stddef.h>
#include <stdint.h>

/* Who shares a name. */
enum mmf_scope {
    MMF_SCOPE_LOCAL = 0, /* this user's processes */
    MMF_SCOPE_GLOBAL = 1 /* every user's */
};

#define MMF_NAME_MAX 3500

/* Long enough for any file name of ours, with its end. */
#define MMF_FILE_NAME_SIZE 256

/* A parsed name. The strings are the caller's. */
struct mmf_name {
    const char *given; /* with its prefix */
    const char *text;  /* after the prefix */
    size_t length;     /* of `text` */
    enum mmf_scope scope;
    int user_only;       /* .NET's CurrentUserOnly was asked for */
    uint32_t other_user; /* to inspect that user's local name; 0: this user's own */
};

/*
 * What a name's prefix says, whatever may follow it.
 *
 * MMF_E_INVALID  empty, or nothing after the prefix
 */
int mmf_name_split(const char *given, const char *parameter, struct mmf_name *name);

/*
 * Parse `given`, which is not NULL, as a name that becomes a file's. `parameter` is its
 * argument name for messages.
 *
 * MMF_E_INVALID        empty, or nothing after the prefix
 * MMF_E_PATH_NOT_FOUND a backslash that does not end "Local" or "Global"
 * MMF_E_PATH_TOO_LONG  more than MMF_NAME_MAX bytes
 */
int mmf_name_parse(const char *given, const char *parameter, struct mmf_name *name);

/*
 * The name of the file, without its directory: letters, digits, '-', '_' and bytes from
 * 0x80 on stand for themselves, any other byte for "%XX". If that is longer than 200
 * bytes, a head of it, a '~' (which no short file name contains) and the hash of the
 * whole name. It contains no dot, so that it never meets hidden files or a prefix's dot.
 */
void mmf_name_file_name(const struct mmf_name *name, char out[MMF_FILE_NAME_SIZE]);

#endif
