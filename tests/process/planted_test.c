/*
 * planted_test.c - what else can lie under a name: other people's files, damaged and
 * newer objects. A clean error, at once, and it is left alone.
 */
#include "children.h"

#include "shared/page/control.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

/* A scope: what its names begin with. */
struct scope {
    const char *prefix;
};

static const struct scope scopes[] = {{""}, {"Global\\"}};

/* Where a name's file is. */
static const char *
path_of(const struct scope *scope, const char *file_name)
{
    static char path[PATH_MAX];

    if (scope == &scopes[0])
        snprintf(path, sizeof(path), "%s/mmf-%u/%s", harness_dir(), (unsigned)geteuid(),
                 file_name);
    else
        snprintf(path, sizeof(path), "%s/mmf.%s", harness_dir(), file_name);
    return path;
}

static const char *
name_of(const struct scope *scope, const char *file_name)
{
    static char name[256];

    snprintf(name, sizeof(name), "%s%s", scope->prefix, file_name);
    return name;
}

/* Have the library make its directory. */
static void
make_directory(void)
{
    mmf_map *map;

    CHECK_OK(mmf_map_create_new("first", 1, NULL, &map));
    mmf_map_close(map);
}

/* Every way to come by the name fails with `status`, fast, and names the file. */
static void
check_all_fail(const struct scope *scope, const char *file_name, int status,
               int create_new)
{
    const char *name = name_of(scope, file_name);
    int64_t begin = now_ms();
    mmf_map_options options;
    mmf_map *map;

    CHECK_FAILS(mmf_map_open_existing(name, NULL, &map), status);
    CHECK(strstr(mmf_last_message(), file_name) != NULL);
    mmf_map_options_init(&options);
    options.rights = MMF_RIGHTS_READ;
    CHECK_FAILS(mmf_map_open_existing(name, &options, &map), status);
    CHECK_FAILS(mmf_map_create_or_open(name, 100, NULL, NULL, &map), status);
    CHECK(strstr(mmf_last_message(), file_name) != NULL);
    CHECK_FAILS(mmf_map_create_new(name, 100, NULL, &map), create_new);
    CHECK(strstr(mmf_last_message(), file_name) != NULL);
    if (now_ms() - begin > 5000)
        CHECK_FAIL("%s: that took %d ms", name, (int)(now_ms() - begin));
}

/*
 * Things that are no object. Each is planted under the same file name.
 */

static void
plant_empty(const char *path)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);

    CHECK(fd >= 0);
    close(fd);
}

static void
plant_text(const char *path)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);

    CHECK(fd >= 0);
    CHECK(write(fd, "my precious notes\n", 18) == 18);
    close(fd);
}

/* As large as an object, but without a control page. */
static void
plant_sparse(const char *path)
{
    plant_empty(path);
    CHECK(truncate(path, MMF_CONTROL_ALIGNMENT + MMF_CONTROL_SIZE) == 0);
}

static void
plant_huge(const char *path)
{
    plant_empty(path);
    CHECK(truncate(path, ((off_t)1 << 40) + MMF_CONTROL_SIZE) == 0);
}

static void
plant_fifo(const char *path)
{
    CHECK(mkfifo(path, 0600) == 0);
}

static void
plant_directory(const char *path)
{
    CHECK(mkdir(path, 0700) == 0);
}

static void
plant_link(const char *path)
{
    CHECK(symlink("/etc/passwd", path) == 0);
}

static void
plant_dangling_link(const char *path)
{
    CHECK(symlink("/dev/shm/mmf-test-nothing", path) == 0);
}

static void
plant_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    CHECK(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    close(fd);
}

static void
plant_device(const char *path)
{
    if (mknod(path, S_IFCHR | 0600, makedev(1, 3)) < 0) {
        CHECK(errno == EPERM);
        print_message("SKIPPED: a device cannot be made here\n");
        plant_empty(path);
    }
}

/* A user's own file, which also has another name. */
static void
plant_hard_link(const char *path)
{
    char other[PATH_MAX];

    snprintf(other, sizeof(other), "%s/other", harness_dir());
    unlink(other);
    plant_text(other);
    CHECK(link(other, path) == 0);
}

