/*
 * kill_points.c - kill a process at every place of every call of maps.
 *
 * After each kill a survivor must find the name, with its bytes, if another process
 * holds it, and else free, all zero when created again; and nothing may stay in the
 * directory.
 *
 * With MMF_TEST_NO_TMPFILE=1 a system call filter refuses O_TMPFILE, as some file
 * systems do: then objects are made under a temporary name, which the next collection
 * must remove.
 */
#include "kill.h"

#include <mmf/mmf.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#define NAME "kill points"
#define GLOBAL_NAME "Global\\kill points"
#define OTHER "another name"

enum {
    CAPACITY = 10000,
    STRIDE = 29,         /* of instructions, unless all are wanted */
    FALLBACK_STRIDE = 97 /* the same, without O_TMPFILE */
};

/* Which other processes there are when the operation runs. */
#define WITH_HOLDER 1u /* another process holds the name */
#define WITH_DEAD 2u   /* an orphaned object has the name */
#define GLOBAL 4u      /* the name is GLOBAL_NAME */
#define LONE_CHILD 8u  /* a forked child of the victim outlives it */

static char file_path[64]; /* what create_from_file maps */
static int without_tmpfile;

static const char *
current_name(void)
{
    return kill_has(GLOBAL) ? GLOBAL_NAME : NAME;
}

static unsigned char
pattern(size_t i)
{
    return (unsigned char)(1 + i * 31 % 251);
}

/* Every byte of the map is the pattern's, or 0 if `zero`. */
static int
bytes_are(mmf_map *map, int zero)
{
    const unsigned char *bytes;
    void *pointer;
    size_t size;

    if (mmf_map_bytes(map, MMF_ACCESS_READ_WRITE, &pointer, &size) < 0 ||
        size != CAPACITY)
        return 0;
    bytes = pointer;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != (zero ? 0 : pattern(i)))
            return 0;
    return 1;
}

/* Create `name` with the pattern in it; the handle, or NULL. */
static mmf_map *
create_with_pattern(const char *name)
{
    unsigned char *bytes;
    void *pointer;
    size_t size;
    mmf_map *map;

    if (mmf_map_create_new(name, CAPACITY, NULL, &map) < 0 ||
        mmf_map_bytes(map, MMF_ACCESS_READ_WRITE, &pointer, &size) < 0)
        return NULL;
    bytes = pointer;
    for (size_t i = 0; i < size; i++)
        bytes[i] = pattern(i);
    return map;
}

/*
 * The holder: another process that creates, looks at and closes the name on request.
 */
static struct kill_peer holder;
static mmf_map *held; /* in the holder */

static int
hold(int global, int unused)
{
    (void)unused;
    held = create_with_pattern(global ? GLOBAL_NAME : NAME);
    return held != NULL;
}

PEER_DOES(look, bytes_are(held, 0));

PEER_DOES(let_it_be, (mmf_map_close(held), 1));

/* Leaves orphaned objects under the name and under another one. */
static void
create_two(void)
{
    if (create_with_pattern(current_name()) == NULL ||
        create_with_pattern(OTHER) == NULL)
        kill_fail("orphaned objects", mmf_last_message());
}

/*
 * The operations.
 */
static mmf_map *map;
static mmf_accessor *view;
static int hears[2] = {-1, -1}, says[2] = {-1, -1}; /* pipes of a LONE_CHILD */

static void
close_far_ends(void)
{
    if (kill_has(LONE_CHILD)) {
        close(hears[0]);
        close(says[1]);
    }
}

STEP(run_create_new, mmf_map_create_new(current_name(), CAPACITY, NULL, &map));

static void
run_create_inheritable(void)
{
    mmf_map_create_new(current_name(), CAPACITY, INHERITABLE_MAP, &map);
}

STEP(run_create_unnamed, mmf_map_create_new(NULL, CAPACITY, NULL, &map));
STEP(run_create_or_open,
     mmf_map_create_or_open(current_name(), CAPACITY, NULL, NULL, &map));
