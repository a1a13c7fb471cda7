/*
 * strangers_test.c - what other users put where this user looks: a list, a stat and an
 * open trust nothing of it, take no memory for it, and have an answer soon.
 */
#include "children.h"

#include "shared/page/control.h"
#include "shared/page/file_ref.h"
#include "shared/ring/shape.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

enum { STRANGER = 65534, OTHER = 65533, SOON_CPU_MS = 500 };

static void
need_strangers(void)
{
    if (getuid() != 0 || !may_change_user())
        harness_skip("another user is needed: run as root");
    CHECK(chmod(harness_dir(), 01777) == 0);
}

/* What this process has computed: other programs make it no more. */
static int64_t
cpu_ms(void)
{
    struct timespec t;

    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int
open_planted(const char *file_name, int flags)
{
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof(path), "%s/mmf.%s", harness_dir(), file_name);
    fd = open(path, flags | O_CLOEXEC, 0644);
    CHECK(fd >= 0);
    return fd;
}

static void
remove_planted(const char *file_name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/mmf.%s", harness_dir(), file_name);
    CHECK(unlink(path) == 0);
}

static void
lock_as_holder(int fd)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = MMF_LOCK_HOLD, .l_len = 1};

    CHECK(fcntl(fd, F_OFD_SETLK, &lock) == 0);
}

/* The control page of the object `file_name`. */
static void
read_page(const char *file_name, struct mmf_control_shared *page)
{
    struct stat status;
    int fd = open_planted(file_name, O_RDONLY);

    CHECK(fstat(fd, &status) == 0);
    CHECK(pread(fd, page, sizeof(*page), status.st_size - MMF_CONTROL_SIZE) ==
          (ssize_t)sizeof(*page));
    close(fd);
}

static void
set_name(struct mmf_control_shared *page, const char *name)
{
    memset(page->name, 0, sizeof(page->name));
    memcpy(page->name, name, strlen(name));
    page->name_length = (uint32_t)strlen(name);
}

/* A queue of 4 GiB that takes no memory: what no mmf call makes. */
static void
plant_sparse_queue(struct child *self, void *argument)
{
    uint64_t slots = (uint64_t)1 << 26;
    struct mmf_control_shared page;
    mmf_queue *queue;
    int64_t data;
    int fd;

    (void)argument;
    become_user(STRANGER);
    CHECK_OK(mmf_queue_create_new(
        "Global\\Real", 1, 1, MMF_OVERFLOW_BLOCK,
        CHANNEL_OPTIONS(.max_senders = 1, .max_receivers = 1, .mode = 0644), &queue));
    read_page("Real", &page);
    set_name(&page, "Trap");
    page.capacity = (int64_t)(MMF_RING_PAGE + 64 * slots);
    memcpy(page.state + offsetof(struct mmf_ring_shape_shared, slots), &slots,
           sizeof(slots));
    data = (page.capacity + MMF_CONTROL_ALIGNMENT - 1) / MMF_CONTROL_ALIGNMENT *
           MMF_CONTROL_ALIGNMENT;
    fd = open_planted("Trap", O_RDWR | O_CREAT | O_EXCL);
    CHECK(ftruncate(fd, data + MMF_CONTROL_SIZE) == 0);
    CHECK(pwrite(fd, &page, sizeof(page), data) == (ssize_t)sizeof(page));
    lock_as_holder(fd);
    child_send(self, 'p');
    child_expect(self, 'e');
    remove_planted("Trap");
    close(fd);
    mmf_queue_close(queue);
}

static int64_t
used_kib(void)
{
    struct statfs system;

    CHECK(statfs(harness_dir(), &system) == 0);
    return (int64_t)(system.f_blocks - system.f_bfree) * system.f_bsize / 1024;
}

