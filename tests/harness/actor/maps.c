/*
 * maps.c - the actor's calls on maps, and on the files that they may be of.
 */
#ifdef _WIN32
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

#include "harness/actor/actor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Files that are open here.
 */

struct file {
    intptr_t handle;
    bool is_a_map_s; /* which closes it */
};

#ifdef _WIN32
static intptr_t
open_file(const char *path, const char *how, bool inheritable)
{
    DWORD access = (*how != 'w' ? GENERIC_READ : 0) | (*how != 'r' ? GENERIC_WRITE : 0);
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, inheritable};

    return (intptr_t)CreateFileA(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                 &attributes, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL,
                                 NULL);
}

static intptr_t
open_other(const char *what)
{
    HANDLE ends[2];

    if (strncmp(what, "pipe", 4) != 0 || !CreatePipe(&ends[0], &ends[1], NULL, 0))
        complain("Windows has no such file", what);
    CloseHandle(ends[strcmp(what, "pipe") == 0]);
    return (intptr_t)ends[strcmp(what, "pipe") != 0];
}

static void
close_file(intptr_t handle)
{
    CloseHandle((HANDLE)handle);
}

static bool
is_open(intptr_t handle)
{
    DWORD flags;

    return GetHandleInformation((HANDLE)handle, &flags) != 0;
}

static bool
is_inheritable(intptr_t handle)
{
    DWORD flags = 0;

    GetHandleInformation((HANDLE)handle, &flags);
    return (flags & HANDLE_FLAG_INHERIT) != 0;
}
#else
static intptr_t
open_file(const char *path, const char *how, bool inheritable)
{
    return open(path, (*how == 'r'   ? O_RDONLY
                       : *how == 'w' ? O_WRONLY
                                     : O_RDWR) |
                          (inheritable ? 0 : O_CLOEXEC));
}

/* Either end of a pipe, a socket, a file without a name. */
static intptr_t
open_other(const char *what)
{
    int ends[2] = {-1, -1};

    if (strncmp(what, "pipe", 4) == 0) {
        if (pipe2(ends, O_CLOEXEC) < 0)
            complain("no pipe", what);
    } else if (strcmp(what, "socket") == 0) {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
            complain("no socket", what);
    } else {
        ends[0] = memfd_create("nameless", MFD_CLOEXEC);
        if (ftruncate(ends[0], 100) < 0)
            complain("no memory", what);
        return ends[0];
    }
    close(ends[strcmp(what, "pipe_in") != 0]);
    return ends[strcmp(what, "pipe_in") == 0];
}

static void
close_file(intptr_t handle)
{
    close((int)handle);
}

static bool
is_open(intptr_t handle)
{
    return fcntl((int)handle, F_GETFD) >= 0;
}

static bool
is_inheritable(intptr_t handle)
{
    return (fcntl((int)handle, F_GETFD) & FD_CLOEXEC) == 0;
}
#endif

/* open_file PATH read|write|both, open_other WHAT */
static int
call_open_file(struct call *call)
{
    struct file *file = calloc(1, sizeof(*file));

    if (file == NULL)
        complain("no memory", call->words[0]);
    if (strcmp(call->words[0], "open_file") == 0)
        file->handle = open_file(text_at(call, 1), text_at(call, 2),
                                 option_of(call, "inheritable") != NULL);
    else
        file->handle = open_other(text_at(call, 1));
    if (file->handle == -1)
        complain("this file cannot be opened", text_at(call, 1));
    keep_handle(call, OPEN_FILE, MMF_OK, file);
    return MMF_OK;
}

void
close_open_file(void *object)
{
    struct file *file = object;

    if (!file->is_a_map_s)
        close_file(file->handle);
    free(file);
}

static int
call_is_open(struct call *call)
{
    const struct file *file = handle_of(text_at(call, 1)).object;

    say_number(call, "value", is_open(file->handle));
    return MMF_OK;
}

/*
 * Maps.
 */

/* A file's path: the runner's directory is the same one for all languages. */
static const char *
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