static const struct {
    const char *what;
    void (*plant)(const char *path);
} plants[] = {
    {"an empty file", plant_empty},   {"a text", plant_text},
    {"a sparse file", plant_sparse},  {"a huge file", plant_huge},
    {"a FIFO", plant_fifo},           {"a directory", plant_directory},
    {"a symbolic link", plant_link},  {"a dangling symbolic link", plant_dangling_link},
    {"a socket", plant_socket},       {"a device", plant_device},
    {"a hard link", plant_hard_link},
};

TEST(what_is_no_object_is_reported_and_left_alone)
{
    char other[PATH_MAX];
    size_t i, k;

    make_directory();
    for (k = 0; k < 2; k++) {
        for (i = 0; i < sizeof(plants) / sizeof(plants[0]); i++) {
            const char *path = path_of(&scopes[k], "Cat");
            struct stat before, after;
            mmf_gc_result collected;

            check_context("%s, %s", plants[i].what, path);
            plants[i].plant(path);
            CHECK(lstat(path, &before) == 0);
            check_all_fail(&scopes[k], "Cat", MMF_E_CORRUPT, MMF_E_CORRUPT);
            CHECK_OK(mmf_gc(0, &collected));
            CHECK_INT(collected.invalid, 1);
            CHECK_INT(collected.removed + collected.in_use + collected.refused, 0);
            CHECK(lstat(path, &after) == 0);
            CHECK_INT(after.st_ino, before.st_ino);
            CHECK_INT(after.st_size, before.st_size);
            CHECK_INT(after.st_nlink, before.st_nlink);
            CHECK_INT(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
            CHECK(S_ISDIR(before.st_mode) ? rmdir(path) == 0 : unlink(path) == 0);
        }
    }
    check_context("%s", "");
    snprintf(other, sizeof(other), "%s/other", harness_dir());
    CHECK(unlink(other) == 0);
    CHECK(access("/dev/shm/mmf-test-nothing", F_OK) < 0);
}

/*
 * Leases: an open of such a file would wait until its holder has been notified and has
 * answered, up to 45 s.
 */

static void
keep_lease(struct child *self, void *argument)
{
    const char *path = argument;
    int fd = open(path, O_RDWR | O_CLOEXEC);

    signal(SIGIO, SIG_IGN); /* and never answer */
    CHECK(fd >= 0);
    CHECK(fcntl(fd, F_SETLEASE, F_WRLCK) == 0);
    child_send(self, 'l');
    child_expect(self, 'q');
    CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0);
}

static void
create_and_exit(struct child *self, void *argument)
{
    const char *name = argument;
    mmf_map *map;

    (void)self;
    CHECK_OK(mmf_map_create_new(name, 10000, NULL, &map));
}

TEST(a_leased_file_blocks_no_process)
{
    int is_object;

    make_directory();
    for (is_object = 0; is_object < 2; is_object++) {
        static char path[PATH_MAX];
        struct child child;
        mmf_gc_result collected;
        int64_t begin;
        mmf_map *map;

        snprintf(path, sizeof(path), "%s", path_of(&scopes[0], "Cat"));
        if (is_object) {
            harness_expect_dead();
            in_child(create_and_exit, (char[]){"Cat"});
        } else {
            plant_text(path);
        }
        child_start(&child, keep_lease, path);
        child_expect(&child, 'l');
        begin = now_ms();
        CHECK_FAILS(mmf_map_open_existing("Cat", NULL, &map), MMF_E_BUSY);
        CHECK_FAILS(mmf_map_create_new("Cat", 100, NULL, &map), MMF_E_BUSY);
        CHECK_FAILS(mmf_map_create_or_open("Cat", 100, NULL, NULL, &map), MMF_E_BUSY);
        CHECK(strstr(mmf_last_message(), "lease") != NULL);
        CHECK_OK(mmf_gc(0, &collected));
        CHECK_INT(collected.removed, 0);
        if (now_ms() - begin > 15000)
            CHECK_FAIL("that took %d ms", (int)(now_ms() - begin));
        child_send(&child, 'q');
        child_finish(&child);
        if (is_object) {
            CHECK_OK(mmf_map_create_new("Cat", 100, NULL, &map));
            mmf_map_close(map);
        } else {
            CHECK_FAILS(mmf_map_open_existing("Cat", NULL, &map), MMF_E_CORRUPT);
            CHECK(unlink(path) == 0);
        }
    }
}

