/*
 * support.c - names, files and samples for the contract tests, and calls that must
 * succeed.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534 };

int64_t
page_size(void)
{
    return (int64_t)sysconf(_SC_PAGESIZE);
}

int64_t
capacity_at(size_t index)
{
    const int64_t capacities[CAPACITY_COUNT] = {1, 256, page_size(), 10000};

    return capacities[index];
}

const char *
access_name(mmf_access access)
{
    static const char *const names[ACCESS_COUNT] = {
        "ReadWrite", "Read", "Write", "CopyOnWrite", "ReadExecute", "ReadWriteExecute"};

    return access >= 0 && access < ACCESS_COUNT ? names[access] : "none";
}

void
unique_name(char name[UNIQUE_NAME_SIZE])
{
    static uint64_t count;

    snprintf(name, UNIQUE_NAME_SIZE, "%016" PRIx64 "%016" PRIx64, (uint64_t)getpid(),
             ++count);
}

void
make_names(struct names *names)
{
    static const char white[] = " \t\r\n \t\r\n \t\r\n \t\r\n \t ";
    char *longest = names->text[4];
    char unique[UNIQUE_NAME_SIZE];

    unique_name(unique);
    strcpy(names->text[0], unique);
    strcpy(names->text[1], white);
    snprintf(names->text[2], sizeof(names->text[2]), "local/%s", unique);
    snprintf(names->text[3], sizeof(names->text[3]), "global/%s", unique);
    strcpy(longest, unique);
    memset(longest + 32, 'a', 1000);
    longest[1032] = '\0';
}

/*
 * Files.
 */

void
file_path(char path[FILE_PATH_SIZE])
{
    static unsigned count;
    const char *place = getenv("MMF_TEST_FILES");
    char below[FILE_PATH_SIZE / 2];

    if (place == NULL) {
        snprintf(below, sizeof(below), "%s/files", harness_dir());
        if (mkdir(below, 0777) < 0 && errno != EEXIST)
            CHECK_FAIL("make %s: %s", below, strerror(errno));
        chmod(below, 0777); /* whatever the umask: as_nobody makes files there, too */
        place = below;
    }
    snprintf(path, FILE_PATH_SIZE, "%s/contract-%ld-%u", place, (long)getpid(),
             ++count);
}

void
make_file(const char *path, int64_t length)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    if (fd < 0 || ftruncate(fd, (off_t)length) < 0)
        CHECK_FAIL("make %s: %s", path, strerror(errno));
    close(fd);
}

void
write_file(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size)
        CHECK_FAIL("write %s: %s", path, strerror(errno));
    close(fd);
}

void
read_file(const char *path, void *bytes, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || pread(fd, bytes, size, 0) != (ssize_t)size)
        CHECK_FAIL("read %s: %s", path, strerror(errno));
    close(fd);
}

int64_t
file_length(const char *path)
{
    struct stat st;

    return stat(path, &st) < 0 ? -1 : (int64_t)st.st_size;
}

void
remove_file(const char *path)
{
    if (unlink(path) < 0)
        CHECK_FAIL("remove %s: %s", path, strerror(errno));
}

/*
 * What the host allows.
 */

static int
can_execute(int fd)
{
    size_t size = (size_t)page_size();
    void *page;

    if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
        return 0;
    page = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        return 0;
    munmap(page, size);
    return 1;
}

int
host_executes_unnamed(void)
{
    int fd = memfd_create("probe", MFD_CLOEXEC);
    int can = can_execute(fd);

    close(fd);
    return can;
}

int
host_executes_in(const char *dir)
{
    char path[FILE_PATH_SIZE];
    int fd, can;

    snprintf(path, sizeof(path), "%s/probe", dir);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    can = can_execute(fd);
    close(fd);
    unlink(path);
    return can;
}

