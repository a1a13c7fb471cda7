/*
 * corrupt_test.c - the bytes of a living object are changed under its holder's hands.
 *
 * Another process holds "Cat". For each damage every entry point is tried: it must
 * answer, with a status that the headers know, and the holder's file must stay where it
 * is. When the bytes are put back, the map works as before.
 */
#include "harness/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "shared/page/control.h"
#include "shared/page/file_ref.h"

/* Data of more than one 64 KiB, not a multiple of it. */
enum {
    CAPACITY = 100000,
    DATA_SIZE = 131072,
    FILE_SIZE = DATA_SIZE + MMF_CONTROL_SIZE
};

static const char words[] = "HI Night Mo.";

/*
 * The holder.
 */

static void
write_words(mmf_map *map)
{
    mmf_accessor *view;

    CHECK_OK(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view));
    CHECK_OK(mmf_accessor_write(view, 0, words, sizeof(words)));
    mmf_accessor_close(view);
}

static int
hold_until_told(mmf_map *map)
{
    char line[16];

    write_words(map);
    role_say("ready");
    role_hear(line, sizeof(line));
    mmf_map_close(map);
    return 0;
}

ROLE(hold)
{
    mmf_map *map;

    CHECK_OK(mmf_map_create_new("Cat", CAPACITY, NULL, &map));
    return hold_until_told(map);
}

ROLE(hold_file)
{
    mmf_map *map;

    CHECK_INT(argc, 2);
    CHECK_OK(mmf_map_create_from_file(
        argv[1], MMF_FILE_MODE_CREATE_NEW, "Cat", CAPACITY,
        MAP_OPTIONS(.share = MMF_FILE_SHARE_READ_WRITE), &map));
    return hold_until_told(map);
}

/* Writes anything over the page, all the time. */
ROLE(scribble)
{
    int fd = open(argv[1], O_RDWR | O_CLOEXEC);
    uint8_t page[MMF_CONTROL_SIZE];
    unsigned seed = 1;
    ssize_t written = 1;

    CHECK_INT(argc, 2);
    CHECK(fd >= 0 && pread(fd, page, sizeof(page), DATA_SIZE) == sizeof(page));
    role_say("ready");
    while (written == 1) { /* until we are killed */
        off_t at = rand_r(&seed) % MMF_CONTROL_SIZE;
        uint8_t byte = (uint8_t)rand_r(&seed);

        written = pwrite(fd, &byte, 1, DATA_SIZE + at);
        if (written == 1)
            written = pwrite(fd, &page[at], 1, DATA_SIZE + at);
    }
    return 1;
}

/* The object that is damaged, from outside. */
struct victim {
    struct process *holder;
    char path[256];
    int fd;
    ino_t inode;
    int64_t size;
    uint8_t *bytes; /* the whole file as it should be */
    int damages;
};

static void
take_victim(struct victim *victim, const char *role, const char *argument)
{
    struct stat status;

    victim->damages = 0;
    victim->holder = process_ready(role, "%s", argument);
    snprintf(victim->path, sizeof(victim->path), "%s/mmf-%u/Cat", harness_dir(),
             (unsigned)geteuid());
    victim->fd = open(victim->path, O_RDWR | O_CLOEXEC);
    CHECK(victim->fd >= 0 && fstat(victim->fd, &status) == 0);
    victim->inode = status.st_ino;
    victim->size = status.st_size;
    victim->bytes = malloc((size_t)victim->size);
    CHECK(pread(victim->fd, victim->bytes, (size_t)victim->size, 0) == victim->size);
}

static void
let_victim_go(struct victim *victim)
{
    mmf_map *map;

    CHECK_INT(process_finish(victim->holder), 0);
    CHECK_FAILS(mmf_map_open_existing("Cat", NULL, &map), MMF_E_NOT_FOUND);
    printf("%d damages\n", victim->damages);
    free(victim->bytes);
    close(victim->fd);
}