/* from_file PATH MODE NAME CAPACITY */
static int
call_from_file(struct call *call)
{
    static const char *const modes[] = {
        "none",           "create_new", "create", "open",
        "open_or_create", "truncate",   "append", NULL};
    void *options = options_of(call, &map_options);
    char path[PATH_SIZE];
    mmf_map *map = NO_HANDLE, **out = unless_null(call, "out", &map);
    int status = mmf_map_create_from_file(
        path_at(call, 1, path), (mmf_file_mode)choice_of(text_at(call, 2), modes),
        text_at(call, 3), number_at(call, 4), options, out);

    free(options);
    keep_handle(call, MMF_KIND_MAP, status, map);
    return status;
}

/* from_handle FILE NAME CAPACITY, from_fd FILE NAME CAPACITY; FILE may be a number */
static int
call_from_handle(struct call *call)
{
    bool is_number = strchr("-0123456789", *text_at(call, 1)) != NULL;
    struct file *file = is_number ? NULL : handle_of(text_at(call, 1)).object;
    intptr_t handle = is_number ? (intptr_t)number_at(call, 1) : file->handle;
    const char *name = text_at(call, 2);
    int64_t capacity = number_at(call, 3);
    void *options = options_of(call, &map_options);
    mmf_map *map = NO_HANDLE, **out = unless_null(call, "out", &map);
    int status;

    if (strcmp(call->words[0], "from_fd") == 0)
        status = mmf_map_create_from_fd((int)handle, name, capacity, options, out);
    else
        status = mmf_map_create_from_handle(handle, name, capacity, options, out);
    if (status >= 0 && file != NULL && option_of(call, "leave_open") == NULL)
        file->is_a_map_s = true;
    free(options);
    keep_handle(call, MMF_KIND_MAP, status, map);
    return status;
}

/* The system's handle: the same each time, open; 1 if a child process would have it. */
static int
call_inherits(struct call *call)
{
    struct handle map = handle_of(text_at(call, 1));
    intptr_t handle = UNTOUCHED, again = UNTOUCHED;
    int status = mmf_map_native_handle(map.object, &handle);

    if (status < 0) {
        say_output(call, "value", handle);
        return status;
    }
    status = mmf_map_native_handle(map.object, &again);
    if (again != handle || !is_open(handle))
        complain("the handle is not sound", call->words[1]);
    say_number(call, "value", is_inheritable(handle));
    return status;
}

/*
 * Bytes.
 */

/* get MAP POSITION, put MAP POSITION VALUE: by a view of it all */
static int
call_byte(struct call *call)
{
    bool reads = strcmp(call->words[0], "get") == 0;
    struct handle map = handle_of(text_at(call, 1));
    int64_t position = number_at(call, 2);
    mmf_accessor *view;
    uint8_t value = 0;
    int status = mmf_accessor_create(
        map.object, 0, 0, reads ? MMF_ACCESS_READ : MMF_ACCESS_READ_WRITE, NULL, &view);

    if (status < 0)
        return status;
    status = reads
                 ? mmf_accessor_read_byte(view, position, &value)
                 : mmf_accessor_write_byte(view, position, (uint8_t)number_at(call, 3));
    if (reads && status >= 0)
        say_number(call, "value", value);
    mmf_accessor_close(view);
    return status;
}

/* all MAP: the value that each byte has, or "mixed"; fill MAP VALUE */
static int
call_all(struct call *call)
{
    bool reads = strcmp(call->words[0], "all") == 0;
    struct handle map = handle_of(text_at(call, 1));
    mmf_accessor *view;
    void *bytes;
    size_t size;
    int status = mmf_accessor_create(
        map.object, 0, 0, reads ? MMF_ACCESS_READ : MMF_ACCESS_READ_WRITE, NULL, &view);

    if (status < 0)
        return status;
    mmf_accessor_pointer(view, &bytes, &size);
    if (!reads)
        memset(bytes, (int)number_at(call, 2), size);
    else if (size > 1 && memcmp(bytes, (char *)bytes + 1, size - 1) != 0)
        say_text(call, "value", "mixed");
    else
        say_number(call, "value", *(unsigned char *)bytes);
    mmf_accessor_close(view);
    return status;
}

const struct named_call map_calls[] = {CALL(from_file),
                                       CALL(from_handle),
                                       ALIAS(from_fd, from_handle),
                                       CALL(open_file),
                                       ALIAS(open_other, open_file),
                                       CALL(is_open),
                                       CALL(inherits),
                                       ALIAS(get, byte),
                                       ALIAS(put, byte),
                                       CALL(all),
                                       ALIAS(fill, all),
                                       {NULL, NULL}};
