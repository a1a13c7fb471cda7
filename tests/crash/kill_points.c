/*
 * kill_points.c - kill a process at every system call and at every instruction of mmf.
 *
 *     kill_points [PATTERN]    only the operations whose name has PATTERN in it
 *
 * For each operation a child runs it between two marks, under ptrace, and is killed
 *
 *   - at the entry and at the exit of every system call it makes, and
 *   - before every instruction that it executes in libmmf.so (in libc nothing happens
 *     that others could see, but by the system calls of before). One run single-steps
 *     through the operation and writes down where it comes by; then one child for each
 *     of these places runs there with a breakpoint and is killed. Without
 *     MMF_TEST_LONG=1 a part of the places is taken.
 *
 * After each kill a survivor must find the name, with its bytes, if another
 * process holds it, and else free, all zero when created again; and nothing may stay in
 * the directory.
 *
 * All that is done again with a system call filter that refuses O_TMPFILE, as some file
 * systems do: then objects are made under a temporary name, which the next collection
 * must remove.
 */
#include "site.h"
#include "trace.h"
#include "walk.h"

#include <mmf/mmf.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#define NAME "kill points"
#define GLOBAL_NAME "Global\\kill points"
#define OTHER "another name"

enum {
    CAPACITY = 10000,
    DEFAULT_STRIDE = 29,  /* of instructions, unless all are wanted */
    FALLBACK_STRIDE = 97, /* the same, without O_TMPFILE */
    /*
     * Now and then a creator looks at other names, too; which one does depends on its
     * process id. So what is not met at once is tried again so many times.
     */
    MOST_TRIES = 40
};

/* Which other processes there are when the operation runs. */
#define WITH_HOLDER 1u  /* another process holds the name */
#define WITH_DEAD 2u    /* an orphaned object has the name */
#define GLOBAL 4u       /* the name is GLOBAL_NAME */
#define BY_CALL_ONLY 8u /* no kills by instruction */
#define LONE_CHILD 16u  /* a forked child of the victim outlives it */

struct operation {
    const char *name;
    unsigned flags;
    void (*prepare)(void); /* in the victim, before it is watched */
    void (*run)(void);
};

static char dir[] = "/dev/shm/mmf-test-XXXXXX";
static char file_path[64]; /* what create_from_file maps */
static const struct operation *current;
static int all_instructions;
static int without_tmpfile;

static const char *
current_name(void)
{
    return (current->flags & GLOBAL) != 0 ? GLOBAL_NAME : NAME;
}

static unsigned char
pattern(size_t i)
{
    return (unsigned char)(1 + i * 31 % 251);
}

/* 1 if every byte of the map is the pattern's, or 0 if `zero`. */
static int
bytes_are(mmf_map *map, int zero)
{
    mmf_accessor *view;
    const unsigned char *bytes;
    void *pointer;
    size_t size, i;

    if (mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ, NULL, &view) < 0)
        return 0;
    mmf_accessor_pointer(view, &pointer, &size);
    bytes = pointer;
    for (i = 0; i < size; i++)
        if (bytes[i] != (zero ? 0 : pattern(i)))
            break;
    mmf_accessor_close(view);
    return i == CAPACITY;
}

/* Create `name` with the pattern in it; the handle, or NULL. */
static mmf_map *
create_with_pattern(const char *name)
{
    mmf_accessor *view;
    unsigned char *bytes;
    void *pointer;
    size_t size, i;
    mmf_map *map;

    if (mmf_map_create_new(name, CAPACITY, NULL, &map) < 0)
        return NULL;
    if (mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view) < 0)
        return NULL;
    mmf_accessor_pointer(view, &pointer, &size);
    bytes = pointer;
    for (i = 0; i < size; i++)
        bytes[i] = pattern(i);
    mmf_accessor_close(view);
    return map;
}

/*
 * The holder: another process that creates, looks at and closes the name on request.
 */
static pid_t holder_pid;
static int holder_socket = -1;

static _Noreturn void
hold(int fd)
{
    mmf_map *map = NULL;
    char request;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (read(fd, &request, 1) == 1) {
        char answer = 'n';

        if (request == 'o') {
            map = create_with_pattern(current_name());
            answer = map != NULL ? 'y' : 'n';
            if (map == NULL)
                fprintf(stderr, "kill_points: holder: %s\n", mmf_last_message());
        } else if (request == 'l') {
            answer = map != NULL && bytes_are(map, 0) ? 'y' : 'n';
        } else if (request == 'c') {
            mmf_map_close(map);
            map = NULL;
            answer = 'y';
        }
        if (write(fd, &answer, 1) != 1)
            break;
    }
    _exit(0);
}