static void
change(const struct victim *victim, int64_t offset, const void *bytes, size_t size)
{
    CHECK(pwrite(victim->fd, bytes, size, offset) == (ssize_t)size);
}

static void
heal(const struct victim *victim)
{
    CHECK(ftruncate(victim->fd, victim->size) == 0);
    change(victim, 0, victim->bytes, (size_t)victim->size);
}

/*
 * What is demanded.
 */

static void
check_status_is(int rc, const int *statuses, const char *call)
{
    mmf_error error;

    mmf_last_error(&error);
    for (; *statuses != 1; statuses++) {
        if (rc == *statuses) {
            if (rc < 0 && (error.status != rc || error.message[0] == '\0'))
                CHECK_FAIL("%s: %s, but the error is %s", call, mmf_status_name(rc),
                           mmf_status_name(error.status));
            return;
        }
    }
    CHECK_FAIL("%s: %s: %s", call, mmf_status_name(rc), error.message);
}

/* A map that was opened all the same is as good as any. */
static void
use_and_close(mmf_map *map, int64_t size)
{
    mmf_accessor *view;
    int64_t capacity;
    uint8_t byte;

    CHECK_OK(mmf_map_capacity(map, &capacity));
    CHECK(capacity >= 1 && capacity <= size);
    if (mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ, NULL, &view) == MMF_OK) {
        CHECK_OK(mmf_accessor_read_byte(view, 0, &byte));
        CHECK_OK(mmf_accessor_read_byte(view, capacity - 1, &byte));
        mmf_accessor_close(view);
    }
    mmf_map_close(map);
}

static void
try_listing(mmf_list_flags flags)
{
    mmf_list *list;

    CHECK_OK(mmf_list_create(flags, &list));
    CHECK_INT(mmf_list_count(list), 1);
    CHECK(mmf_list_get(list, 0)->status == MMF_OBJECT_IN_USE ||
          mmf_list_get(list, 0)->status == MMF_OBJECT_INVALID);
    CHECK(strlen(mmf_list_get(list, 0)->name) < 4096);
    CHECK(strlen(mmf_list_get(list, 0)->file) < 4096);
    CHECK(strlen(mmf_list_get(list, 0)->creator_command) < 16);
    mmf_list_close(list);
}

static void
try_everything(const struct victim *victim)
{
    static const int open_statuses[] = {
        MMF_OK,           MMF_E_CORRUPT,       MMF_E_LAYOUT,
        MMF_E_WRONG_KIND, MMF_E_NOT_FOUND,     MMF_E_PATH_NOT_FOUND,
        MMF_E_ACCESS,     MMF_E_NOT_SUPPORTED, 1};
    static const int create_statuses[] = {MMF_E_EXISTS, MMF_E_CORRUPT, MMF_E_LAYOUT,
                                          MMF_E_WRONG_KIND, 1};
    mmf_gc_result collected;
    struct stat status;
    mmf_map *map;
    int rc;

    rc = mmf_map_open_existing("Cat", NULL, &map);
    check_status_is(rc, open_statuses, "open_existing");
    if (rc == MMF_OK)
        use_and_close(map, FILE_SIZE);
    rc = mmf_map_open_existing("Cat", MAP_OPTIONS(.rights = MMF_RIGHTS_READ), &map);
    check_status_is(rc, open_statuses, "open_existing for reading");
    if (rc == MMF_OK)
        use_and_close(map, FILE_SIZE);
    rc = mmf_map_create_or_open("Cat", 1, NULL, NULL, &map);
    check_status_is(rc, open_statuses, "create_or_open");
    if (rc == MMF_OK)
        use_and_close(map, FILE_SIZE);
    rc = mmf_map_create_new("Cat", 1, NULL, &map);
    check_status_is(rc, create_statuses, "create_new");
    rc = mmf_map_create_new("Cat", 2 << 20, NULL, &map); /* looks before it reserves */
    check_status_is(rc, create_statuses, "create_new of a large one");
    try_listing(MMF_LIST_LOCAL);
    try_listing(MMF_LIST_KEEP_ORPHANED);
    CHECK_OK(mmf_gc(0, &collected));
    CHECK_INT(collected.removed, 0);
    CHECK_INT(collected.in_use + collected.invalid, 1);
    CHECK(lstat(victim->path, &status) == 0);
    CHECK_INT(status.st_ino, victim->inode);
}

