/*
 * round.c - arranges, arms, calls, and looks at what is left.
 */
#include "round.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/linux/sys/error.h"

struct stage stage;

/* What a round's process reports to the test. */
struct result {
    struct fault_report report;
    long blocks; /* left at the end; the library keeps some forever */
};

static struct result *result; /* in shared memory */

/*
 * Which system errors to try, at which calls. They are those that the call can have, on
 * some file system, some kernel or under some seccomp filter.
 */
#define PATH_CALLS                                                                     \
    " create open stat lstat statfs readlink linkat renameat2 unlink mkdir chmod "     \
    "realpath "
#define MAKING_CALLS " create linkat renameat2 mkdir "
#define WRITING_CALLS                                                                  \
    " create linkat renameat2 mkdir fallocate posix_fallocate pwrite ftruncate msync " \
    "inotify_watch "
#define LOCK_CALLS " setlock getlock unlock flock "

struct system_error {
    int number;
    const char *functions;
};

static const struct system_error errors[] = {
    /* everyday */
    {EINTR, NULL},
    {ENOMEM, NULL},
    {EMFILE, " create open memfd_create inotify_init "},
    {ENOSPC, WRITING_CALLS},
    {EACCES, PATH_CALLS " setlock mmap fchmod mlock inotify_watch futimens "},
    {EAGAIN, " create open setlock flock mlock fcntl "},
    {ENOENT,
     " create open stat lstat statfs readlink linkat renameat2 mkdir realpath "},
    {EEXIST, MAKING_CALLS},
    {ENOLCK, LOCK_CALLS},
    /* with MMF_TEST_LONG as well */
    {EIO, NULL},
    {EPERM, PATH_CALLS " setlock mmap fchmod mlock madvise memfd_create "
                       "fallocate posix_fallocate ftruncate "},
    {ENFILE, " create open memfd_create mmap "},
    {EINVAL, NULL},
    {ENOSYS, NULL},
    {EOPNOTSUPP, NULL},
    {ELOOP, PATH_CALLS},
    {EISDIR, " create open "},
    {ENOTDIR, PATH_CALLS},
    {ENXIO, " create open "},
    {ENODEV, " create open mmap fallocate "},
    {EROFS, PATH_CALLS " ftruncate fchmod "},
    {EDQUOT, WRITING_CALLS},
    {EFBIG, " fallocate posix_fallocate pwrite ftruncate "},
    {ENAMETOOLONG, " create stat lstat linkat renameat2 mkdir realpath "},
    {EBUSY, NULL},
    {ETXTBSY, " create open ftruncate fallocate "},
    {EOVERFLOW, " create open stat lstat fstat statfs getlock setlock "},
};

enum { EVERYDAY_ERRORS = 9 };

/* Those that stay for a while: no memory, no descriptors, no space, no permission. */
static int
can_last(int number)
{
    return number == ENOMEM || number == EMFILE || number == ENOSPC ||
           number == EACCES || number == EIO;
}

/*
 * Locks, of any process, on files below MMF_DIR. The kernel reports one lock at a time:
 * the ranges beside it are asked again. Readers of one byte count as one.
 */