static void
start_holder(void)
{
    int fd[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0) {
        perror("kill_points: socketpair");
        exit(EXIT_FAILURE);
    }
    holder_pid = fork();
    if (holder_pid == 0) {
        close(fd[0]);
        hold(fd[1]);
    }
    close(fd[1]);
    holder_socket = fd[0];
}

static void
stop_holder(void)
{
    close(holder_socket);
    holder_socket = -1;
    waitpid(holder_pid, NULL, 0);
}

static int
ask_holder(char request)
{
    char answer = 'n';

    if (write(holder_socket, &request, 1) != 1 || read(holder_socket, &answer, 1) != 1)
        return 0;
    return answer == 'y';
}

/* Leave orphaned objects under the name and under another one. */
static void
leave_dead(const char *first, const char *second)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (create_with_pattern(first) == NULL ||
            (second != NULL && create_with_pattern(second) == NULL)) {
            fprintf(stderr, "kill_points: orphaned object: %s\n", mmf_last_message());
            _exit(1);
        }
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

/*
 * The operations.
 */
static mmf_map *map;
static mmf_accessor *view;
static int child_says = -1, child_hears = -1; /* pipe ends of a LONE_CHILD */

static void
run_create_new(void)
{
    mmf_map_create_new(current_name(), CAPACITY, NULL, &map);
}

static void
run_create_inheritable(void)
{
    mmf_map_options options;

    mmf_map_options_init(&options);
    options.inheritability = MMF_INHERITABILITY_INHERITABLE;
    mmf_map_create_new(current_name(), CAPACITY, &options, &map);
}

static void
run_create_unnamed(void)
{
    mmf_map_create_new(NULL, CAPACITY, NULL, &map);
}

static void
run_create_or_open(void)
{
    mmf_map_create_or_open(current_name(), CAPACITY, NULL, NULL, &map);
}

static void
run_open(void)
{
    mmf_map_open_existing(current_name(), NULL, &map);
}

static void
run_open_to_read(void)
{
    mmf_map_options options;

    mmf_map_options_init(&options);
    options.rights = MMF_RIGHTS_READ;
    mmf_map_open_existing(current_name(), &options, &map);
}

static void
run_create_from_file(void)
{
    mmf_map_create_from_file(file_path, MMF_FILE_MODE_OPEN, current_name(), 0, NULL,
                             &map);
}

static void
run_create_view(void)
{
    mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view);
}

static void
run_close_view(void)
{
    mmf_accessor_close(view);
}

static void
run_close(void)
{
    mmf_map_close(map);
}

static void
run_list(void)
{
    mmf_list *list;

    if (mmf_list_create(0, &list) == MMF_OK)
        mmf_list_close(list);
}

static void
run_gc(void)
{
    mmf_gc(0, NULL);
}

static void
run_fork(void)
{
    char byte = 'r';
    pid_t pid = fork();

    if (pid != 0)
        return;
    /* The child says that it is there, and stays until it is asked to end. */
    if (write(child_says, &byte, 1) != 1 || read(child_hears, &byte, 1) != 0)
        _exit(1);
    _exit(0);
}

static void
open_with_view(void)
{
    run_open();
    run_create_view();
}

static void
create_with_view(void)
{
    run_create_new();
    run_create_view();
}

static void
leave_lone_view(void)
{
    create_with_view();
    run_close();
}

