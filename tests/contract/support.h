/*
 * support.h - what the contract tests have in common: names and samples to test with,
 * options in one expression, and the checks that .NET's own tests make of every map.
 *
 * The suite sees the public headers and nothing else, so that it holds for every
 * implementation of them. docs/internals/contract.md has a row for each rule and names its test.
 */
#ifndef MMF_TESTS_CONTRACT_SUPPORT_H
#define MMF_TESTS_CONTRACT_SUPPORT_H

#include "harness/check.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* An output's value before the call; a failing call must leave it alone. */
#define UNTOUCHED ((void *)(uintptr_t)0x5a5a5a5au)

/* A value that no capability set of .NET has, for "no access at all". */
#define NO_ACCESS (-1)

/*
 * Things to test with.
 */

int64_t page_size(void);

/* What a view's mapping is aligned to. */
int64_t granularity(void);

/* What a map of `capacity` bytes has: as many; on Windows, whole pages (rule 3.2). */
int64_t map_size(int64_t capacity);

/* The capacities of .NET's matrices: 1, 256, a page, 10,000. */
#define CAPACITY_COUNT 4
int64_t capacity_at(size_t index);

/* The six accesses, and their names for messages. */
#define ACCESS_COUNT 6
const char *access_name(mmf_access access);

/* .NET's five kinds of names, see make_names. */
#define NAME_COUNT 5
struct names {
    char text[NAME_COUNT][1100];
};

/* 32 hex digits that no other name has. */
#define UNIQUE_NAME_SIZE 33
void unique_name(char name[UNIQUE_NAME_SIZE]);

/* Hex digits; white space only; with "local/", with "global/" (no prefixes); 1,032. */
void make_names(struct names *names);

/*
 * A path for a file of the test's own, in MMF_TEST_FILES or else in a directory below
 * MMF_DIR. The file is not made; the test removes it with remove_file.
 */
#define FILE_PATH_SIZE 256
void file_path(char path[FILE_PATH_SIZE]);
void make_file(const char *path, int64_t length); /* zeros */
void write_file(const char *path, const void *bytes, size_t size);
void read_file(const char *path, void *bytes, size_t size);
int64_t file_length(const char *path);              /* -1: no such file */
void remove_file(const char *path);                 /* and it must be there */
int replace_file(const char *from, const char *to); /* 0: the host refuses */
void make_directory(const char *path);
void remove_directory(const char *path);
void set_mode(const char *path, unsigned mode);

/* Handles of files, as mmf_map_create_from_handle takes them. */
enum { FOR_READING = 1, FOR_WRITING = 2, FOR_BOTH = 3 };
intptr_t open_file(const char *path, int how, int inheritable);
void close_file(intptr_t handle);
int is_open(intptr_t handle);
int is_inheritable(intptr_t handle);
int has_descriptors(void); /* a C descriptor is a handle */
void make_pipe(intptr_t ends[2]);
int try_flock(intptr_t handle, int exclusive); /* 0: others have it; Linux */

/*
 * What only Linux has; elsewhere these skip the test, so they are called before it has
 * made anything.
 */
intptr_t open_socket(void);
void make_fifo(const char *path);
int make_socket(const char *path, intptr_t *handle); /* 0: the path is too long */
void link_to_zero_device(const char *path);
intptr_t open_zero_device(void);
intptr_t open_nameless_file(int64_t length);

/* Memory: how much of it is present, how much of this process is locked. */
size_t pages_present(void *bytes, size_t size);
long locked_kilobytes(void);
void forbid_locking(void);

/* 1 if the host lets a page of an unnamed map, of a file in `dir`, be executed. */
int host_executes_unnamed(void);
int host_executes_in(const char *dir);

/*
 * Run `run(payload)` in a child as user 65534, which may go through MMF_DIR but is not
 * the owner of anything in it. Returns when the child has ended; a failed check in the
 * child fails the test. Skips the test if we are not root.
 */
void as_stranger(void (*run)(void *payload), void *payload);

/* The same in a forked child of this user. */
void in_child(void (*run)(void *payload), void *payload);

/*
 * What a host may fail to see to, being an imitation: that no view goes beyond what a
 * map's creator gave (rule 2.8), that a file is executed only through a handle that may
 * (2.9). The tests then leave those cases out; tests/windows/faults shows the faults.
 */
int host_keeps_protection(void);
int host_keeps_execution(void);

/* Skip the test if user 65534 cannot go to where the test's files are. */
void need_files_for_stranger(void);

/*
 * Options in one expression. The functions with (access) are .NET's three-argument
 * overloads, those with everything its five-argument ones.
 */
mmf_map_options options_with(mmf_access access, mmf_map_allocation allocation,
                             mmf_inheritability inheritability);
mmf_map_options open_options_with(mmf_rights rights, mmf_inheritability inheritability);

#define WITH_ACCESS(access) (&(mmf_map_options[]){options_with((access), 0, 0)}[0])
#define WITH(access, allocation, inheritability)                                       \
    (&(mmf_map_options[]){options_with((access), (allocation), (inheritability))}[0])
