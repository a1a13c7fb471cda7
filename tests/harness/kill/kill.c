/* kill.c - see kill.h. */
#include "kill.h"

#include <mmf/mmf.h>

#include <dirent.h>
#include <errno.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "trace.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

enum {
    MOST_SITES = 100000,
    MOST_MESSAGES = 20,
    MOST_SLOW = 250, /* kills at places of a slow operation, unless all are wanted */
    DEADLINE_S = 720,
    SLEEP_MS = 120000, /* what waits sleeps by then */
    SPARE_ASLEEP = 5,  /* at most one of so many places of what sleeps may be missed */
    END_MS = 5000,     /* what can go on has by then */
    ANSWER_MS = 20000,
    MOST_CALLS = 64,
    LONGEST_CALL = 48
};

const struct kill_operation *kill_current;
char kill_dir[] = "/dev/shm/mmf-test-XXXXXX";

static const struct kill_suite *suite;
static const char *step = "begins";
static char place[192]; /* where the next child is killed, or the last one was */
static unsigned long failures;
static int64_t longest_ms;

_Noreturn static void
die(const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", suite->program, what, strerror(errno));
    exit(EXIT_FAILURE);
}

int
kill_has(unsigned flags)
{
    return (kill_current->flags & flags) != 0;
}

void
kill_late(int64_t milliseconds)
{
    if (milliseconds > longest_ms)
        longest_ms = milliseconds;
}

void
kill_await(const volatile int *flag, int64_t milliseconds)
{
    int64_t end = now_ms() + milliseconds;

    while (*flag == 0 && now_ms() < end)
        nap_us(100);
}

void *
kill_shared(size_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        die("shared memory");
    return memory;
}

/*
 * Where it is at work: what it says when something is wrong there, or it hangs there.
 */

static void
write_text(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        _exit(EXIT_FAILURE);
}

/* Children die with us: they are traced, or have asked for it. */
static void
report_where_it_hangs(int signal_number)
{
    const char *const parts[] = {suite->program,
                                 ": ",
                                 kill_current == NULL ? "" : kill_current->name,
                                 ": ",
                                 place,
                                 ": ",
                                 step,
                                 ": it hangs here\n"};

    (void)signal_number;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        write_text(parts[i]);
    _exit(EXIT_FAILURE);
}

static unsigned
deadline(void)
{
    const char *value = getenv("MMF_TEST_DEADLINE_MS");
    long seconds = value == NULL ? DEADLINE_S : atol(value) * 6 / 1000;

    return seconds < 1 ? 1 : (unsigned)seconds;
}

__attribute__((format(printf, 1, 2))) static void
say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(place, sizeof(place), format, arguments);
    va_end(arguments);
    alarm(deadline());
}

void
kill_fail(const char *what, const char *why)
{
    if (++failures <= MOST_MESSAGES)
        fprintf(stderr, "%s: %s: %s: %s: %s\n", suite->program, kill_current->name,
                place, what, why);
}

void
kill_check(const char *what, int rc)
{
    if (rc != MMF_OK)
        kill_fail(what, rc < 0 ? mmf_last_message() : mmf_status_name(rc));
}

/*
 * Walks: the places of instructions in libmmf.so that a run comes by, in their order.
 */

struct walk {
    uintptr_t sites[MOST_SITES];
    size_t count;
};

static uintptr_t text_begin, text_end;

static int
find_text(struct dl_phdr_info *info, size_t size, void *payload)
{
    (void)size;
    (void)payload;
    if (strstr(info->dlpi_name, "libmmf.so") == NULL)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];

        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
            text_begin = info->dlpi_addr + part->p_vaddr;
            text_end = text_begin + part->p_memsz;
        }
    }
    return 1;
}

/* A repeated string instruction steps in place; it counts once. */
static void
add_site(struct walk *walk, uintptr_t at)
{
    if (walk->count < MOST_SITES &&
        (walk->count == 0 || walk->sites[walk->count - 1] != at))
        walk->sites[walk->count++] = at;
}

static void
record(pid_t pid, struct walk *walk, struct trace_stop *stop)
{
    walk->count = 0;
    do {
        uintptr_t at = trace_position(pid);

        if (at >= text_begin && at < text_end) {
            add_site(walk, at);
            trace_step(pid, stop);
        } else {
            trace_come_back(pid, text_begin, text_end, stop);
        }
    } while (stop->place == TRACE_STEP);
}

static void
copy_walk(struct walk *to, const struct walk *from)
{
    memcpy(to->sites, from->sites, from->count * sizeof(from->sites[0]));
    to->count = from->count;
}