static void
damage(struct victim *victim, int64_t offset, const void *bytes, size_t size)
{
    victim->damages++;
    change(victim, offset, bytes, size);
    try_everything(victim);
    change(victim, offset, victim->bytes + offset, size);
}

static void
check_healthy(void)
{
    mmf_accessor *view;
    char text[sizeof(words)];
    mmf_map *map;

    CHECK_OK(mmf_map_open_existing("Cat", NULL, &map));
    CHECK_OK(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view));
    CHECK_OK(mmf_accessor_read(view, 0, text, sizeof(text)));
    CHECK_TEXT(text, words);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

/*
 * The damages.
 */

struct field {
    const char *name;
    size_t offset;
    size_t size;
};

#define FIELD(type, name)                                                              \
    {                                                                                  \
#name, offsetof(struct type, name), sizeof(((struct type *)0)->name)           \
    }

static const struct field page_fields[] = {
    FIELD(mmf_control_shared, layout_version), FIELD(mmf_control_shared, kind),
    FIELD(mmf_control_shared, required),       FIELD(mmf_control_shared, optional),
    FIELD(mmf_control_shared, capacity),       FIELD(mmf_control_shared, protection),
    FIELD(mmf_control_shared, flags),          FIELD(mmf_control_shared, created),
    FIELD(mmf_control_shared, creator_uid),    FIELD(mmf_control_shared, creator_pid),
    FIELD(mmf_control_shared, scope),          FIELD(mmf_control_shared, name_length),
    FIELD(mmf_control_shared, tickets),
};

static const struct field ref_fields[] = {
    FIELD(mmf_file_ref_shared, device),
    FIELD(mmf_file_ref_shared, inode),
    FIELD(mmf_file_ref_shared, birth_seconds),
    FIELD(mmf_file_ref_shared, birth_nanoseconds),
    FIELD(mmf_file_ref_shared, path_length),
};

/* Numbers at which something may turn over: these, and those before and behind them. */
static const int64_t edges[] = {0,
                                1,
                                4,
                                6,
                                8,
                                16,
                                256,
                                4064,
                                4096,
                                65536,
                                CAPACITY,
                                DATA_SIZE,
                                FILE_SIZE,
                                INT32_MAX,
                                UINT32_MAX,
                                INT64_MAX,
                                INT64_MAX - 65535,
                                -4096,
                                -65536,
                                MMF_NAME_MAX,
                                MMF_CAPACITY_MAX,
                                MMF_LOCK_HOLD};

static uint64_t seed = 20261130;

static void
damage_fields(struct victim *victim, const struct field *fields, size_t count,
              int64_t base)
{
    int draws = harness_long() ? 500 : 10;

    for (size_t f = 0; f < count; f++) {
        int64_t offset = base + (int64_t)fields[f].offset;

        for (size_t i = 0; i < 3 * COUNT_OF(edges); i++) {
            uint64_t number = (uint64_t)edges[i / 3] + i % 3 - 1;

            CHECK_CONTEXT("%s = %llu", fields[f].name, (unsigned long long)number);
            damage(victim, offset, &number, fields[f].size);
        }
        for (int i = 0; i < draws; i++) {
            uint64_t number = next_random(&seed) >> (next_random(&seed) % 64);

            CHECK_CONTEXT("%s = %llu", fields[f].name, (unsigned long long)number);
            damage(victim, offset, &number, fields[f].size);
        }
    }
    CHECK_CONTEXT("%s", "");
    check_healthy();
}

