/*
 * name.h - what a name means, and the file name that stands for it.
 */
#ifndef MMF_BASE_NAME_H
#define MMF_BASE_NAME_H

#include <stddef.h>
#include <stdint.h>

/* Who shares a name. */
enum mmf_scope {
    MMF_SCOPE_LOCAL = 0,  /* this user's processes */
    MMF_SCOPE_GLOBAL = 1, /* every user's */
    MMF_SCOPE_USER = 2    /* "Global\\", but of this user alone */
};

#define MMF_NAME_MAX 3500

/* Long enough for any leaf name, with its end. */
#define MMF_LEAF_SIZE 256

/* A parsed name. The strings are the caller's. */
struct mmf_name {
    const char *given; /* with its prefix */
    const char *text;  /* behind the prefix */
    size_t length;     /* of `text` */
    enum mmf_scope scope;
    int user_only; /* .NET's CurrentUserOnly was asked for */
};

/*
 * What a name's prefix says, whatever may follow it.
 *
 * MMF_E_INVALID  empty, or nothing behind the prefix
 */
int mmf_name_split(const char *given, const char *parameter, struct mmf_name *name);

/*
 * Parse `given`, which is not NULL, as a name that becomes a file's. `parameter` is its
 * argument name for messages.
 *
 * MMF_E_INVALID        empty, or nothing behind the prefix
 * MMF_E_PATH_NOT_FOUND a backslash that does not end "Local" or "Global"
 * MMF_E_PATH_TOO_LONG  more than MMF_NAME_MAX bytes
 */
int mmf_name_parse(const char *given, const char *parameter, struct mmf_name *name);

/*
 * The leaf name of the file: letters, digits, '-', '_' and bytes from 0x80 on stand for
 * themselves, any other byte for "%XX". If that is longer than 200 bytes, a head of it,
 * a '~' (which no short leaf contains) and the hash of the whole name. No leaf contains
 * a dot, so that ours never meet hidden files or a prefix's dot.
 */
void mmf_name_leaf(const struct mmf_name *name, char leaf[MMF_LEAF_SIZE]);

#endif