static void
meet_the_sparse_queue(void *argument)
{
    struct child stranger;
    mmf_channel_stats stats;
    mmf_queue *queue;
    mmf_list *list;
    int64_t begin;

    (void)argument;
    mount_small("size=8m,mode=1777");
    child_start(&stranger, plant_sparse_queue, NULL);
    child_expect(&stranger, 'p');
    begin = cpu_ms();
    CHECK_OK(mmf_list_create(MMF_LIST_GLOBAL, &list));
    CHECK_INT(mmf_list_count(list), 2);
    for (int i = 0; i < 2; i++)
        CHECK(mmf_list_get(list, i)->channel == NULL);
    mmf_list_close(list);
    CHECK_FAILS(mmf_channel_stat("Global\\Trap", &stats), MMF_E_CORRUPT);
    check_says("holes");
    CHECK_FAILS(mmf_queue_open_existing("Global\\Trap", NULL, &queue), MMF_E_CORRUPT);
    CHECK_OK(mmf_channel_stat("Global\\Real", &stats));
    CHECK(cpu_ms() - begin < SOON_CPU_MS);
    CHECK(used_kib() < 1024);
    child_send(&stranger, 'e');
    child_finish(&stranger);
    CHECK(umount2(harness_dir(), MNT_DETACH) == 0);
}

TEST(a_sparse_queue_harms_no_lister)
{
    need_strangers();
    if (!may_mount())
        harness_skip("file systems cannot be mounted here");
    in_child(meet_the_sparse_queue, NULL);
}

/* Inspecting keeps no name alive. */
static void
stat_forever(struct child *self, void *argument)
{
    mmf_channel_stats stats;

    (void)argument;
    child_send(self, 's');
    for (;;)
        (void)mmf_channel_stat("Q", &stats);
}

static void
make_and_wait(struct child *self, void *argument)
{
    mmf_queue *queue;

    (void)argument;
    CHECK_OK(
        mmf_queue_create_or_open("Q", 8, 64, MMF_OVERFLOW_BLOCK, NULL, NULL, &queue));
    CHECK_STATUS(mmf_queue_send(queue, "old", 3, 1000, NULL), MMF_OK);
    child_send(self, 'm');
    for (;;)
        pause();
}

TEST(an_inspector_keeps_no_name_alive)
{
    struct child inspector;

    child_start(&inspector, stat_forever, NULL);
    child_expect(&inspector, 's');
    for (int i = 0; i < 100; i++) {
        struct child owner;
        mmf_queue *queue;
        int created = -1;

        child_start(&owner, make_and_wait, NULL);
        child_expect(&owner, 'm');
        child_kill(&owner);
        CHECK_OK(mmf_queue_create_or_open("Q", 8, 64, MMF_OVERFLOW_BLOCK, NULL,
                                          &created, &queue));
        CHECK_CONTEXT("trial %d", i);
        CHECK_INT(created, 1);
        mmf_queue_close(queue);
    }
    child_kill(&inspector);
    harness_expect_dead();
}

/* The depth of a queue is the same for a participant and an inspector, at any tail. */
TEST(an_inspector_counts_as_a_participant)
{
    static const int64_t sizes[] = {1, 100, 5000};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        mmf_channel_stats mine;
        mmf_channel_stats seen;
        mmf_queue *queue;
        char buffer[5000];
        size_t length;

        CHECK_OK(mmf_queue_create_or_open("Q", (size_t)sizes[i], 128,
                                          MMF_OVERFLOW_BLOCK, NULL, NULL, &queue));
        for (int message = 0; message < 150; message++) {
            CHECK_STATUS(mmf_queue_send(queue, "x", 1, 0, NULL), MMF_OK);
            if (message % 4 == 0)
                CHECK_STATUS(
                    mmf_queue_receive(queue, buffer, sizeof(buffer), 0, &length, NULL),
                    MMF_OK);
            CHECK_OK(mmf_queue_stat(queue, &mine));
            CHECK_OK(mmf_channel_stat("Q", &seen));
            CHECK_BYTES(&seen, &mine, sizeof(mine));
        }
        mmf_queue_close(queue);
    }
}

/* Locks cost the process that counts them: without a bound more than a second. */
enum { LOCKS = 8000, LOCKS_AT_ONCE = 1000 };