static const struct operation operations[] = {
    {"create_new", 0, NULL, run_create_new},
    {"create_new, Global", GLOBAL, NULL, run_create_new},
    {"create_new, inheritable", 0, NULL, run_create_inheritable},
    {"create_new, unnamed", 0, NULL, run_create_unnamed},
    {"create_new over an orphan", WITH_DEAD, NULL, run_create_new},
    {"create_new of a name that is held", WITH_HOLDER, NULL, run_create_new},
    {"create_or_open, creates", 0, NULL, run_create_or_open},
    {"create_or_open over an orphan", WITH_DEAD, NULL, run_create_or_open},
    {"create_or_open, opens", WITH_HOLDER, NULL, run_create_or_open},
    {"open_existing", WITH_HOLDER, NULL, run_open},
    {"open_existing, to read, Global", WITH_HOLDER | GLOBAL, NULL, run_open_to_read},
    {"open_existing of nothing", 0, NULL, run_open},
    {"open_existing of an orphan", WITH_DEAD, NULL, run_open},
    {"create_from_file with a name", 0, NULL, run_create_from_file},
    {"view, sole holder", 0, run_create_new, run_create_view},
    {"view, not alone", WITH_HOLDER, run_open, run_create_view},
    {"close of a lone view", 0, leave_lone_view, run_close_view},
    {"close, last", 0, run_create_new, run_close},
    {"close, last, Global", GLOBAL, run_create_new, run_close},
    {"close, last, with a view", 0, create_with_view, run_close},
    {"close, last, inheritable", 0, run_create_inheritable, run_close},
    {"close, last, of a file", 0, run_create_from_file, run_close},
    {"close, not last", WITH_HOLDER, run_open, run_close},
    {"close, not last, with a view", WITH_HOLDER, open_with_view, run_close},
    {"list over orphans", WITH_DEAD, NULL, run_list},
    {"gc of orphans", WITH_DEAD, NULL, run_gc},
    {"gc beside a holder", WITH_HOLDER, NULL, run_gc},
    {"fork", BY_CALL_ONLY | LONE_CHILD, create_with_view, run_fork},
};

/*
 * Before and after.
 */

static int hears[2] = {-1, -1}, says[2] = {-1, -1};

static void
make_ready(void)
{
    if ((current->flags & WITH_HOLDER) != 0 && !ask_holder('o'))
        site_fail("the holder", "cannot create the name");
    if ((current->flags & WITH_DEAD) != 0)
        leave_dead(current_name(), OTHER);
    if ((current->flags & LONE_CHILD) != 0) {
        if (pipe2(hears, O_CLOEXEC) < 0 || pipe2(says, O_CLOEXEC) < 0) {
            perror("kill_points: pipe");
            exit(EXIT_FAILURE);
        }
        child_says = hears[1];
        child_hears = says[0];
    }
}

/* Files left in the namespace, and what they are. */
static unsigned
count_files(char *first, size_t size)
{
    static const char *const format[] = {"%s", "%s/mmf-%u"};
    const struct dirent *entry;
    char path[64];
    unsigned n = 0;
    DIR *d;
    int i;

    for (i = 0; i < 2; i++) {
        if (i == 0)
            snprintf(path, sizeof(path), "%s", dir);
        else
            snprintf(path, sizeof(path), format[1], dir, (unsigned)geteuid());
        d = opendir(path);
        if (d == NULL)
            continue;
        while ((entry = readdir(d)) != NULL) {
            if (entry->d_type == DT_DIR || strcmp(entry->d_name, "file") == 0)
                continue;
            if (n++ == 0)
                snprintf(first, size, "%s", entry->d_name);
        }
        closedir(d);
    }
    return n;
}

/* The victim is dead: what do the others see? */
static void
check_survivors(void)
{
    char left[256];
    mmf_map *seen;
    int rc;

    if ((current->flags & LONE_CHILD) != 0) {
        char byte;

        /* Its child, if there is one, has left fork() when it says so. */
        close(hears[1]);
        close(says[0]);
        if (read(hears[0], &byte, 1) < 0)
            site_fail("the child", strerror(errno));
    }
    rc = mmf_map_open_existing(current_name(), NULL, &seen);
    if ((current->flags & WITH_HOLDER) != 0) {
        if (rc < 0) {
            site_fail("open while it is held", mmf_last_message());
        } else {
            if (!bytes_are(seen, 0))
                site_fail("open while it is held", "other bytes");
            mmf_map_close(seen);
        }
        if (!ask_holder('l'))
            site_fail("the holder", "sees other bytes");
        if (!ask_holder('c'))
            site_fail("the holder", "cannot close");
        rc = mmf_map_open_existing(current_name(), NULL, &seen);
    }
    if (rc != MMF_E_NOT_FOUND) {
        site_fail("open without a holder",
                  rc < 0 ? mmf_last_message() : "it can be opened");
        if (rc >= 0)
            mmf_map_close(seen);
    }
    if (mmf_map_create_new(current_name(), CAPACITY, NULL, &seen) < 0) {
        site_fail("create without a holder", mmf_last_message());
    } else {
        if (!bytes_are(seen, 1))
            site_fail("create without a holder", "the bytes are not zero");
        mmf_map_close(seen);
    }
    if (access(file_path, F_OK) < 0)
        site_fail("the mapped file", "it is gone");
    /* The other orphaned object, and temporary names, go with mmf_gc. */
    if ((current->flags & WITH_DEAD) != 0 || without_tmpfile)
        mmf_gc(0, NULL);
    if (count_files(left, sizeof(left)) > 0) {
        site_fail("left in the directory", left);
        mmf_gc(0, NULL);
    }
    if ((current->flags & LONE_CHILD) != 0) {
        close(says[1]); /* it goes */
        close(hears[0]);
    }
}

