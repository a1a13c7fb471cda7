/*
 * files.c - the actor's calls on files.
 */
#include "harness/actor/actor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A file's path: the runner's directory is the same one for all languages. */
const char *
path_at(const struct call *call, int i, char path[PATH_SIZE])
{
    const char *file = text_at(call, i), *directory = getenv("MMF_TEST_FILES");

    if (file == NULL || *file == '\0' || *file == '/')
        return file;
    if (directory == NULL)
        complain("MMF_TEST_FILES is not set", file);
#ifdef _WIN32
    snprintf(path, PATH_SIZE, "Z:%s/%s", directory, file);
#else
    snprintf(path, PATH_SIZE, "%s/%s", directory, file);
#endif
    return path;
}

static FILE *
open_file(const struct call *call, const char *how)
{
    char path[PATH_SIZE];
    FILE *file = fopen(path_at(call, 1, path), how);

    if (file == NULL)
        complain("a file that cannot be opened", path);
    return file;
}

/* file FILE LENGTH: a new one, of zeros */
static int
call_file(struct call *call)
{
    FILE *file = open_file(call, "wbx");
    long long length = number_at(call, 2);

    if (length > 0 &&
        (fseek(file, (long)length - 1, SEEK_SET) != 0 || fputc(0, file) != 0))
        complain("a file that cannot be made", call->words[1]);
    fclose(file);
    return MMF_OK;
}

static int
call_file_length(struct call *call)
{
    struct stat status;
    char path[PATH_SIZE];

    say_number(call, "value",
               stat(path_at(call, 1, path), &status) < 0 ? -1
                                                         : (long long)status.st_size);
    return MMF_OK;
}

/* file_bytes FILE OFFSET COUNT */
static int
call_file_bytes(struct call *call)
{
    FILE *file = open_file(call, "rb");
    unsigned char bytes[MAX_HEX];
    size_t count = (size_t)number_at(call, 3);

    if (count > sizeof(bytes) || fseek(file, (long)number_at(call, 2), SEEK_SET) != 0)
        complain("bytes that cannot be read", call->words[1]);
    say_hex(call, "value", bytes, fread(bytes, 1, count, file));
    fclose(file);
    return MMF_OK;
}

const struct named_call file_calls[] = {{"file", call_file},
                                        {"file_length", call_file_length},
                                        {"file_bytes", call_file_bytes},
                                        {NULL, NULL}};