static void
plant_locks(struct child *self, void *argument)
{
    mmf_map *map;
    int fd;

    (void)argument;
    become_user(STRANGER);
    CHECK_OK(mmf_map_create_new("Global\\Trap", 4096, MAP_OPTIONS(.mode = 0644), &map));
    fd = open_planted("Trap", O_RDONLY);
    for (int i = 0; i < LOCKS; i++) {
        struct flock lock = {.l_type = F_RDLCK,
                             .l_whence = SEEK_SET,
                             .l_start = MMF_LOCK_READERS + (int64_t)(LOCKS - i) * 2,
                             .l_len = 1};

        CHECK(fcntl(fd, F_OFD_SETLK, &lock) == 0);
        if ((i + 1) % LOCKS_AT_ONCE == 0)
            child_send(self, 'p');
    }
    child_expect(self, 'e');
    close(fd);
    mmf_map_close(map);
}

TEST(many_locks_do_not_delay_a_list)
{
    struct child stranger;
    mmf_list *list;
    int64_t begin;

    need_strangers();
    child_start(&stranger, plant_locks, NULL);
    for (int i = 0; i < LOCKS / LOCKS_AT_ONCE; i++)
        child_expect(&stranger, 'p');
    begin = cpu_ms();
    CHECK_OK(mmf_list_create(MMF_LIST_GLOBAL, &list));
    CHECK(cpu_ms() - begin < SOON_CPU_MS);
    CHECK_INT(mmf_list_count(list), 1);
    CHECK(mmf_list_get(list, 0)->holders > 0);
    mmf_list_close(list);
    child_send(&stranger, 'e');
    child_finish(&stranger);
}

/* A name that leads to something of root's that must not be opened. */
static void
plant_path(struct child *self, void *argument)
{
    const char *target = argument;
    struct mmf_control_shared page;
    struct mmf_file_ref_shared ref = {0};
    mmf_map *map;
    int fd;

    become_user(STRANGER);
    CHECK_OK(mmf_map_create_new("Global\\Real", 4096, NULL, &map));
    read_page("Real", &page);
    set_name(&page, "Trap");
    page.flags |= MMF_CONTROL_FILE_REF;
    ref.path_length = (uint32_t)strlen(target);
    memcpy(ref.path, target, strlen(target));
    fd = open_planted("Trap", O_RDWR | O_CREAT | O_EXCL);
    CHECK(pwrite(fd, &ref, sizeof(ref), 0) == (ssize_t)sizeof(ref));
    CHECK(pwrite(fd, &page, sizeof(page), MMF_CONTROL_ALIGNMENT) ==
          (ssize_t)sizeof(page));
    lock_as_holder(fd);
    child_send(self, 'p');
    child_expect(self, 'e');
    remove_planted("Trap");
    close(fd);
    mmf_map_close(map);
}

TEST(a_planted_path_is_not_opened)
{
    _Alignas(8) char events[4096];
    struct child stranger;
    char directory[PATH_MAX];
    char fifo[PATH_MAX + 8];
    mmf_map *map;
    int watch;

    need_strangers();
    snprintf(directory, sizeof(directory), "%s/roots", harness_dir());
    snprintf(fifo, sizeof(fifo), "%s/fifo", directory);
    CHECK(mkdir(directory, 0700) == 0 && mkfifo(fifo, 0600) == 0);
    child_start(&stranger, plant_path, fifo);
    child_expect(&stranger, 'p');
    watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    CHECK(watch >= 0 && inotify_add_watch(watch, fifo, IN_OPEN) >= 0);
    CHECK_FAILS(mmf_map_open_existing("Global\\Trap", NULL, &map), MMF_E_CORRUPT);
    CHECK(read(watch, events, sizeof(events)) < 0 && errno == EAGAIN);
    close(watch);
    child_send(&stranger, 'e');
    child_finish(&stranger);
    CHECK(unlink(fifo) == 0 && rmdir(directory) == 0);
}