static void
victim(void *argument)
{
    (void)argument;
    close(holder_socket);
    if ((current->flags & LONE_CHILD) != 0) {
        close(hears[0]);
        close(says[1]);
    }
    if (current->prepare != NULL)
        current->prepare();
    trace_begin();
    current->run();
    trace_end();
}

/*
 * The kills.
 */

struct counts {
    unsigned long calls;  /* stops at system calls */
    unsigned long places; /* instructions executed in libmmf.so */
    unsigned long killed; /* before so many of them */
    unsigned long missed; /* a repetition did not come by there */
};

static void
say_call(const struct trace_stop *stop)
{
    site_say("killed %s system call %llu (%llx, %llx, %llx)",
             stop->place == TRACE_ENTRY ? "before" : "after",
             (unsigned long long)stop->number, (unsigned long long)stop->arguments[0],
             (unsigned long long)stop->arguments[1],
             (unsigned long long)stop->arguments[2]);
}

/* Make everything ready; the victim stands before its operation. */
static pid_t
start_victim(void)
{
    pid_t pid;

    site_step("makes ready");
    make_ready();
    pid = trace_fork(victim, NULL);
    site_step("runs the victim");
    return pid;
}

static void
check(void)
{
    site_step("looks at the survivors");
    check_survivors();
}

/* A victim that is killed at its n-th stop at a system call. 0 if it has fewer. */
static int
kill_at_call(unsigned long n)
{
    struct trace_stop stop;
    unsigned long i;
    int done = 0;
    pid_t pid;

    site_say("killed at its stop %lu at a system call", n);
    pid = start_victim();
    memset(&stop, 0, sizeof(stop));
    for (i = 0; i < n && !done; i++) {
        trace_system_call(pid, &stop);
        done = stop.place == TRACE_END || stop.place == TRACE_GONE;
    }
    if (stop.place == TRACE_GONE)
        site_fail("the victim", "it ended by itself");
    else
        trace_kill(pid);
    if (done)
        site_say("killed after it");
    else
        say_call(&stop);
    check();
    return !done;
}

/* A kill at the n-th stop at a system call, for every n. */
static void
kill_at_calls(struct counts *counts)
{
    unsigned long n;

    for (n = 1;; n++) {
        int tries = 0;

        while (!kill_at_call(n)) {
            if (++tries == MOST_TRIES / 2)
                return;
            if (tries % 2 == 0)
                walk_skip_process_id();
        }
        counts->calls++;
    }
}

/* Single-step once through the operation: the places it comes by in libmmf.so. */
static void
walk_through(struct walk *walk)
{
    struct trace_stop stop;
    pid_t pid;

    site_say("not killed");
    pid = start_victim();
    walk_record(pid, walk, &stop);
    if (stop.place == TRACE_END)
        trace_kill(pid);
    check();
}

/* The shortest and the longest of several walks. */
static void
walk_often(struct walk *shortest, struct walk *longest)
{
    static struct walk walk;
    int i;

    shortest->count = SIZE_MAX;
    longest->count = 0;
    for (i = 0; i < MOST_TRIES / 4; i++) {
        walk_through(&walk);
        if (walk.count < shortest->count)
            walk_copy(shortest, &walk);
        if (walk.count > longest->count)
            walk_copy(longest, &walk);
        if (i % 2 == 1)
            walk_skip_process_id();
    }
}

/* A victim that is killed before it executes `place` for the `times`-th time. */
static int
kill_at_instruction(uintptr_t place, unsigned times)
{
    struct trace_stop stop;
    pid_t pid = start_victim();

    trace_run_to(pid, place, times, &stop);
    if (stop.place != TRACE_GONE)
        trace_kill(pid);
    check();
    return stop.place == TRACE_STEP;
}

/* A kill before each `stride`-th place of the walk; but not where `except` comes by. */
static void
kill_along(const struct walk *walk, const struct walk *except, size_t stride,
           struct counts *counts)
{
    for (size_t n = 0; n < walk->count; n += stride) {
        uintptr_t place = walk->sites[n];
        unsigned times = walk_times(walk, n);
        int tries = 0;

        if (except != NULL && walk_comes_by(except, place))
            continue;
        walk_report_site(walk, n);
        while (!kill_at_instruction(place, times) && ++tries < MOST_TRIES)
            if (tries % 2 == 0)
                walk_skip_process_id();
        if (tries < MOST_TRIES)
            counts->killed++;
        else
            counts->missed++;
    }
}