/*
 * Objects that are damaged, or of a version to come.
 */

/* An orphaned object of 10,000 bytes under "Cat"; its file, open. */
static int
make_dead(const struct scope *scope)
{
    static char name[256];
    int fd;

    harness_expect_dead();
    snprintf(name, sizeof(name), "%s", name_of(scope, "Cat"));
    in_child(create_and_exit, name);
    fd = open(path_of(scope, "Cat"), O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

static off_t
page_of(int fd)
{
    struct stat st;

    CHECK(fstat(fd, &st) == 0);
    return st.st_size - MMF_CONTROL_SIZE;
}

/* Hold the object as any version of mmf would: a write lock in HOLD. */
static void
hold(int fd)
{
    struct flock lock = {.l_type = F_WRLCK,
                         .l_whence = SEEK_SET,
                         .l_start = (off_t)(MMF_LOCK_HOLD + 12345),
                         .l_len = 1};

    CHECK(fcntl(fd, F_OFD_SETLK, &lock) == 0);
}

#define FIELD(name) (int)offsetof(struct mmf_control_shared, name)

/* A change of some bytes of the control page, and what a living object then answers. */
static const struct damage {
    const char *what;
    int offset;
    const char *bytes;
    int size;
    int status;
} damages[] = {
    {"layout version 1", FIELD(layout_version), "\1\0\0\0", 4, MMF_E_LAYOUT},
    {"layout version 3", FIELD(layout_version), "\3\0\0\0", 4, MMF_E_LAYOUT},
    {"layout version 0", FIELD(layout_version), "\0\0\0\0", 4, MMF_E_LAYOUT},
    {"a required feature", FIELD(required), "\1\0\0\0", 4, MMF_E_LAYOUT},
    {"the last required feature", FIELD(required), "\0\0\0\x80", 4, MMF_E_LAYOUT},
    {"kind 0", FIELD(kind), "\0\0\0\0", 4, MMF_E_CORRUPT},
    {"kind 4 billion", FIELD(kind), "\xff\xff\xff\xff", 4, MMF_E_CORRUPT},
    {"capacity 0", FIELD(capacity), "\0\0\0\0\0\0\0\0", 8, MMF_E_CORRUPT},
    {"capacity -1", FIELD(capacity), "\xff\xff\xff\xff\xff\xff\xff\xff", 8,
     MMF_E_CORRUPT},
    {"a capacity beyond the file", FIELD(capacity), "\1\0\1\0\0\0\0\0", 8,
     MMF_E_CORRUPT},
    {"the largest capacity", FIELD(capacity), "\xff\xff\xff\xff\xff\xff\xff\x7f", 8,
     MMF_E_CORRUPT},
    {"a capacity that rounds to 0", FIELD(capacity), "\0\xff\xff\xff\xff\xff\xff\x7f",
     8, MMF_E_CORRUPT},
    {"protection 2", FIELD(protection), "\2\0\0\0", 4, MMF_E_CORRUPT},
    {"protection 77", FIELD(protection), "\x4d\0\0\0", 4, MMF_E_CORRUPT},
    {"unknown flags", FIELD(flags), "\0\1\0\0", 4, MMF_E_CORRUPT},
    {"a reference to a file", FIELD(flags), "\1\0\0\0", 4, MMF_E_CORRUPT},
    {"scope 9", FIELD(scope), "\x9\0\0\0", 4, MMF_E_CORRUPT},
    {"name length 0", FIELD(name_length), "\0\0\0\0", 4, MMF_E_CORRUPT},
    {"name length 2", FIELD(name_length), "\2\0\0\0", 4, MMF_E_CORRUPT},
    {"name length 5", FIELD(name_length), "\5\0\0\0", 4, MMF_E_CORRUPT},
    {"name length 4 billion", FIELD(name_length), "\xff\xff\xff\xff", 4, MMF_E_CORRUPT},
    {"another name", FIELD(name), "Cow", 3, MMF_E_CORRUPT},
    {"a name that goes on", FIELD(name), "Catalogue", 9, MMF_E_CORRUPT},
    {"a command without end", FIELD(creator_command), "0123456789abcdef", 16,
     MMF_E_CORRUPT},
    {"no magic", FIELD(magic), "\0\0\0\0\0\0\0\0", 8, MMF_E_CORRUPT},
    {"an old magic", FIELD(magic), "mmf\x1a\r\n\xff\0", 8, MMF_E_CORRUPT},
};

/* In use: a clean error. create_new says why, or that the name is taken. */
TEST(a_damaged_object_is_reported)
{
    size_t i, k;

    for (k = 0; k < 2; k++) {
        for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
            const struct damage *d = &damages[i];
            int fd = make_dead(&scopes[k]);
            struct stat before, after;
            mmf_list *list;

            check_context("%s%s", scopes[k].prefix, d->what);
            CHECK(pwrite(fd, d->bytes, (size_t)d->size, page_of(fd) + d->offset) ==
                  d->size);
            hold(fd);
            CHECK(fstat(fd, &before) == 0);
            /* What it refers to is of no interest to a call that cannot have its
             * name. */
            check_all_fail(&scopes[k], "Cat", d->status,
                           d->offset == FIELD(flags) && d->bytes[0] == 1 ? MMF_E_EXISTS
                                                                         : d->status);
            CHECK_OK(mmf_gc(0, NULL));
            CHECK_OK(mmf_list_create(0, &list));
            CHECK_INT(mmf_list_count(list), 1);
            mmf_list_close(list);
            CHECK(stat(path_of(&scopes[k], "Cat"), &after) == 0);
            CHECK_INT(after.st_ino, before.st_ino);
            CHECK(unlink(path_of(&scopes[k], "Cat")) == 0);
            close(fd);
        }
    }
}

/* Dead, and with the magic: it goes like any orphaned object, whichever program made
 * it. */
TEST(a_damaged_object_without_holders_goes)
{
    size_t i;

    for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        const struct damage *d = &damages[i];
        int fd = make_dead(&scopes[0]);
        mmf_map *map;

        if (d->offset == FIELD(magic)) {
            CHECK(unlink(path_of(&scopes[0], "Cat")) == 0);
            close(fd);
            continue;
        }
        check_context("%s", d->what);
        CHECK(pwrite(fd, d->bytes, (size_t)d->size, page_of(fd) + d->offset) ==
              d->size);
        close(fd);
        if (i % 2 == 0)
            CHECK_FAILS(mmf_map_open_existing("Cat", NULL, &map), MMF_E_NOT_FOUND);
        CHECK_OK(mmf_map_create_new("Cat", 100, NULL, &map));
        mmf_map_close(map);
        CHECK_INT(count_files(NULL, 0), 0);
    }
}