static int
comes_by(const struct walk *walk, uintptr_t site)
{
    for (size_t i = 0; i < walk->count; i++)
        if (walk->sites[i] == site)
            return 1;
    return 0;
}

/* How often it has come to its n-th place, by then. */
static unsigned
times_by(const struct walk *walk, size_t n)
{
    unsigned times = 0;

    for (size_t i = 0; i <= n; i++)
        times += walk->sites[i] == walk->sites[n];
    return times;
}

/* The next children get other process ids. */
static void
skip_process_id(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
}

/*
 * The kills.
 */

struct counts {
    unsigned long calls;  /* stops at system calls */
    unsigned long asleep; /* kills where it sleeps */
    unsigned long places; /* instructions that the walks came by */
    unsigned long killed; /* before so many of them */
    unsigned long missed; /* a repetition did not come by there */
    unsigned long rare;   /* of these: only the longest walk came by */
};

static void
be_victim(void *argument)
{
    (void)argument;
    if (kill_current->role != 0)
        suite->open(kill_current->role);
    if (kill_current->prepare != NULL)
        kill_current->prepare();
    trace_begin();
    kill_current->run();
    trace_end();
}

static pid_t
start(int is_met)
{
    pid_t pid;

    step = "makes ready";
    suite->make_ready();
    pid = trace_fork(be_victim, NULL);
    if (is_met && suite->meet != NULL)
        suite->meet(pid);
    step = "runs the victim";
    return pid;
}

static void
check(void)
{
    step = "looks at the survivors";
    suite->check();
}

/* The run ended, or it stands at its end: kill it there. */
static void
end_victim(pid_t pid, const struct trace_stop *stop)
{
    if (stop->place == TRACE_GONE)
        kill_fail("the victim", "it ended by itself");
    else
        trace_kill(pid);
    check();
}

/* A victim that is killed at its n-th stop at a system call. 0 if it has fewer. */
static int
kill_at_call(unsigned long n)
{
    struct trace_stop stop = {.place = TRACE_STEP};
    int done = 0;
    pid_t pid;

    say("killed at its stop %lu at a system call", n);
    pid = start(1);
    for (unsigned long i = 0; i < n && !done; i++) {
        trace_system_call(pid, &stop);
        done = stop.place == TRACE_END || stop.place == TRACE_GONE;
    }
    if (done)
        say("killed after it");
    else
        say("killed %s system call %llu (%llx, %llx, %llx)",
            stop.place == TRACE_ENTRY ? "before" : "after",
            (unsigned long long)stop.number, (unsigned long long)stop.arguments[0],
            (unsigned long long)stop.arguments[1],
            (unsigned long long)stop.arguments[2]);
    end_victim(pid, &stop);
    return !done;
}

/* Some creators look at other names, too: which ones, their process ids decide. */
static int
count_walks(void)
{
    return kill_has(KILL_CREATES) && suite->walks < 8 ? 8 : suite->walks;
}

static void
kill_at_calls(struct counts *counts)
{
    int most_tries = count_walks() > 1 ? suite->tries / 2 : 1;

    for (unsigned long n = 1;; n++) {
        int tries = 0;

        while (!kill_at_call(n)) {
            if (++tries >= most_tries)
                return;
            if (tries % 2 == 0)
                skip_process_id();
        }
        counts->calls++;
    }
}

/* Kill it where it sleeps in the kernel. The others stay away until then. */
static void
kill_asleep(struct counts *counts)
{
    pid_t pid;

    say("killed asleep");
    pid = start(0);
    trace_detach(pid);
    kill_await_sleep(pid);
    trace_kill(pid);
    counts->asleep++;
    if (suite->meet != NULL)
        suite->meet(0);
    check();
}

/* The shortest and the longest of several walks. */
static void
walk_often(struct walk *shortest, struct walk *longest)
{
    static struct walk walk;

    shortest->count = SIZE_MAX;
    longest->count = 0;
    for (int i = 0; i < count_walks(); i++) {
        struct trace_stop stop;
        pid_t pid;

        say("killed after it");
        pid = start(1);
        record(pid, &walk, &stop);
        end_victim(pid, &stop);
        if (walk.count < shortest->count)
            copy_walk(shortest, &walk);
        if (walk.count > longest->count)
            copy_walk(longest, &walk);
        if (i % 2 == 1)
            skip_process_id();
    }
}

/*
 * A victim that is killed before it executes `site` for the `times`-th time. Returns how
 * often it came there: fewer times if it was not killed there.
 */