static void
run_in_child(void (*run)(void *payload), void *payload, int drop)
{
    pid_t child;
    int status;

    fflush(stdout);
    child = fork();
    if (child < 0)
        CHECK_FAIL("fork: %s", strerror(errno));
    if (child == 0) {
        if (drop &&
            (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
            CHECK_FAIL("become user %d: %s", NOBODY, strerror(errno));
        run(payload);
        _exit(EXIT_SUCCESS);
    }
    if (waitpid(child, &status, 0) != child || status != 0)
        CHECK_FAIL("the child process failed (wait status 0x%x)", status);
}

void
in_child(void (*run)(void *payload), void *payload)
{
    run_in_child(run, payload, 0);
}

void
as_nobody(void (*run)(void *payload), void *payload)
{
    if (geteuid() != 0)
        harness_skip("needs root, to become another user");
    if (chmod(harness_dir(), 01777) < 0)
        CHECK_FAIL("chmod %s: %s", harness_dir(), strerror(errno));
    run_in_child(run, payload, 1);
}

void
need_files_for_nobody(void)
{
    char *place = getenv("MMF_TEST_FILES");
    pid_t child;
    int status = 0;

    if (place == NULL)
        return; /* below MMF_DIR, which as_nobody opens to all */
    child = fork();
    if (child == 0) {
        int reached = setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 &&
                      setuid(NOBODY) == 0 && access(place, X_OK) == 0;

        _exit(reached ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    waitpid(child, &status, 0);
    if (status != 0)
        harness_skip("user %d cannot go to %s", NOBODY, place);
}

/*
 * Calls that must succeed.
 */

mmf_options
options_with(mmf_access access, mmf_map_options options,
             mmf_inheritability inheritability)
{
    mmf_options with;

    mmf_options_init(&with);
    with.access = access;
    with.options = options;
    with.inheritability = inheritability;
    return with;
}

mmf_open_options
open_options_with(mmf_rights rights, mmf_inheritability inheritability)
{
    mmf_open_options with;

    mmf_open_options_init(&with);
    with.rights = rights;
    with.inheritability = inheritability;
    return with;
}

mmf *
create_new(const char *name, int64_t capacity, const mmf_options *options)
{
    mmf *map = NULL;

    CHECK_STATUS(mmf_create_new(name, capacity, options, &map), MMF_OK);
    CHECK(map != NULL);
    return map;
}

mmf *
create_or_open(const char *name, int64_t capacity, const mmf_options *options)
{
    mmf *map = NULL;

    CHECK_STATUS(mmf_create_or_open(name, capacity, options, &map), MMF_OK);
    CHECK(map != NULL);
    return map;
}

mmf *
open_existing(const char *name, const mmf_open_options *options)
{
    mmf *map = NULL;

    CHECK_STATUS(mmf_open_existing(name, options, &map), MMF_OK);
    CHECK(map != NULL);
    return map;
}

mmf *
create_from_file(const char *path, mmf_file_mode mode, const char *name,
                 int64_t capacity, const mmf_options *options)
{
    mmf *map = NULL;

    CHECK_STATUS(mmf_create_from_file(path, mode, name, capacity, options, &map),
                 MMF_OK);
    CHECK(map != NULL);
    return map;
}

mmf *
create_from_fd(int fd, const char *name, int64_t capacity, const mmf_options *options)
{
    mmf *map = NULL;

    CHECK_STATUS(mmf_create_from_fd(fd, name, capacity, options, &map), MMF_OK);
    CHECK(map != NULL);
    return map;
}

mmf_view_accessor *
view_of(mmf *map, int64_t offset, int64_t size, mmf_access access)
{
    mmf_view_accessor *view = NULL;

    CHECK_STATUS(mmf_create_view_accessor(map, offset, size, access, &view), MMF_OK);
    CHECK(view != NULL);
    return view;
}

mmf_view_stream *
stream_of(mmf *map, int64_t offset, int64_t size, mmf_access access)
{
    mmf_view_stream *stream = NULL;

    CHECK_STATUS(mmf_create_view_stream(map, offset, size, access, &stream), MMF_OK);
    CHECK(stream != NULL);
    return stream;
}

void
poke(mmf *map, int64_t position, uint8_t value)
{
    mmf_view_accessor *view = view_of(map, 0, 0, MMF_ACCESS_READ_WRITE);

    CHECK_OK(mmf_view_accessor_write_byte(view, position, value));
    mmf_view_accessor_close(view);
}

uint8_t
peek(mmf *map, int64_t position)
{
    mmf_view_accessor *view = view_of(map, 0, 0, MMF_ACCESS_READ);
    uint8_t value = 0;

    CHECK_OK(mmf_view_accessor_read_byte(view, position, &value));
    mmf_view_accessor_close(view);
    return value;
}

/*
 * Samples.
 */

static void
run_on_file_sample(int64_t capacity, const char *name, const char *kind,
                   void (*test)(mmf *map, int64_t capacity), int close_it)
{
    char path[FILE_PATH_SIZE];
    mmf *map;

    CHECK_CONTEXT("%s of %" PRId64 " bytes", kind, capacity);
    file_path(path);
    map = create_from_file(path, MMF_FILE_MODE_CREATE_NEW, name, capacity, NULL);
    test(map, capacity);
    if (close_it)
        mmf_close(map);
    remove_file(path);
}

static void
run_on_samples(int64_t capacity, void (*test)(mmf *map, int64_t capacity), int close_it)
{
    char name[UNIQUE_NAME_SIZE];
    mmf *map;

    CHECK_CONTEXT("an unnamed map of %" PRId64 " bytes", capacity);
    map = create_new(NULL, capacity, NULL);
    test(map, capacity);
    if (close_it)
        mmf_close(map);

    run_on_file_sample(capacity, NULL, "a file's map", test, close_it);

    unique_name(name);
    CHECK_CONTEXT("a named map of %" PRId64 " bytes", capacity);
    map = create_new(name, capacity, NULL);
    test(map, capacity);
    if (close_it)
        mmf_close(map);

    unique_name(name);
    run_on_file_sample(capacity, name, "a file's named map", test, close_it);
    CHECK_CONTEXT("%s", "");
}

void
for_each_sample(int64_t capacity, void (*test)(mmf *map, int64_t capacity))
{
    run_on_samples(capacity, test, 1);
}

void
for_each_owned_sample(int64_t capacity, void (*test)(mmf *map, int64_t capacity))
{
    run_on_samples(capacity, test, 0);
}
