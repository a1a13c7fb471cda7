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

static const char *const accesses[] = {
    "read_write",         "read", "write", "copy_on_write", "read_execute",
    "read_write_execute", NULL};

/*
 * Options.
 */

/* The option's number, if it is there; else the default. */
static uint32_t
take_option(const struct call *call, const char *key, int base, bool *found)
{
    const char *value = option_of(call, key);

    if (value == NULL)
        return 0;
    *found = true;
    return (uint32_t)strtoll(value, NULL, base);
}

/* The struct as it is, or as long and with such bytes as the options say. */
static const void *
sized_options(const struct call *call, const void *options, uint32_t known,
              void **space)
{
    enum { MOST = 4096 };
    bool given = false, last = false, next = false, behind = false;
    uint32_t size = take_option(call, "size", 0, &given), length;

    *space = NULL;
    if (!given)
        return options;
    /* As long as it says, on the heap, where reading behind it shows. */
    take_option(call, "behind", 0,
                &behind); /* the fields that it does not count are there */
    length = size < 4 || size > MOST || behind ? known : size;
    *space = calloc(1, length);
    if (*space == NULL)
        complain("no memory", call->words[0]);
    memcpy(*space, options, length < known ? length : known);
    memcpy(*space, &size, sizeof(size));
    take_option(call, "last", 0, &last);
    take_option(call, "next", 0, &next);
    if (last)
        ((unsigned char *)*space)[length - 1] = 1;
    if (next)
        ((unsigned char *)*space)[known] = 0x80;
    return *space;
}

static const mmf_map_options *
options_of(const struct call *call, mmf_map_options *options, void **space)
{
    const char *access = option_of(call, "access");
    bool found = access != NULL || option_of(call, "size") != NULL;

    mmf_map_options_init(options);
    if (access != NULL)
        options->access = (mmf_access)choice_of(access, accesses);
    options->rights = (mmf_rights)take_option(call, "rights", 0, &found);
    options->inheritability =
        (mmf_inheritability)take_option(call, "inheritability", 0, &found);
    options->allocation =
        (mmf_map_allocation)take_option(call, "allocation", 0, &found);
    options->all_users = (int32_t)take_option(call, "all_users", 0, &found);
    options->mode = take_option(call, "mode", 8, &found);
    options->exact_capacity = (int32_t)take_option(call, "exact_capacity", 0, &found);
    options->wait_ms = (int32_t)take_option(call, "wait_ms", 0, &found);
    options->share = (mmf_file_share)take_option(call, "share", 0, &found);
    options->leave_open = (int32_t)take_option(call, "leave_open", 0, &found);
    options->reserved = take_option(call, "reserved", 0, &found);
    return sized_options(call, found ? options : NULL, sizeof(*options), space);
}

const mmf_view_options *
view_options_of(const struct call *call, mmf_view_options *options, void **space)
{
    bool found = option_of(call, "size") != NULL;

    mmf_view_options_init(options);
    options->flags = take_option(call, "flags", 0, &found);
    return sized_options(call, found ? options : NULL, sizeof(*options), space);
}

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

/* Where the new map goes; NULL if the call is to be without. */
static mmf_map **
out_of(const struct call *call, mmf_map **map)
{
    *map = NO_HANDLE;
    return is_null(call, "out") ? NULL : map;
}