#define WITH_RIGHTS(rights) (&(mmf_map_options[]){open_options_with((rights), 0)}[0])
#define WITH_RIGHTS_AND(rights, inheritability)                                        \
    (&(mmf_map_options[]){open_options_with((rights), (inheritability))}[0])

/*
 * Calls that must succeed, and give what they make.
 */
mmf_map *create_new(const char *name, int64_t capacity, const mmf_map_options *options);
mmf_map *create_or_open(const char *name, int64_t capacity,
                        const mmf_map_options *options);
mmf_map *open_existing(const char *name, const mmf_map_options *options);
mmf_map *create_from_file(const char *path, mmf_file_mode mode, const char *name,
                          int64_t capacity, const mmf_map_options *options);
mmf_map *create_from_handle(intptr_t handle, const char *name, int64_t capacity,
                            const mmf_map_options *options);
mmf_accessor *view_of(mmf_map *map, int64_t offset, int64_t size, mmf_access access);
mmf_stream *stream_of(mmf_map *map, int64_t offset, int64_t size, mmf_access access);

/*
 * Calls that must fail. They check status, parameter (NULL: any) and message, and that
 * the output is as before.
 */
#define REFUSES(call_with_map, status, parameter)                                      \
    do {                                                                               \
        mmf_map *map_ = UNTOUCHED;                                                     \
        if ((const char *)(parameter) == NULL)                                         \
            CHECK_FAILS(call_with_map, status);                                        \
        else                                                                           \
            CHECK_FAILS_PARAM(call_with_map, status, parameter);                       \
        CHECK((void *)map_ == UNTOUCHED);                                              \
    } while (0)

#define REFUSES_CREATE_NEW(name, capacity, options, status, parameter)                 \
    REFUSES(mmf_map_create_new((name), (capacity), (options), &map_), (status),        \
            (parameter))
#define REFUSES_CREATE_OR_OPEN(name, capacity, options, status, parameter)             \
    REFUSES(mmf_map_create_or_open((name), (capacity), (options), NULL, &map_),        \
            (status), (parameter))
#define REFUSES_OPEN(name, options, status, parameter)                                 \
    REFUSES(mmf_map_open_existing((name), (options), &map_), (status), (parameter))
#define REFUSES_FILE(path, mode, name, capacity, options, status, parameter)           \
    REFUSES(mmf_map_create_from_file((path), (mode), (name), (capacity), (options),    \
                                     &map_),                                           \
            (status), (parameter))
#define REFUSES_HANDLE(handle, name, capacity, options, status, parameter)             \
    REFUSES(                                                                           \
        mmf_map_create_from_handle((handle), (name), (capacity), (options), &map_),    \
        (status), (parameter))

/* Neither an accessor nor a stream can be made. */
#define REFUSES_VIEW(map, offset, size, access, status, parameter)                     \
    do {                                                                               \
        mmf_accessor *view_ = UNTOUCHED;                                               \
        mmf_stream *stream_ = UNTOUCHED;                                               \
        if ((const char *)(parameter) == NULL) {                                       \
            CHECK_FAILS(                                                               \
                mmf_accessor_create((map), (offset), (size), (access), NULL, &view_),  \
                (status));                                                             \
            CHECK_FAILS(                                                               \
                mmf_stream_create((map), (offset), (size), (access), NULL, &stream_),  \
                (status));                                                             \
        } else {                                                                       \
            CHECK_FAILS_PARAM(                                                         \
                mmf_accessor_create((map), (offset), (size), (access), NULL, &view_),  \
                (status), (parameter));                                                \
            CHECK_FAILS_PARAM(                                                         \
                mmf_stream_create((map), (offset), (size), (access), NULL, &stream_),  \
                (status), (parameter));                                                \
        }                                                                              \
        CHECK((void *)view_ == UNTOUCHED);                                             \
        CHECK((void *)stream_ == UNTOUCHED);                                           \
    } while (0)

/* The status is one for which .NET raises exactly IOException. */
#define CHECK_IO_ERROR(status) CHECK(mmf_status_is_io_error(status))

/*
 * .NET's own checks.
 */

/*
 * A sound map of `capacity` bytes that are all zero: its handle is stable, open, and
 * inheritable or not; views of it do what `access` allows. NO_ACCESS: no view at all.
 */
void validate_map(mmf_map *map, int64_t capacity, mmf_access access,
                  mmf_inheritability inheritability);

/* A sound view of at least `capacity` zero bytes; it is left zero. */
void validate_accessor(mmf_accessor *view, int64_t capacity, mmf_access access);
void validate_stream(mmf_stream *stream, int64_t capacity, mmf_access access);

/*
 * Run `test` on the four sample maps of `capacity` bytes: unnamed, of a new file,
 * named, and of a new file with a name. `test` must not close the map.
 */
void for_each_sample(int64_t capacity, void (*test)(mmf_map *map, int64_t capacity));

/* The same; `test` closes the map. */
void for_each_owned_sample(int64_t capacity,
                           void (*test)(mmf_map *map, int64_t capacity));

/* One byte through a read-write view that is closed again. */
void poke(mmf_map *map, int64_t position, uint8_t value);
uint8_t byte_at(mmf_map *map, int64_t position);

#endif