static long
count_locks_between(int fd, int64_t start, int64_t end)
{
    struct flock lock = {.l_type = F_WRLCK,
                         .l_whence = SEEK_SET,
                         .l_start = start,
                         .l_len = end - start};
    int64_t behind;

    if (start >= end || fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
        return 0;
    behind = lock.l_len == 0 ? end : lock.l_start + lock.l_len;
    return 1 + count_locks_between(fd, start, lock.l_start) +
           count_locks_between(fd, behind, end);
}

static long locks_found;

static int
count_locks_of_file(const char *path, const struct stat *status, int type,
                    struct FTW *at)
{
    int fd;

    (void)status;
    (void)at;
    if (type != FTW_F)
        return 0;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    locks_found += count_locks_between(fd, 0, INT64_MAX);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        locks_found++;
    close(fd);
    return 0;
}

static long
count_locks(void)
{
    locks_found = 0;
    nftw(harness_dir(), count_locks_of_file, 8, FTW_PHYS);
    return locks_found;
}

/*
 * What an answer may be.
 */

const int round_create_statuses[] = {MMF_E_EXISTS,
                                     MMF_E_PATH_NOT_FOUND,
                                     MMF_E_PATH_TOO_LONG,
                                     MMF_E_NO_SPACE,
                                     MMF_E_NO_MEMORY,
                                     MMF_E_ACCESS,
                                     MMF_E_BUSY,
                                     MMF_E_CORRUPT,
                                     MMF_E_IO,
                                     0};
const int round_open_statuses[] = {MMF_E_SHARING,
                                   MMF_E_NOT_FOUND,
                                   MMF_E_PATH_NOT_FOUND,
                                   MMF_E_PATH_TOO_LONG,
                                   MMF_E_BUSY,
                                   MMF_E_CORRUPT,
                                   MMF_E_ACCESS,
                                   MMF_E_NO_MEMORY,
                                   MMF_E_IO,
                                   0};
const int round_file_statuses[] = {MMF_E_EXISTS,         MMF_E_NOT_FOUND,
                                   MMF_E_PATH_NOT_FOUND, MMF_E_PATH_TOO_LONG,
                                   MMF_E_NO_SPACE,       MMF_E_NO_MEMORY,
                                   MMF_E_ACCESS,         MMF_E_BUSY,
                                   MMF_E_CORRUPT,        MMF_E_IO,
                                   MMF_E_SHARING,        MMF_E_NOT_SUPPORTED,
                                   MMF_E_DISPOSED,       0};
const int round_inherit_statuses[] = {MMF_E_DISPOSED,
                                      MMF_E_CORRUPT,
                                      MMF_E_ACCESS,
                                      MMF_E_NO_MEMORY,
                                      MMF_E_IO,
                                      MMF_E_BUSY,
                                      MMF_E_NOT_FOUND,
                                      MMF_E_PATH_NOT_FOUND,
                                      0};
const int round_view_statuses[] = {MMF_E_ACCESS, MMF_E_NO_MEMORY, MMF_E_NOT_SUPPORTED,
                                   MMF_E_IO, 0};
const int round_flush_statuses[] = {MMF_E_NO_MEMORY, MMF_E_NO_SPACE, MMF_E_IO, 0};
const int round_list_statuses[] = {
    MMF_E_ACCESS,        MMF_E_NO_MEMORY, MMF_E_PATH_NOT_FOUND,
    MMF_E_PATH_TOO_LONG, MMF_E_IO,        0};
const int round_channel_statuses[] = {
    MMF_E_NO_SPACE,      MMF_E_NO_MEMORY, MMF_E_ACCESS,    MMF_E_BUSY,
    MMF_E_CORRUPT,       MMF_E_LAYOUT,    MMF_E_IO,        MMF_E_PATH_NOT_FOUND,
    MMF_E_PATH_TOO_LONG, MMF_E_SHARING,   MMF_E_NOT_FOUND, 0};
const int round_poll_statuses[] = {MMF_E_NO_SPACE, MMF_E_NO_MEMORY, MMF_E_ACCESS,
                                   MMF_E_IO, 0};
const int round_no_statuses[] = {0};

/* Statuses that a function gives to an error beside mmf_error_status's. */
static const struct {
    const char *function; /* NULL: any */
    int error;            /* 0: any */
    int status;
} explained[] = {
    {"open", EAGAIN, MMF_E_BUSY}, /* a lease */
    {"create", EAGAIN, MMF_E_BUSY},
    {"open", EAGAIN, MMF_E_SHARING}, /* the same of the user's file */
    {"create", EAGAIN, MMF_E_SHARING},
    {"open", ELOOP, MMF_E_CORRUPT},
    {"open", EISDIR, MMF_E_CORRUPT},
    {"open", EISDIR, MMF_E_ACCESS}, /* the user's file */
    {"open", ENXIO, MMF_E_CORRUPT},
    {"open", ENODEV, MMF_E_CORRUPT},
    {"open", ENXIO, MMF_E_NOT_SUPPORTED}, /* the user's socket */
    {NULL, ENOENT, MMF_E_PATH_NOT_FOUND},
    {"open", ENOTDIR, MMF_E_NOT_SUPPORTED}, /* /sys and /proc */
    {"lstat", ENOENT, MMF_E_IO},            /* just made, and gone */
    {"mkdir", EEXIST, MMF_E_IO},            /* there, and gone */
    {"open", ENOENT, MMF_E_IO},             /* once more, by the name */
    {"lstat", ENOENT, MMF_E_CORRUPT},       /* an inherited map's name */
    {"stat", ENOENT, MMF_E_NOT_SUPPORTED},  /* a file to be found by its path */
    {"readlink", ENOENT, MMF_E_NOT_SUPPORTED},
    {"flock", EAGAIN, MMF_E_SHARING},
    {"setlock", EAGAIN, MMF_E_SHARING},
    {"inotify_watch", EACCES, MMF_E_IO}, /* the user has changed since */
    {"setlock", EACCES, MMF_E_SHARING},
    {"setlock", EAGAIN, MMF_E_BUSY},
    {"setlock", EACCES, MMF_E_BUSY},
    {"setlock", EACCES, MMF_E_CORRUPT}, /* others have all the tickets that we draw */
    {"madvise", 0, MMF_E_NOT_SUPPORTED},
    {"mlock", 0, MMF_E_NO_MEMORY},
    {"mmap", EPERM, MMF_E_ACCESS},
    {"open", ENOENT, MMF_E_CORRUPT}, /* a named map whose file is gone */
};

static int
explains(const struct fault *fault, const struct fault_report *report, int status)
{
    if (fault->calls == FAULT_MEMORY)
        return status == MMF_E_NO_MEMORY;
    if (fault->way == FAULT_HALF)
        return status == MMF_E_CORRUPT || status == MMF_E_IO;
    if (status == mmf_error_status(fault->error))
        return 1;
    for (size_t i = 0; i < sizeof(explained) / sizeof(explained[0]); i++) {
        if (explained[i].status == status &&
            (explained[i].error == 0 || explained[i].error == fault->error) &&
            (explained[i].function == NULL || fault->way == FAULT_FOREVER ||
             strcmp(explained[i].function, report->function) == 0))
            return 1;
    }
    return 0;
}

static int
is_documented(const struct scenario *scenario, int status)
{
    for (const int *known = scenario->documented; *known != 0; known++) {
        if (*known == status)
            return 1;
    }
    return 0;
}

/* The answer and the message, after a fault. */
static void
check_answer(const struct scenario *scenario, const struct fault *fault, int rc)
{
    const struct fault_report *report = &result->report;
    mmf_error error;

    mmf_last_error(&error);
    if (rc != scenario->expected && (rc != scenario->or_else || !report->struck)) {
        if (rc >= 0 || !report->struck || !explains(fault, report, rc) ||
            !is_documented(scenario, rc))
            CHECK_FAIL("answers %s (%d), not %s: %s", mmf_status_name(rc), rc,
                       mmf_status_name(scenario->expected), error.message);
        /* The message has the first error, not one of the clean-up after it. */
        if (fault->calls == FAULT_SYSTEM && fault->way == FAULT_ONCE &&
            error.system_error != fault->error && error.system_error != 0)
            CHECK_FAIL("the error was %d, the message says %d: %s", fault->error,
                       error.system_error, error.message);
    }
    if (rc >= 0) {
        /* Only failing calls write the last error, and a close that leaves the file. */
        if (error.status != MMF_E_NULL &&
            !(report->struck && strncmp(error.message, "closed, but ", 12) == 0))
            CHECK_FAIL("answers %s, but left an error: %s", mmf_status_name(rc),
                       error.message);
        return;
    }
    if (error.status != rc)
        CHECK_FAIL("answers %s, but the last error is %s: %s", mmf_status_name(rc),
                   mmf_status_name(error.status), error.message);
    if (error.message[0] == '\0' || strchr(error.message, '\n') != NULL)
        CHECK_FAIL("the message is not one line: \"%s\"", error.message);
    if (getenv("MMF_FAULT_SHOW") != NULL)
        fprintf(stderr, "%-14s %-20s %3d %-20s %s\n", scenario->name, report->function,
                fault->error, mmf_status_name(rc), error.message);
}

static void
check_untouched(void)
{
#define CHECK_OUTPUT(kind, field) CHECK(stage.field == UNTOUCHED);
    OUTPUTS(CHECK_OUTPUT)
    CHECK_INT(stage.stats.senders, -7);
    CHECK_INT(stage.poll_fd, -7);
    CHECK_INT(stage.collected.in_use, -7);
}

static void
reset_outputs(void)
{
#define RESET_OUTPUT(kind, field) stage.field = UNTOUCHED;
    OUTPUTS(RESET_OUTPUT)
    stage.stats.senders = -7;
    stage.poll_fd = -7;
    stage.collected.in_use = -7;
}

static void
close_outputs(void)
{
#define CLOSE_OUTPUT(kind, field)                                                      \
    if (stage.field != UNTOUCHED)                                                      \
        mmf_##kind##_close(stage.field);
    OUTPUTS(CLOSE_OUTPUT)
}

static pid_t elsewhere;

/* Undo the arrangement. */
static void
clear_stage(void)
{
    mmf_accessor_close(stage.given_view);
    mmf_stream_close(stage.given_stream);
    step_close_given();
    mmf_map_close(stage.kept);
    mmf_queue_close(stage.kept_queue);
    round_kill_child();
    if (stage.fd >= 0)
        close(stage.fd);
    if (elsewhere != 0)
        step_close_elsewhere();
    if (stage.path[0] != '\0')
        unlink(stage.path);
}

/* What there is, and that nothing more is there than was. */
struct inventory {
    struct usage usage;
    long locks;
};

static void
take_inventory(struct inventory *inventory)
{
    usage_take(&inventory->usage);
    inventory->locks = count_locks();
}

static void
check_no_more(const struct inventory *before, const struct inventory *now,
              const char *when)
{
    if (now->usage.descriptors > before->usage.descriptors ||
        now->usage.mappings > before->usage.mappings ||
        now->usage.files > before->usage.files || now->locks > before->locks)
        CHECK_FAIL("%s: %+ld descriptors, %+ld mappings, %+ld files, %+ld locks", when,
                   now->usage.descriptors - before->usage.descriptors,
                   now->usage.mappings - before->usage.mappings,
                   now->usage.files - before->usage.files, now->locks - before->locks);
}

/* Neither more nor less, but for orphaned objects, which may go at any time. */
static void
check_same(const struct inventory *before, const char *when)
{
    struct inventory now;

    take_inventory(&now);
    check_no_more(before, &now, when);
    now.usage.files = before->usage.files;
    now.locks = before->locks;
    check_no_more(&now, before, when);
}

static void
check_nothing_left(const struct inventory *before, const char *when)
{
    struct inventory now;

    take_inventory(&now);
    check_no_more(before, &now, when);
}

static int
call(const struct scenario *scenario, const struct fault *fault,
     struct fault_report *report)
{
    mmf_map *unused;
    int rc;

    mmf_map_open_existing(NULL, NULL, &unused); /* no answer we wait for */
    fault_arm(fault);
    rc = scenario->act();
    fault_disarm(report);
    return rc;
}

/* Whether the fault may have hit the clean-up and not the call itself. */
static int
may_hit_tidying(const struct scenario *scenario, const struct fault *fault, int rc)
{
    return result->report.struck &&
           (fault->way == FAULT_FOREVER || rc == scenario->expected);
}

static int
is_about_one_file(const struct fault *fault)
{
    return fault->way == FAULT_HALF || fault->error == EACCES ||
           fault->error == EAGAIN || fault->error == ENOENT || fault->error == EPERM ||
           fault->error == ELOOP || fault->error == EISDIR || fault->error == ENXIO ||
           fault->error == ENODEV || fault->error == EROFS;
}

static void
run_round(const struct scenario *scenario, const struct fault *fault)
{
    static const struct fault none = {.at = 0};
    struct fault_report ignored;
    struct inventory empty;
    struct inventory before;
    struct inventory now;
    mmf_map *last;
    int rc;

    stage.fd = -1;
    take_inventory(&empty);
    if (scenario->arrange != NULL)
        scenario->arrange();
    fault_set_host(scenario->host);
    reset_outputs();
    before = empty;
    if (scenario->arrange != NULL)
        take_inventory(&before);
    rc = call(scenario, fault, &result->report);
    check_answer(scenario, fault, rc);
    if (rc < 0) {
        check_untouched();
        if (may_hit_tidying(scenario, fault, rc)) {
            take_inventory(&now);
            if (now.usage.files > before.usage.files)
                mmf_gc(0, NULL);
            if (stage.is_new_path)
                unlink(stage.path);
        } else if (scenario->inspect_failure != NULL) {
            scenario->inspect_failure();
        }
        check_same(&before, "after the failure");
        rc = call(scenario, &none, &ignored);
        check_answer(scenario, &none, rc);
    }
    fault_set_host(0);
    stage.says_less = result->report.struck && is_about_one_file(fault);
    if (rc >= 0) {
        if (scenario->inspect != NULL)
            scenario->inspect();
        close_outputs();
        if (stage.is_new_path)
            unlink(stage.path);
        if (scenario->clean != NULL)
            scenario->clean();
        if (result->report.struck)
            CHECK_OK(mmf_gc(0, NULL));
        check_nothing_left(&before, "in the end");
    }
    if (scenario->arrange != NULL) {
        if (scenario->disarrange != NULL)
            scenario->disarrange();
        clear_stage();
        CHECK_OK(mmf_gc(0, NULL));
        check_same(&empty, "after all");
    }
    /* All is well, and what the library keeps forever is there by now. */
    CHECK_OK(mmf_map_create_new("Last", 1, NULL, &last));
    mmf_map_close(last);
    result->blocks = fault_live_blocks();
}

/*
 * Rounds in processes of their own.
 */

/* A scenario goes on after a bug, to show what they have in common. */
enum { MOST_BUGS = 20 };

static void
describe(const struct fault *fault, char text[96])
{
    static const char *const ways[] = {"fails", "and all after it fail",
                                       "moves half of the bytes"};

    if (fault->at == 0)
        snprintf(text, 96, "without a fault");
    else if (fault->calls == FAULT_MEMORY)
        snprintf(text, 96, "allocation %ld %s", fault->at, ways[fault->way]);
    else
        snprintf(text, 96, "system call %ld %s (%s)", fault->at, ways[fault->way],
                 strerrorname_np(fault->error));
}

static int
remove_entry(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    if (at->level > 0)
        remove(path);
    return 0;
}

/* The library shall make its directory again; and a bug may have left anything. */
static void
empty_namespace(void)
{
    nftw(harness_dir(), remove_entry, 8, FTW_PHYS | FTW_DEPTH);
}

static int bugs;

static void
note_bug(const struct scenario *scenario, const char *fault, int status)
{
    const char *function = result->report.struck ? result->report.function : "nothing";

    bugs++;
    if (WIFEXITED(status))
        fprintf(stderr, "^ %s: %s: %s\n", scenario->name, fault, function);
    else
        fprintf(stderr, "%s: %s: %s: ended by signal %d\n", scenario->name, fault,
                function, WTERMSIG(status));
}

/* 1 if the fault was reached. */
static int
try_fault(const struct scenario *scenario, const struct fault *fault)
{
    char text[96];
    int status = 0;
    pid_t child;

    describe(fault, text);
    CHECK_CONTEXT("%s: %s", scenario->name, text);
    memset(result, 0, sizeof(*result));
    empty_namespace();
    fflush(stdout);
    child = fork();
    if (child == 0) {
        alarm((unsigned)harness_deadline_ms() / 1000);
        run_round(scenario, fault);
        _exit(0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    if (status != 0)
        note_bug(scenario, text, status);
    return result->report.struck && bugs < MOST_BUGS;
}

/* Every how many-th place is tried: MMF_FAULT_STRIDE. */
static long
stride(void)
{
    const char *value = getenv("MMF_FAULT_STRIDE");
    long number = value == NULL || harness_long() ? 1 : atol(value);

    return number < 1 ? 1 : number;
}

/*
 * Fail the first call, the second, ... until the call is over before. With a stride,
 * each kind of fault begins at another place.
 */
static long
try_everywhere(const struct scenario *scenario, struct fault fault, long blocks)
{
    static long kinds;
    long visited = 0;

    for (fault.at = 1 + kinds++ % stride(); try_fault(scenario, &fault);
         fault.at += stride()) {
        visited++;
        if (result->blocks != 0 && result->blocks != blocks)
            CHECK_FAIL("%+ld blocks of memory are left (%s was struck)",
                       result->blocks - blocks, result->report.function);
    }
    return visited;
}

static long
try_errors(const struct scenario *scenario, long blocks)
{
    size_t count =
        harness_long() ? sizeof(errors) / sizeof(errors[0]) : EVERYDAY_ERRORS;
    long visited = 0;

    for (size_t i = 0; i < count; i++) {
        struct fault fault = {.error = errors[i].number,
                              .functions = errors[i].functions};

        if (fault.error == ENOENT)
            fault.immune = scenario->immune;
        visited += try_everywhere(scenario, fault, blocks);
        fault.way = FAULT_FOREVER;
        fault.immune = scenario->immune;
        if (can_last(fault.error))
            visited += try_everywhere(scenario, fault, blocks);
    }
    return visited;
}

static void
try_all(const struct scenario *scenario)
{
    static const struct fault none = {.at = 0};
    static const struct fault half = {.way = FAULT_HALF};
    static const struct fault allocation = {.calls = FAULT_MEMORY};
    static const struct fault allocations = {.calls = FAULT_MEMORY,
                                             .way = FAULT_FOREVER};
    long visited;
    long points;
    long blocks;

    result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(result != MAP_FAILED);
    bugs = 0;
    try_fault(scenario, &none);
    points = result->report.calls;
    blocks = result->blocks;
    visited = try_errors(scenario, blocks) + try_everywhere(scenario, half, blocks) +
              try_everywhere(scenario, allocation, blocks) +
              try_everywhere(scenario, allocations, blocks);
    printf("%s: %ld system calls, %ld faults\n", scenario->name, points, visited);
    munmap(result, sizeof(*result));
    empty_namespace();
    CHECK_INT(bugs, 0);
}

static void
try_state(void **state)
{
    try_all(*state);
}

void
round_add(struct scenario *scenarios, size_t n, const int *documented)
{
    for (size_t i = 0; i < n; i++) {
        if (scenarios[i].documented == NULL)
            scenarios[i].documented = documented;
        harness_add_test((struct CMUnitTest){.name = scenarios[i].name,
                                             .test_func = try_state,
                                             .initial_state = &scenarios[i]});
    }
}

/*
 * Arrangements and inspections.
 */

/* Write to a map what step_is_theirs reads. */
static void
sign(mmf_map *map)
{
    mmf_accessor *view;

    if (mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view) < 0)
        return; /* a map for reading */
    CHECK_OK(mmf_accessor_write(view, 0, "elsewhere", 9));
    mmf_accessor_close(view);
}

static void
run_function(void *function)
{
    (*(void (**)(void))function)();
}

void
round_die_elsewhere(void (*live)(void))
{
    in_child(run_function, &live);
}

static const char *dead_name;
static int64_t dead_capacity;

static void
make_and_die(void)
{
    mmf_map *map;

    CHECK_OK(mmf_map_create_new(dead_name, dead_capacity, NULL, &map));
    sign(map);
}

void
round_leave_dead(const char *name, int64_t capacity)
{
    dead_name = name;
    dead_capacity = capacity;
    round_die_elsewhere(make_and_die);
}

static int word_to_elsewhere; /* our end of its pipe; closed, it ends */

static void
live_elsewhere(const struct elsewhere *life, int to, int from)
{
    char byte;

    life->begin();
    CHECK(write(from, "", 1) == 1);
    while (read(to, &byte, 1) == 1)
        life->act();
    life->end();
}

void
round_live_elsewhere(const struct elsewhere *life)
{
    int to[2], from[2];
    char byte;

    CHECK(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
    elsewhere = fork();
    if (elsewhere == 0) {
        close(to[1]);
        close(from[0]);
        live_elsewhere(life, to[0], from[1]);
        _exit(0);
    }
    close(to[0]);
    close(from[1]);
    CHECK(read(from[0], &byte, 1) == 1);
    close(from[0]);
    word_to_elsewhere = to[1];
}

void
round_act_elsewhere(void)
{
    CHECK(write(word_to_elsewhere, "", 1) == 1);
}

void
round_live_until_killed(void (*live)(void))
{
    stage.child = fork_until_killed(run_function, NULL, &live);
}

void
round_kill_child(void)
{
    if (stage.child == 0)
        return;
    fork_kill(stage.child);
    stage.child = 0;
}

static int (*make_there)(mmf_map **map);
static mmf_map *map_there;

static void
hold_there(void)
{
    CHECK_OK(make_there(&map_there));
    sign(map_there);
}

static void
close_there(void)
{
    mmf_map_close(map_there);
}

void
round_hold_elsewhere(int (*make)(mmf_map **map))
{
    make_there = make;
    round_live_elsewhere(
        &(const struct elsewhere){.begin = hold_there, .end = close_there});
}

const char *
round_file_of(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/mmf-%u/%s", harness_dir(), (unsigned)geteuid(),
             name);
    return path;
}

void
round_make_file(int64_t size)
{
    int fd;

    snprintf(stage.path, sizeof(stage.path), "%s/file", harness_dir());
    stage.is_new_path = size == 0;
    if (size == 0)
        return;
    fd = open(stage.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    CHECK(fd >= 0 && ftruncate(fd, size) == 0);
    close(fd);
}

void
round_check_usable(mmf_map *map)
{
    mmf_accessor *view;
    int64_t capacity;
    int32_t number;

    CHECK_OK(mmf_map_capacity(map, &capacity));
    CHECK(capacity == CAT_SIZE || capacity % 65536 == 0);
    CHECK_OK(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view));
    CHECK_OK(mmf_accessor_write_int32(view, 0, 4711));
    CHECK_OK(mmf_accessor_read_int32(view, 0, &number));
    CHECK_INT(number, 4711);
    mmf_accessor_close(view);
}

/*
 * Steps.
 */

void
step_leave_dead(void)
{
    round_leave_dead("Cat", CAT_SIZE);
}

static int
make_cat(mmf_map **map)
{
    return mmf_map_create_new("Cat", CAT_SIZE, NULL, map);
}

static int
make_dog(mmf_map **map)
{
    return mmf_map_create_new("Dog", CAT_SIZE, NULL, map);
}

void
step_hold_elsewhere(void)
{
    round_hold_elsewhere(make_cat);
}

void
step_hold_another(void)
{
    round_hold_elsewhere(make_dog);
}

void
step_close_elsewhere(void)
{
    int status;

    close(word_to_elsewhere);
    CHECK(waitpid(elsewhere, &status, 0) == elsewhere && status == 0);
    elsewhere = 0;
}

void
step_is_usable(void)
{
    round_check_usable(stage.map);
}

void
step_is_theirs(void)
{
    mmf_accessor *view;
    char text[9];

    CHECK_OK(mmf_accessor_create(stage.map, 0, 0, MMF_ACCESS_READ, NULL, &view));
    CHECK_OK(mmf_accessor_read(view, 0, text, 9));
    CHECK_BYTES(text, "elsewhere", 9);
    mmf_accessor_close(view);
}

void
step_is_found(void)
{
    mmf_map *again;

    round_check_usable(stage.map);
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &again));
    round_check_usable(again);
    mmf_map_close(again);
}

void
step_is_gone(void)
{
    mmf_map *map;

    CHECK_FAILS(mmf_map_open_existing("Cat", NULL, &map), MMF_E_NOT_FOUND);
}

int
step_close_given(void)
{
    mmf_map_close(stage.given);
    mmf_queue_close(stage.given_queue);
    mmf_topic_close(stage.given_topic);
    mmf_latest_close(stage.given_latest);
    mmf_service_close(stage.given_service);
    stage.given = NULL;
    stage.given_queue = NULL;
    stage.given_topic = NULL;
    stage.given_latest = NULL;
    stage.given_service = NULL;
    return MMF_OK;
}