STEP(run_open, mmf_map_open_existing(current_name(), NULL, &map));

static void
run_open_to_read(void)
{
    mmf_map_open_existing(current_name(), MAP_OPTIONS(.rights = MMF_RIGHTS_READ), &map);
}

STEP(run_create_from_file, mmf_map_create_from_file(file_path, MMF_FILE_MODE_OPEN,
                                                    current_name(), 0, NULL, &map));
STEP(run_create_view,
     mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view));
STEP(run_close_view, mmf_accessor_close(view));
STEP(run_close, mmf_map_close(map));

static void
run_list(void)
{
    mmf_list *list;

    if (mmf_list_create(0, &list) == MMF_OK)
        mmf_list_close(list);
}

STEP(run_gc, mmf_gc(0, NULL));

static void
run_fork(void)
{
    char byte = 'r';
    pid_t pid = fork();

    if (pid != 0)
        return;
    /* The child says that it is there, and stays until it is asked to end. */
    if (write(hears[1], &byte, 1) != 1 || read(says[0], &byte, 1) != 0)
        _exit(1);
    _exit(0);
}

STEP(open_with_view, run_open(); run_create_view());
STEP(create_with_view, close_far_ends(); run_create_new(); run_create_view());
STEP(leave_lone_view, create_with_view(); run_close());

static const struct kill_operation operations[] = {
    {"create_new", 0, 0, NULL, run_create_new},
    {"create_new, Global", GLOBAL, 0, NULL, run_create_new},
    {"create_new, inheritable", 0, 0, NULL, run_create_inheritable},
    {"create_new, unnamed", 0, 0, NULL, run_create_unnamed},
    {"create_new over an orphan", WITH_DEAD, 0, NULL, run_create_new},
    {"create_new of a name that is held", WITH_HOLDER, 0, NULL, run_create_new},
    {"create_or_open, creates", 0, 0, NULL, run_create_or_open},
    {"create_or_open over an orphan", WITH_DEAD, 0, NULL, run_create_or_open},
    {"create_or_open, opens", WITH_HOLDER, 0, NULL, run_create_or_open},
    {"open_existing", WITH_HOLDER, 0, NULL, run_open},
    {"open_existing, to read, Global", WITH_HOLDER | GLOBAL, 0, NULL, run_open_to_read},
    {"open_existing of nothing", 0, 0, NULL, run_open},
    {"open_existing of an orphan", WITH_DEAD, 0, NULL, run_open},
    {"create_from_file with a name", 0, 0, NULL, run_create_from_file},
    {"view, sole holder", 0, 0, run_create_new, run_create_view},
    {"view, not alone", WITH_HOLDER, 0, run_open, run_create_view},
    {"close of a lone view", 0, 0, leave_lone_view, run_close_view},
    {"close, last", 0, 0, run_create_new, run_close},
    {"close, last, Global", GLOBAL, 0, run_create_new, run_close},
    {"close, last, with a view", 0, 0, create_with_view, run_close},
    {"close, last, inheritable", 0, 0, run_create_inheritable, run_close},
    {"close, last, of a file", 0, 0, run_create_from_file, run_close},
    {"close, not last", WITH_HOLDER, 0, run_open, run_close},
    {"close, not last, with a view", WITH_HOLDER, 0, open_with_view, run_close},
    {"list over orphans", WITH_DEAD, 0, NULL, run_list},
    {"gc of orphans", WITH_DEAD, 0, NULL, run_gc},
    {"gc beside a holder", WITH_HOLDER, 0, NULL, run_gc},
    {"fork", KILL_BY_CALL | LONE_CHILD, 0, create_with_view, run_fork},
};

/*
 * Before and after.
 */