TEST(an_optional_feature_does_not_matter)
{
    int fd = make_dead(&scopes[0]);
    mmf_map *map;

    CHECK(pwrite(fd, "\xff\xff\xff\xff", 4, page_of(fd) + FIELD(optional)) == 4);
    hold(fd);
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &map));
    close(fd);
    CHECK_FAILS(mmf_map_create_new("Cat", 100, NULL, &map), MMF_E_EXISTS);
    mmf_map_close(map);
    CHECK_INT(count_files(NULL, 0), 0);
}

/* A name that an object of another kind holds. */
TEST(another_kind_is_named)
{
    static const struct {
        uint32_t kind;
        const char *word;
        int data; /* it has bytes of the caller */
    } kinds[] = {{MMF_KIND_MUTEX, "mutex", 0},         {MMF_KIND_EVENT, "event", 0},
                 {MMF_KIND_SEMAPHORE, "semaphore", 0}, {MMF_KIND_QUEUE, "queue", 1},
                 {MMF_KIND_TOPIC, "topic", 1},         {MMF_KIND_LATEST, "latest", 1}};
    size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        int fd = make_dead(&scopes[0]);
        struct mmf_control_shared page;

        check_context("%s", kinds[i].word);
        CHECK(pread(fd, &page, sizeof(page), page_of(fd)) == sizeof(page));
        page.kind = kinds[i].kind;
        if (!kinds[i].data)
            page.capacity = 0;
        CHECK(pwrite(fd, &page, sizeof(page), page_of(fd)) == sizeof(page));
        hold(fd);
        check_all_fail(&scopes[0], "Cat", MMF_E_WRONG_KIND, MMF_E_WRONG_KIND);
        CHECK(strstr(mmf_last_message(), kinds[i].word) != NULL);
        close(fd);
        CHECK_OK(mmf_gc(0, NULL));
        CHECK_INT(count_files(NULL, 0), 0);
    }
}