TEST(any_number_in_any_field)
{
    struct victim victim;

    take_victim(&victim, "hold", "");
    damage_fields(&victim, page_fields, COUNT_OF(page_fields), DATA_SIZE);
    let_victim_go(&victim);
}

/* The same while this process has the map, too. */
TEST(any_number_under_ones_own_handle)
{
    struct victim victim;
    mmf_map *map;

    take_victim(&victim, "hold", "");
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &map));
    damage_fields(&victim, page_fields, COUNT_OF(page_fields), DATA_SIZE);
    mmf_map_close(map);
    let_victim_go(&victim);
}

TEST(any_byte_changed)
{
    int step = harness_long() ? 1 : 5;
    struct victim victim;

    take_victim(&victim, "hold", "");
    for (int i = 0; i < MMF_CONTROL_SIZE; i += i < 600 ? 1 : step) {
        uint8_t byte = victim.bytes[DATA_SIZE + i];
        const uint8_t others[] = {0, 0xFF, (uint8_t)(byte + 1),
                                  (uint8_t)(byte ^ (1 << (i % 8)))};

        for (size_t k = 0; k < sizeof(others); k++) {
            CHECK_CONTEXT("byte %d = 0x%02x", i, others[k]);
            if (others[k] != byte)
                damage(&victim, DATA_SIZE + i, &others[k], 1);
        }
    }
    CHECK_CONTEXT("%s", "");
    check_healthy();
    let_victim_go(&victim);
}

TEST(many_bytes_changed)
{
    int rounds = harness_long() ? 20000 : 500;
    struct victim victim;

    take_victim(&victim, "hold", "");
    for (int i = 0; i < rounds; i++) {
        uint8_t page[MMF_CONTROL_SIZE];
        int changes = 1 + (int)(next_random(&seed) % 16);
        int reach = next_random(&seed) % 2 ? 600 : MMF_CONTROL_SIZE;

        memcpy(page, victim.bytes + DATA_SIZE, sizeof(page));
        while (changes-- > 0)
            page[8 + next_random(&seed) % (unsigned)(reach - 8)] =
                (uint8_t)next_random(&seed);
        CHECK_CONTEXT("round %d", i);
        damage(&victim, DATA_SIZE, page, sizeof(page));
    }
    CHECK_CONTEXT("%s", "");
    check_healthy();
    let_victim_go(&victim);
}

/* Names without an end, and commands. */
TEST(texts_without_end)
{
    static const char zeros[16];
    struct victim victim;
    char text[MMF_CONTROL_SIZE];

    memset(text, 'x', sizeof(text));
    take_victim(&victim, "hold", "");
    damage(&victim, DATA_SIZE + 576, text, MMF_CONTROL_SIZE - 576);
    damage(&victim, DATA_SIZE + 576, text, MMF_NAME_MAX + 1);
    damage(&victim, DATA_SIZE + 76, text, MMF_CONTROL_SIZE - 76);
    damage(&victim, DATA_SIZE + 56, text, 16);
    damage(&victim, DATA_SIZE + 56, zeros, 16);
    damage(&victim, DATA_SIZE + 576, zeros, 16);
    damage(&victim, DATA_SIZE + 8, text, MMF_CONTROL_SIZE - 8);
    damage(&victim, DATA_SIZE, text, MMF_CONTROL_SIZE);
    check_healthy();
    let_victim_go(&victim);
}

static void
damage_size(struct victim *victim, int64_t size)
{
    CHECK_CONTEXT("%lld bytes", (long long)size);
    victim->damages++;
    CHECK(ftruncate(victim->fd, size) == 0);
    try_everything(victim);
    /* The page stands at the end all the same. */
    if (size >= MMF_CONTROL_SIZE) {
        victim->damages++;
        change(victim, size - MMF_CONTROL_SIZE, victim->bytes + DATA_SIZE,
               MMF_CONTROL_SIZE);
        try_everything(victim);
    }
    heal(victim);
}