static unsigned
kill_at_instruction(uintptr_t site, unsigned times)
{
    struct trace_stop stop;
    pid_t pid = start(1);
    unsigned came = trace_run_to(pid, site, times, &stop);

    if (stop.place != TRACE_GONE)
        trace_kill(pid);
    check();
    return came;
}

/*
 * A loop may have fewer rounds this time, and the way may go elsewhere. How long one that
 * sleeps looks before is a matter of time, so its rounds are fewer by far on a busy machine:
 * the next try is for a round that this run had, a later one for one at half of its way.
 */
static int
try_to_kill(const struct walk *walk, size_t n, int most_tries)
{
    unsigned times = times_by(walk, n);

    say("killed before instruction %zu of %zu, at +0x%lx", n, walk->count,
        (unsigned long)(walk->sites[n] - text_begin));
    for (int tries = 1;; tries++) {
        unsigned came = kill_at_instruction(walk->sites[n], times);

        if (came == times)
            return 1;
        if (tries >= most_tries)
            return 0;
        if (tries % 2 == 0)
            skip_process_id();
        if (came > 0)
            times = tries > most_tries / 2 ? (came + 1) / 2 : came;
    }
}

/* A kill before each `stride`-th place of the walk; but not where `except` comes by. */
static void
kill_along(const struct walk *walk, const struct walk *except, size_t first,
           size_t stride, struct counts *counts)
{
    for (size_t n = first; n < walk->count; n += stride) {
        if (except != NULL && comes_by(except, walk->sites[n]))
            continue;
        if (try_to_kill(walk, n, except == NULL ? suite->tries : suite->rare_tries)) {
            counts->killed++;
        } else {
            counts->missed++;
            counts->rare += except != NULL;
        }
    }
}

static int
all_are_wanted(void)
{
    const char *count = getenv("MMF_TEST_LONG");

    return count != NULL && strcmp(count, "1") == 0;
}

/* From the command line; 0 and 0: as it is for each operation. */
static size_t wanted_first, wanted_stride;

static size_t
choose_stride(size_t count)
{
    const char *slow = getenv("MMF_TEST_SLOW");
    size_t stride = suite->stride;

    if (wanted_stride > 0)
        return wanted_stride;
    if (all_are_wanted() && kill_has(KILL_SLOW) && slow != NULL)
        return count / (size_t)atol(slow) + 1;
    if (all_are_wanted())
        return 1;
    if (suite->sample > 0)
        stride = count / suite->sample + (count < suite->sample);
    if (kill_has(KILL_SLOW))
        stride = count / MOST_SLOW > stride * 3 ? count / MOST_SLOW : stride * 3;
    return stride;
}

static void
kill_at_instructions(struct counts *counts)
{
    static struct walk shortest, longest;
    unsigned long spare = suite->spare;
    size_t stride, first;

    walk_often(&shortest, &longest);
    stride = choose_stride(shortest.count);
    first = wanted_stride > 0   ? wanted_first
            : suite->sample > 0 ? 0
                                : (size_t)(kill_current - suite->operations) % stride;
    counts->places = longest.count;
    kill_along(&shortest, NULL, first, stride, counts);
    /* What only some runs come by is often missed. */
    kill_along(&longest, &shortest, 0, stride == 1 ? 1 : 4 * stride, counts);
    /* How often one that sleeps looks before is a matter of the moment. */
    if (kill_has(KILL_ASLEEP) && spare > SPARE_ASLEEP)
        spare = SPARE_ASLEEP;
    if (counts->missed - counts->rare > 2 + counts->killed / spare)
        kill_fail("coverage", "too many places were missed");
}

/*
 * The table, and the sums by call.
 */

static struct {
    char call[LONGEST_CALL];
    unsigned long kills;
} sums[MOST_CALLS];

/* "send" of "send to a sleeper", "SPSC send" of "SPSC: send, twice". */
static void
name_call(char *call, size_t size)
{
    const char *name = kill_current->name;
    const char *kind_ends = strstr(name, ": ");
    int kind = kind_ends == NULL ? 0 : (int)(kind_ends - name);
    const char *begin = kind_ends == NULL ? name : kind_ends + 2;

    snprintf(call, size, "%.*s%s%.*s", kind, name, kind > 0 ? " " : "",
             (int)strcspn(begin, " ,"), begin);
}

static void
add_to_sums(unsigned long kills)
{
    char call[LONGEST_CALL];
    size_t i = 0;

    name_call(call, sizeof(call));
    while (i < MOST_CALLS - 1 && sums[i].kills != 0 && strcmp(sums[i].call, call) != 0)
        i++;
    snprintf(sums[i].call, sizeof(sums[i].call), "%s", call);
    sums[i].kills += kills;
}