/* A link where the directory of a user's local names is expected. */
static void
make_elsewhere(struct child *self, void *argument)
{
    mmf_queue *queue;
    mmf_mutex *mutex;
    mmf_map *map;

    become_user(OTHER);
    CHECK(setenv("MMF_DIR", argument, 1) == 0);
    CHECK_OK(mmf_map_create_new("Cat", 4096, NULL, &map));
    CHECK_OK(mmf_mutex_create_or_open("Dog", 0, NULL, NULL, &mutex));
    CHECK_OK(
        mmf_queue_create_or_open("Jobs", 8, 8, MMF_OVERFLOW_BLOCK, NULL, NULL, &queue));
    child_send(self, 'm');
    child_expect(self, 'e');
    mmf_queue_close(queue);
    mmf_mutex_close(mutex);
    mmf_map_close(map);
}

/* The user has opened names here before: the directory is known to be good. */
static void
use_before(void)
{
    mmf_map *map;

    CHECK_OK(mmf_map_create_new("Before", 10, NULL, &map));
    mmf_map_close(map);
    CHECK_FAILS(mmf_map_open_existing("Before", NULL, &map), MMF_E_NOT_FOUND);
}

static void
be_led_astray(struct child *self, void *argument)
{
    mmf_channel_stats stats;
    mmf_gc_result result;
    mmf_queue *queue;
    mmf_mutex *mutex;
    mmf_list *list;
    mmf_map *map;

    become_user(OTHER);
    if (argument != NULL) {
        use_before();
        child_send(self, 'u');
    }
    child_expect(self, 'p');
    CHECK_FAILS(mmf_map_open_existing("Cat", NULL, &map), MMF_E_ACCESS);
    CHECK_FAILS(mmf_map_create_new("Cat", 10, NULL, &map), MMF_E_ACCESS);
    CHECK_FAILS(mmf_map_create_or_open("Cat", 10, NULL, NULL, &map), MMF_E_ACCESS);
    CHECK_FAILS(mmf_mutex_open_existing("Dog", NULL, &mutex), MMF_E_ACCESS);
    CHECK_FAILS(mmf_queue_open_existing("Jobs", NULL, &queue), MMF_E_ACCESS);
    CHECK_FAILS(mmf_channel_stat("Jobs", &stats), MMF_E_ACCESS);
    CHECK_FAILS(mmf_list_create(MMF_LIST_LOCAL, &list), MMF_E_ACCESS);
    CHECK_FAILS(mmf_gc(MMF_LIST_LOCAL, &result), MMF_E_ACCESS);
}

/*
 * A link instead of the user's directory, which leads to names of the same user; `later`:
 * the user has used its own directory before, which is removed then.
 */
static void
plant_link(int later)
{
    char elsewhere[PATH_MAX];
    char target[PATH_MAX + 32];
    char link[PATH_MAX];
    struct child maker, user;

    need_strangers();
    snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", harness_dir());
    snprintf(target, sizeof(target), "%s/mmf-%d", elsewhere, OTHER);
    snprintf(link, sizeof(link), "%s/mmf-%d", harness_dir(), OTHER);
    CHECK(mkdir(elsewhere, 0755) == 0 && chown(elsewhere, OTHER, OTHER) == 0);
    child_start(&maker, make_elsewhere, elsewhere);
    child_expect(&maker, 'm');
    child_start(&user, be_led_astray, later ? link : NULL);
    if (later) {
        child_expect(&user, 'u');
        CHECK(rmdir(link) == 0);
    }
    CHECK(symlink(target, link) == 0 && lchown(link, STRANGER, STRANGER) == 0);
    child_send(&user, 'p');
    child_finish(&user);
    child_send(&maker, 'e');
    child_finish(&maker);
    CHECK(unlink(link) == 0);
    CHECK(rmdir(target) == 0 && rmdir(elsewhere) == 0);
}

TEST(a_planted_link_is_not_followed)
{
    plant_link(0);
}

TEST(a_link_that_is_planted_later_is_not_followed)
{
    plant_link(1);
}