/* A file of any other length is not an object of ours, locked or not. */
TEST(a_truncated_object_is_reported_and_left_alone)
{
    static const off_t lengths[] = {0,     1,     4095,  4096,  10000, 65535,
                                    65536, 65537, 69631, 69633, 73728, 135168};
    size_t i;
    int held;

    for (held = 0; held < 2; held++) {
        for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            int fd = make_dead(&scopes[0]);
            struct stat st;

            check_context("%ld bytes%s", (long)lengths[i], held ? ", held" : "");
            CHECK(ftruncate(fd, lengths[i]) == 0);
            if (held)
                hold(fd);
            check_all_fail(&scopes[0], "Cat", MMF_E_CORRUPT, MMF_E_CORRUPT);
            CHECK_OK(mmf_gc(0, NULL));
            CHECK(stat(path_of(&scopes[0], "Cat"), &st) == 0);
            CHECK_INT(st.st_size, lengths[i]);
            CHECK(unlink(path_of(&scopes[0], "Cat")) == 0);
            close(fd);
        }
    }
}

/* Cut while we hold it: views of it are lost, but no call crashes. */
TEST(an_object_cut_under_us_is_no_crash)
{
    mmf_map *map, *again;
    mmf_accessor *view;

    CHECK_OK(mmf_map_create_new("Cat", 200000, NULL, &map));
    CHECK(truncate(only_file(), 100) == 0);
    CHECK_FAILS(mmf_map_open_existing("Cat", NULL, &again), MMF_E_CORRUPT);
    /* Its bytes are not touched; making and closing a view must be clean. */
    if (mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view) == MMF_OK)
        mmf_accessor_close(view);
    mmf_map_close(map);
    if (count_files(NULL, 0) == 1)
        CHECK(unlink(only_file()) == 0);
}

/* The file is removed by hand while we hold it: the name is free, we go on. */
TEST(a_file_removed_by_hand_does_no_harm)
{
    mmf_map *old, *fresh, *again;
    mmf_accessor *view;
    int32_t value;

    CHECK_OK(mmf_map_create_new("Cat", 100, NULL, &old));
    CHECK(unlink(only_file()) == 0);
    CHECK_FAILS(mmf_map_open_existing("Cat", NULL, &again), MMF_E_NOT_FOUND);
    CHECK_OK(mmf_map_create_new("Cat", 100, NULL, &fresh));
    CHECK_OK(mmf_accessor_create(old, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view));
    CHECK_OK(mmf_accessor_write_int32(view, 0, 1));
    mmf_accessor_close(view);
    mmf_map_close(old); /* must not take the new file along */
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &again));
    CHECK_OK(mmf_accessor_create(again, 0, 0, MMF_ACCESS_READ, NULL, &view));
    CHECK_OK(mmf_accessor_read_int32(view, 0, &value));
    CHECK_INT(value, 0);
    mmf_accessor_close(view);
    mmf_map_close(again);
    mmf_map_close(fresh);
}