static void
print_sums(void)
{
    unsigned long all = 0;

    printf("FIGURES: kill points:");
    for (size_t i = 0; i < MOST_CALLS && sums[i].kills != 0; i++) {
        printf(" %s %lu,", sums[i].call, sums[i].kills);
        all += sums[i].kills;
    }
    printf(" in all %lu\n", all);
}

static void
run_operation(void)
{
    struct counts counts = {0};
    int64_t begin = now_ms();

    longest_ms = 0;
    say("begins");
    if (wanted_stride == 0) {
        kill_at_calls(&counts);
        if (kill_has(KILL_ASLEEP))
            kill_asleep(&counts);
    }
    if (!kill_has(KILL_BY_CALL) && trace_knows_instructions())
        kill_at_instructions(&counts);
    printf("%-42s %6lu %6lu %7lu %7lu %7lu %8lld %8.1f\n", kill_current->name,
           counts.calls, counts.asleep, counts.places, counts.killed, counts.missed,
           (long long)longest_ms, (double)(now_ms() - begin) / 1000);
    fflush(stdout);
    add_to_sums(counts.calls + counts.asleep + counts.killed);
}

static void
run_all(const char *only, unsigned *run, unsigned *failed)
{
    printf("%-42s %6s %6s %7s %7s %7s %8s %8s\n", suite->program, "calls", "asleep",
           "places", "killed", "missed", "late ms", "seconds");
    fflush(stdout);
    for (size_t i = 0; i < suite->count; i++) {
        unsigned long before = failures;

        kill_current = &suite->operations[i];
        if (only != NULL && strstr(kill_current->name, only) == NULL)
            continue;
        run_operation();
        ++*run;
        *failed += failures != before;
    }
}

/* What the last of the killed had is orphaned, and goes with a call that comes by. */
static int
is_left_clean(void)
{
    char own[64];

    snprintf(own, sizeof(own), "%s/mmf-%u", kill_dir, (unsigned)geteuid());
    mmf_gc(0, NULL);
    if ((rmdir(own) == 0 || errno == ENOENT) && rmdir(kill_dir) == 0)
        return 1;
    printf("FAILED: something is left in %s\n", own);
    return 0;
}

static void
begin_suite(void)
{
    const struct sigaction action = {.sa_handler = report_where_it_hangs};

    sigaction(SIGALRM, &action, NULL);
    dl_iterate_phdr(find_text, NULL);
    if (text_begin == 0)
        die("libmmf.so is not loaded");
    if (mkdtemp(kill_dir) == NULL)
        die(kill_dir);
    setenv("MMF_DIR", kill_dir, 1);
    if (!trace_knows_instructions())
        printf("SKIPPED: kills at instructions are for x86-64 only\n");
    if (suite->begin != NULL)
        suite->begin();
}

int
kill_main(int argc, char **argv, const struct kill_suite *the_suite)
{
    unsigned run = 0, failed = 0;

    suite = the_suite;
    /* The linker's lazy work disturbs the count of instructions. */
    if (getenv("LD_BIND_NOW") == NULL) {
        setenv("LD_BIND_NOW", "1", 1);
        execv("/proc/self/exe", argv);
    }
    if (argc > 3) {
        wanted_first = strtoul(argv[2], NULL, 10);
        wanted_stride = strtoul(argv[3], NULL, 10);
    }
    if (!trace_possible()) {
        printf("SKIPPED: this process may not trace its children\n"
               "SUITE: 0 passed, 0 failed, 1 skipped\n");
        return EXIT_SUCCESS;
    }
    begin_suite();
    run_all(argc > 1 ? argv[1] : NULL, &run, &failed);
    if (suite->end != NULL)
        suite->end();
    if (!is_left_clean()) {
        run++;
        failed++;
    }
    print_sums();
    printf("SUITE: %u passed, %u failed, 0 skipped\n", run - failed, failed);
    return failed == 0 && run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/*
 * The others.
 */

const char *
kill_find_left(const char *const *known)
{
    static char left[256];

    for (int i = 0; i < 2; i++) {
        const struct dirent *entry;
        char path[64], own[24];
        DIR *d;

        snprintf(own, sizeof(own), "/mmf-%u", (unsigned)geteuid());
        snprintf(path, sizeof(path), "%s%s", kill_dir, i == 0 ? "" : own);
        d = opendir(path);
        left[0] = '\0';
        while (d != NULL && (entry = readdir(d)) != NULL) {
            int is_known = entry->d_type == DT_DIR;

            for (const char *const *name = known; *name != NULL; name++)
                is_known |= strcmp(*name, entry->d_name) == 0;
            if (!is_known)
                snprintf(left, sizeof(left), "%s", entry->d_name);
        }
        if (d != NULL)
            closedir(d);
        if (left[0] != '\0')
            return left;
    }
    return NULL;
}

pid_t
kill_elsewhere(uint32_t role, void (*what)(void), int stays)
{
    int ready[2];
    char byte;
    pid_t pid;

    if (pipe(ready) < 0 || (pid = fork()) < 0)
        die("fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (role != 0)
            suite->open(role);
        if (stays)
            close(ready[1]); /* it cannot say so when it waits */
        what();
        if (!stays && write(ready[1], "r", 1) == 1)
            pause();
        _exit(0);
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) < 0)
        kill_fail("a helper", strerror(errno));
    close(ready[0]);
    if (stays)
        return pid;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return 0;
}