int
make_map(struct call *call, const char *how, int first)
{
    mmf_map_options own;
    void *space;
    const mmf_map_options *options = options_of(call, &own, &space);
    const char *name = text_at(call, first);
    mmf_map *map, **out = out_of(call, &map);
    int created = UNTOUCHED, status;

    if (strcmp(how, "open") == 0)
        status = mmf_map_open_existing(name, options, out);
    else if (strcmp(how, "new") == 0)
        status = mmf_map_create_new(name, number_at(call, first + 1), options, out);
    else {
        status = mmf_map_create_or_open(name, number_at(call, first + 1), options,
                                        &created, out);
        say_output(call, "created", created);
    }
    free(space);
    keep_handle(call, MMF_KIND_MAP, status, map);
    return status;
}

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
    mmf_map_options own;
    void *space;
    const mmf_map_options *options = options_of(call, &own, &space);
    char path[PATH_SIZE];
    mmf_map *map, **out = out_of(call, &map);
    int status = mmf_map_create_from_file(
        path_at(call, 1, path), (mmf_file_mode)choice_of(text_at(call, 2), modes),
        text_at(call, 3), number_at(call, 4), options, out);

    free(space);
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
    mmf_map_options own;
    void *space;
    const mmf_map_options *options = options_of(call, &own, &space);
    mmf_map *map, **out = out_of(call, &map);
    int status;

    if (strcmp(call->words[0], "from_fd") == 0)
        status = mmf_map_create_from_fd((int)handle, name, capacity, options, out);
    else
        status = mmf_map_create_from_handle(handle, name, capacity, options, out);
    if (status >= 0 && file != NULL && option_of(call, "leave_open") == NULL)
        file->is_a_map_s = true;
    free(space);
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

/*
 * views MAP SIZE: an accessor and a stream of each access. Those that can be made must do
 * what their access says, at both ends, and nothing else.
 */

static void
demand(bool holds, const char *what, int access)
{
    if (!holds)
        complain(what, accesses[access]);
}

static bool
reads(int access)
{
    return access != MMF_ACCESS_WRITE;
}

static bool
writes(int access)
{
    return access != MMF_ACCESS_READ && access != MMF_ACCESS_READ_EXECUTE;
}

static void
try_accessor(mmf_accessor *view, int64_t position, int access)
{
    const uint8_t *bytes;
    void *pointer;
    uint8_t before, value = 0;

    demand(mmf_accessor_pointer(view, &pointer, NULL) == MMF_OK, "a pointer", access);
    bytes = pointer;
    before = bytes[position];
    demand(mmf_accessor_read_byte(view, position, &value) ==
               (reads(access) ? MMF_OK : MMF_E_NOT_SUPPORTED),
           "a byte to read", access);
    demand(value == (reads(access) ? before : 0), "the byte that it reads", access);
    demand(mmf_accessor_write_byte(view, position, before ^ 42) ==
               (writes(access) ? MMF_OK : MMF_E_NOT_SUPPORTED),
           "a byte to write", access);
    demand(bytes[position] == (writes(access) ? before ^ 42 : before),
           "the byte that it has written", access);
    if (writes(access))
        mmf_accessor_write_byte(view, position, before);
}

static void
check_accessor(mmf_accessor *view, int64_t size, int access)
{
    void *bytes = NULL, *again = NULL;
    size_t length = 0;

    demand(mmf_accessor_pointer(view, &bytes, &length) == MMF_OK &&
               mmf_accessor_pointer(view, &again, NULL) == MMF_OK && bytes == again &&
               length == (size_t)size,
           "an accessor's pointer", access);
    demand(mmf_accessor_capacity(view) == size, "an accessor's capacity", access);
    demand(mmf_accessor_pointer_offset(view) == 0, "an accessor's offset", access);
    demand(mmf_accessor_can_read(view) == reads(access), "can_read", access);
    demand(mmf_accessor_can_write(view) == writes(access), "can_write", access);
    try_accessor(view, 0, access);
    try_accessor(view, size - 1, access);
}

static void
try_stream(mmf_stream *stream, const uint8_t *bytes, int64_t position, int access)
{
    uint8_t before = bytes[position];
    int64_t got = -1;
    int32_t value = -2;

    demand(mmf_stream_seek(stream, position, MMF_SEEK_BEGIN, &got) == MMF_OK &&
               got == position,
           "a seek", access);
    demand(mmf_stream_read_byte(stream, &value) ==
               (reads(access) ? MMF_OK : MMF_E_NOT_SUPPORTED),
           "a byte of the stream to read", access);
    demand(value == (reads(access) ? before : -2), "the byte of the stream", access);
    demand(mmf_stream_position(stream) == position + reads(access), "the position",
           access);
    mmf_stream_set_position(stream, position);
    demand(mmf_stream_write_byte(stream, before ^ 42) ==
               (writes(access) ? MMF_OK : MMF_E_NOT_SUPPORTED),
           "a byte of the stream to write", access);
    demand(mmf_stream_position(stream) == position + writes(access), "the position",
           access);
    demand(bytes[position] == (writes(access) ? before ^ 42 : before),
           "the byte that the stream has written", access);
    mmf_stream_set_position(stream, position);
    if (writes(access))
        mmf_stream_write_byte(stream, before);
}