/* These, and those before and behind them. */
TEST(any_size)
{
    static const int64_t sizes[] = {1,         4096,          65536,
                                    69632,     CAPACITY,      DATA_SIZE,
                                    FILE_SIZE, 2 * FILE_SIZE, (int64_t)1 << 40};
    struct victim victim;

    take_victim(&victim, "hold", "");
    for (size_t i = 0; i < 3 * COUNT_OF(sizes); i++)
        damage_size(&victim, sizes[i / 3] + (int64_t)(i % 3) - 1);
    damage_size(&victim, DATA_SIZE + 8);
    damage_size(&victim, FILE_SIZE + 4096);
    damage_size(&victim, FILE_SIZE + 65536);
    damage_size(&victim, 2 * DATA_SIZE + 4096);
    damage_size(&victim, ((int64_t)1 << 40) + 4096);
    CHECK_CONTEXT("%s", "");
    check_healthy();
    let_victim_go(&victim);
}

/* Another process writes into the page while we read it. */
TEST(a_page_that_never_stands_still)
{
    int rounds = harness_long() ? 100000 : 1000;
    struct process *scribbler;
    struct victim victim;

    take_victim(&victim, "hold", "");
    scribbler = process_ready("scribble", "%s", victim.path);
    for (int i = 0; i < rounds; i++) {
        victim.damages++;
        try_everything(&victim);
    }
    process_kill(scribbler);
    heal(&victim);
    check_healthy();
    let_victim_go(&victim);
}

/*
 * The reference to a file, in the object of a named map of one.
 */

static void
make_paths(const char *dir)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/other", dir);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && ftruncate(fd, CAPACITY) == 0);
    close(fd);
    snprintf(path, sizeof(path), "%s/pipe", dir);
    CHECK(mkfifo(path, 0600) == 0);
    snprintf(path, sizeof(path), "%s/link", dir);
    CHECK(symlink("file", path) == 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", dir);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK(bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    close(fd);
}

static void
set_path(struct mmf_file_ref_shared *ref, const char *path)
{
    memset(ref->path, 0, sizeof(ref->path));
    ref->path_length = (uint32_t)strlen(path);
    memcpy(ref->path, path, ref->path_length);
}

/* The map is not opened by another path than its file's. */
static void
damage_path(struct victim *victim, const char *path)
{
    struct mmf_file_ref_shared ref;
    mmf_map *map;

    CHECK_CONTEXT("%s", path);
    memcpy(&ref, victim->bytes, sizeof(ref));
    set_path(&ref, path);
    change(victim, 0, &ref, sizeof(ref));
    CHECK(mmf_map_open_existing("Cat", NULL, &map) < 0);
    damage(victim, 0, &ref, sizeof(ref));
}

TEST(any_reference_to_a_file)
{
    static const char *const leaves[] = {"other", "pipe",         "link", "socket",
                                         "",      "missing/file", "file/"};
    char path[128];
    struct victim victim;

    make_paths(harness_dir());
    snprintf(path, sizeof(path), "%s/file", harness_dir());
    take_victim(&victim, "hold_file", path);
    damage_fields(&victim, ref_fields, COUNT_OF(ref_fields), 0);
    damage_fields(&victim, page_fields, COUNT_OF(page_fields),
                  victim.size - MMF_CONTROL_SIZE);
    for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
        char other[256];

        snprintf(other, sizeof(other), "%s/%s", harness_dir(), leaves[i]);
        damage_path(&victim, other);
    }
    damage_path(&victim, "/dev/null");
    damage_path(&victim, "/dev/zero");
    damage_path(&victim, "/proc/self/mem");
    damage_path(&victim, "relative");
    CHECK_CONTEXT("%s", "");
    check_healthy();
    let_victim_go(&victim);
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s/%s", harness_dir(), leaves[i]);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/file", harness_dir());
    unlink(path);
}