/* A kill before every place there is, or before some. */
static void
kill_at_instructions(struct counts *counts)
{
    static struct walk shortest, longest;
    size_t stride = all_instructions  ? 1
                    : without_tmpfile ? FALLBACK_STRIDE
                                      : DEFAULT_STRIDE;

    walk_often(&shortest, &longest);
    counts->places = longest.count;
    kill_along(&shortest, NULL, stride, counts);
    /* What only the tidying creators do takes many tries. */
    kill_along(&longest, &shortest, all_instructions ? 1 : 4 * stride, counts);
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
        perror("kill_points: seccomp");
        exit(EXIT_FAILURE);
    }
}

static double
seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* All operations, in one way of making objects. */
static void
run_all(const char *only, unsigned *run, unsigned *failed)
{
    size_t i;

    printf("%-36s %8s %8s %8s %8s %8s\n",
           without_tmpfile ? "without O_TMPFILE" : "operation", "calls", "places",
           "killed", "missed", "seconds");
    for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        struct counts counts = {0};
        unsigned long failures_before = site_failures();
        double begin = seconds();

        current = &operations[i];
        if (only != NULL && strstr(current->name, only) == NULL)
            continue;
        site_operation(current->name);
        start_holder();
        kill_at_calls(&counts);
        if ((current->flags & BY_CALL_ONLY) == 0 && trace_knows_instructions())
            kill_at_instructions(&counts);
        stop_holder();
        printf("%-36s %8lu %8lu %8lu %8lu %8.1f\n", current->name, counts.calls,
               counts.places, counts.killed, counts.missed, seconds() - begin);
        fflush(stdout);
        site_count(site_call_of(current->name), counts.calls + counts.killed);
        if (counts.missed > 2 + counts.killed / 20)
            site_fail("coverage", "too many places were missed");
        ++*run;
        *failed += site_failures() != failures_before;
    }
}

static int
make_file(void)
{
    FILE *file;

    snprintf(file_path, sizeof(file_path), "%s/file", dir);
    file = fopen(file_path, "we");
    if (file == NULL)
        return -1;
    fprintf(file, "twelve bytes");
    return fclose(file);
}

int
main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : NULL;
    const char *count = getenv("MMF_TEST_LONG");
    unsigned run = 0, failed = 0;
    char own[64];
    pid_t second;
    int status = 0;

    /* The linker's lazy work disturbs the count of instructions. */
    if (getenv("LD_BIND_NOW") == NULL) {
        setenv("LD_BIND_NOW", "1", 1);
        execv("/proc/self/exe", argv);
    }
    all_instructions = count != NULL && strcmp(count, "1") == 0;
    if (!trace_possible()) {
        printf("SKIPPED: this process may not trace its children\n"
               "SUITE: 0 passed, 0 failed, 1 skipped\n");
        return EXIT_SUCCESS;
    }
    if (!trace_knows_instructions())
        printf("SKIPPED: kills at instructions are for x86-64 only\n");
    if (!walk_find_code()) {
        fprintf(stderr, "kill_points: libmmf.so is not loaded\n");
        return EXIT_FAILURE;
    }
    if (mkdtemp(dir) == NULL || make_file() < 0) {
        perror("kill_points: /dev/shm");
        return EXIT_FAILURE;
    }
    setenv("MMF_DIR", dir, 1);
    site_begin("kill_points");
    fflush(stdout);
    /* The filter lasts forever, so the second pass has its own process. */
    second = fork();
    if (second == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run_all(only, &run, &failed);
        site_print_counts("");
        printf("SUITE with O_TMPFILE: %u passed, %u failed\n", run - failed, failed);
        fflush(stdout);
        _exit(failed == 0 ? (int)run : 255);
    }
    waitpid(second, &status, 0);
    without_tmpfile = 1;
    refuse_tmpfile();
    run_all(only, &run, &failed);
    site_print_counts(" without O_TMPFILE");
    unlink(file_path);
    snprintf(own, sizeof(own), "%s/mmf-%u", dir, (unsigned)geteuid());
    rmdir(own);
    rmdir(dir);
    if (!WIFEXITED(status) || WEXITSTATUS(status) == 255)
        failed++;
    else
        run += (unsigned)WEXITSTATUS(status);
    printf("SUITE: %u passed, %u failed, 0 skipped\n", run - failed, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