static void
check_stream(mmf_stream *stream, int64_t size, int access)
{
    void *bytes = NULL, *again = NULL;
    size_t length = 0;

    demand(mmf_stream_pointer(stream, &bytes, &length) == MMF_OK &&
               mmf_stream_pointer(stream, &again, NULL) == MMF_OK && bytes == again &&
               length == (size_t)size,
           "a stream's pointer", access);
    demand(mmf_stream_length(stream) == size && mmf_stream_capacity(stream) == size,
           "a stream's length", access);
    demand(mmf_stream_can_seek(stream) == 1, "can_seek", access);
    demand(mmf_stream_can_read(stream) == reads(access), "can_read", access);
    demand(mmf_stream_can_write(stream) == writes(access), "can_write", access);
    demand(mmf_stream_position(stream) == 0, "a stream's first position", access);
    try_stream(stream, bytes, 0, access);
    try_stream(stream, bytes, size - 1, access);
}

/* The status of both. */
static int
make_views(mmf_map *map, int64_t size, int access)
{
    mmf_accessor *accessor = NO_HANDLE;
    mmf_stream *stream = NO_HANDLE;
    int status = mmf_accessor_create(map, 0, size, (mmf_access)access, NULL, &accessor);
    int other = mmf_stream_create(map, 0, size, (mmf_access)access, NULL, &stream);

    demand(status == other, "a stream like the accessor", access);
    if (status < 0) {
        demand(mmf_last_message()[0] != '\0', "a message", access);
        demand((void *)accessor == NO_HANDLE && (void *)stream == NO_HANDLE,
               "outputs untouched", access);
        return status;
    }
    check_accessor(accessor, size, access);
    check_stream(stream, size, access);
    mmf_accessor_close(accessor);
    mmf_stream_close(stream);
    return status;
}

/* Which accesses had each status: ok=r,cow access=rw,w,rx,rwx */
static int
call_views(struct call *call)
{
    enum { OK, REFUSED, BEYOND, OTHER, COUNT };
    static const char *const keys[COUNT] = {"ok", "access", "io", "other"};
    static const char *const shorts[] = {"rw", "r", "w", "cow", "rx", "rwx"};
    mmf_map *map = handle_of(text_at(call, 1)).object;
    int64_t size = 0;
    char lists[COUNT][128] = {""};

    call->is_several = true;
    if (call->count > 2)
        size = number_at(call, 2);
    else if (mmf_map_capacity(map, &size) < 0)
        complain("no capacity", call->words[1]);
    for (int access = 0; access < 6; access++) {
        int status = make_views(map, size, access);
        char *list = lists[status == MMF_OK         ? OK
                           : status == MMF_E_ACCESS ? REFUSED
                           : status == MMF_E_IO     ? BEYOND
                                                    : OTHER];

        snprintf(list + strlen(list), sizeof(lists[0]) - strlen(list), "%s%s",
                 *list == '\0' ? "" : ",", shorts[access]);
    }
    for (int i = 0; i < COUNT; i++)
        say_text(call, keys[i], lists[i]);
    return MMF_OK;
}

static int
call_granted(struct call *call)
{
    struct handle view = handle_of(text_at(call, 1));

    say_number(call, "value",
               view.kind == STREAM ? mmf_stream_granted(view.object)
                                   : mmf_accessor_granted(view.object));
    return MMF_OK;
}

const struct named_call map_calls[] = {{"from_file", call_from_file},
                                       {"from_handle", call_from_handle},
                                       {"from_fd", call_from_handle},
                                       {"open_file", call_open_file},
                                       {"open_other", call_open_file},
                                       {"is_open", call_is_open},
                                       {"inherits", call_inherits},
                                       {"get", call_byte},
                                       {"put", call_byte},
                                       {"all", call_all},
                                       {"fill", call_all},
                                       {"views", call_views},
                                       {"granted", call_granted},
                                       {NULL, NULL}};