/* What /proc says of it, or "". */
static void
read_proc(pid_t pid, const char *file, char *text, int size)
{
    char path[64];
    FILE *stream;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    stream = fopen(path, "re");
    if (stream == NULL || fgets(text, size, stream) == NULL)
        text[0] = '\0';
    if (stream != NULL)
        fclose(stream);
}

/* A process that is traced may be stopped in such a call. */
int
kill_is_asleep(pid_t pid)
{
    char call[64], status[512];
    const char *state;
    long number;

    read_proc(pid, "syscall", call, sizeof(call));
    read_proc(pid, "stat", status, sizeof(status));
    state = strrchr(status, ')');
    number = call[0] == 'r' || call[0] == '\0' ? -1 : strtol(call, NULL, 10);
    return state != NULL && strncmp(state, ") S", 3) == 0 &&
           (number == SYS_futex || number == SYS_futex_waitv);
}

void
kill_await_sleep(pid_t pid)
{
    int64_t end = now_ms() + SLEEP_MS;

    while (!kill_is_asleep(pid)) {
        if (now_ms() > end) {
            kill_fail("a helper", "it does not sleep");
            return;
        }
        nap_us(100);
    }
}

void
kill_await_end(pid_t pid)
{
    int64_t end = now_ms() + END_MS;
    int status;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (now_ms() > end) {
            kill_fail("a helper", "it waits forever");
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return;
        }
        nap_us(100);
    }
}

struct request {
    int (*what)(int, int);
    int first, second;
};

static int own_socket = -1; /* in a peer */

int
kill_is_asked(int ms)
{
    struct pollfd input = {.fd = own_socket, .events = POLLIN};

    return poll(&input, 1, ms) != 0;
}

_Noreturn static void
be_peer(void)
{
    struct request request;
    ssize_t size;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while ((size = read(own_socket, &request, sizeof(request))) ==
           (ssize_t)sizeof(request)) {
        int answer = request.what(request.first, request.second);

        if (write(own_socket, &answer, sizeof(answer)) != sizeof(answer))
            break;
    }
    _exit(size == 0 ? 0 : 1);
}

void
kill_start_peer(struct kill_peer *peer)
{
    int fd[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
        die("socketpair");
    peer->pid = fork();
    if (peer->pid < 0)
        die("fork");
    if (peer->pid == 0) {
        close(fd[0]);
        own_socket = fd[1];
        be_peer();
    }
    close(fd[1]);
    peer->socket = fd[0];
}

void
kill_stop_peer(struct kill_peer *peer)
{
    close(peer->socket);
    kill(peer->pid, SIGKILL); /* later children have its socket, too */
    waitpid(peer->pid, NULL, 0);
}

void
kill_ask(const struct kill_peer *peer, int (*what)(int, int), int first, int second)
{
    struct request request = {what, first, second};

    if (write(peer->socket, &request, sizeof(request)) != sizeof(request))
        die("a peer is gone");
}

int
kill_hear(const struct kill_peer *peer, int ms)
{
    struct pollfd input = {.fd = peer->socket, .events = POLLIN};
    int answer;

    if (poll(&input, 1, ms) <= 0 ||
        read(peer->socket, &answer, sizeof(answer)) != sizeof(answer))
        return -1;
    return answer;
}

void
kill_do(const struct kill_peer *peer, int (*what)(int, int), int first,
        const char *doing)
{
    kill_ask(peer, what, first, 0);
    if (kill_hear(peer, ANSWER_MS) != 1)
        kill_fail("a peer does not do it", doing);
}