static void
make_ready(void)
{
    if (kill_has(WITH_HOLDER))
        kill_do(&holder, hold, kill_has(GLOBAL), "creates the name");
    if (kill_has(WITH_DEAD))
        kill_elsewhere(0, create_two, 0);
    if (kill_has(LONE_CHILD) &&
        (pipe2(hears, O_CLOEXEC) < 0 || pipe2(says, O_CLOEXEC) < 0))
        kill_fail("pipe", strerror(errno));
}

/* Its child, if there is one, has left fork() when it says so. */
static void
await_child(void)
{
    char byte;

    close(hears[1]);
    close(says[0]);
    if (read(hears[0], &byte, 1) < 0)
        kill_fail("the child", strerror(errno));
}

static void
check_held(void)
{
    mmf_map *seen;

    if (mmf_map_open_existing(current_name(), NULL, &seen) < 0) {
        kill_fail("open while it is held", mmf_last_message());
    } else {
        if (!bytes_are(seen, 0))
            kill_fail("open while it is held", "other bytes");
        mmf_map_close(seen);
    }
    kill_do(&holder, look, 0, "sees its bytes");
    kill_do(&holder, let_it_be, 0, "closes");
}

static void
check_free(void)
{
    mmf_map *seen;
    int rc = mmf_map_open_existing(current_name(), NULL, &seen);

    if (rc != MMF_E_NOT_FOUND)
        kill_fail("open without a holder",
                  rc < 0 ? mmf_last_message() : "it can be opened");
    if (rc >= 0)
        mmf_map_close(seen);
    if (mmf_map_create_new(current_name(), CAPACITY, NULL, &seen) < 0) {
        kill_fail("create without a holder", mmf_last_message());
    } else {
        if (!bytes_are(seen, 1))
            kill_fail("create without a holder", "the bytes are not zero");
        mmf_map_close(seen);
    }
}

/* The victim is dead: what do the others see? */
static void
check(void)
{
    static const char *const known[] = {"file", NULL};
    const char *left;

    if (kill_has(LONE_CHILD))
        await_child();
    if (kill_has(WITH_HOLDER))
        check_held();
    check_free();
    if (access(file_path, F_OK) < 0)
        kill_fail("the mapped file", "it is gone");
    /* The other orphaned object, and temporary names, go with mmf_gc. */
    if (kill_has(WITH_DEAD) || without_tmpfile)
        mmf_gc(0, NULL);
    if ((left = kill_find_left(known)) != NULL) {
        kill_fail("left in the directory", left);
        mmf_gc(0, NULL);
    }
    if (kill_has(LONE_CHILD)) {
        close(says[1]); /* it goes */
        close(hears[0]);
    }
}

/* From here on open(O_TMPFILE) answers EOPNOTSUPP, as on file systems without it. */
static void
refuse_tmpfile(void)
{
    const unsigned tmpfile_bit = O_TMPFILE & ~O_DIRECTORY;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, tmpfile_bit, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
        perror("seccomp");
        exit(EXIT_FAILURE);
    }
}

static void
begin(void)
{
    FILE *file;

    snprintf(file_path, sizeof(file_path), "%s/file", kill_dir);
    file = fopen(file_path, "we");
    if (file == NULL || fputs("twelve bytes", file) < 0 || fclose(file) != 0) {
        perror(file_path);
        exit(EXIT_FAILURE);
    }
    kill_start_peer(&holder);
    if (without_tmpfile)
        refuse_tmpfile();
}

STEP(end, kill_stop_peer(&holder); unlink(file_path));

int
main(int argc, char **argv)
{
    struct kill_suite suite = {
        .program = "kill_points",
        .operations = operations,
        .count = sizeof(operations) / sizeof(operations[0]),
        .begin = begin,
        .end = end,
        .make_ready = make_ready,
        .check = check,
        .stride = STRIDE,
        .walks = 10,
        .tries = 40,
        .rare_tries = 40,
        .spare = 20,
    };

    without_tmpfile = getenv("MMF_TEST_NO_TMPFILE") != NULL;
    if (without_tmpfile)
        suite.stride = FALLBACK_STRIDE;
    return kill_main(argc, argv, &suite);
}
