/*
 * check.h - what every test program of mmf is made of, on top of cmocka.
 *
 * A test program is its TESTs: each is registered where it stands, and main() is the
 * harness's own. Each test runs in a namespace of its own (MMF_DIR is a fresh directory) and fails if it leaves an
 * open descriptor, a mapping or a file behind. Tests of several processes start their
 * own program again in a role (process_start) and talk to it by lines over pipes; no
 * wait is without a deadline.
 *
 * The CHECK macros may be used in tests, in roles, in threads and in forked children:
 * outside the test's own thread a failed check ends that process. cmocka's assert_...
 * are for the test's own thread only.
 */
#ifndef MMF_TESTS_HARNESS_CHECK_H
#define MMF_TESTS_HARNESS_CHECK_H

#ifndef MMF_PRINTF
#define MMF_PRINTF printf /* a build for Windows says which of two */
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include <mmf/mmf.h>

#include "harness/clock.h"
#include "harness/options.h"

/*
 * Checks.
 */

/* The call is done: status >= 0. */
#define CHECK_OK(call) check_ok((call), #call, __FILE__, __LINE__)

/* The call answers exactly `status`, which is not negative. */
#define CHECK_STATUS(call, status)                                                     \
    check_status((call), (status), #call, __FILE__, __LINE__)

/*
 * The call fails with `status`, and this very call, not one before it, has left an
 * error that says so: the same status and a message of one line.
 */
#define CHECK_FAILS(call, status)                                                      \
    do {                                                                               \
        check_stale_error(status);                                                     \
        check_fails((call), (status), NULL, #call, __FILE__, __LINE__);                \
    } while (0)

/* The same, and the error names `parameter` ("capacity"; "" for none). */
#define CHECK_FAILS_PARAM(call, status, parameter)                                     \
    do {                                                                               \
        check_stale_error(status);                                                     \
        check_fails((call), (status), (parameter), #call, __FILE__, __LINE__);         \
    } while (0)

/* `condition` holds. */
#define CHECK(condition) check_true((condition) ? 1 : 0, #condition, __FILE__, __LINE__)

/* Two integers, two strings, `size` bytes in memory are equal. */
#define CHECK_INT(actual, expected)                                                    \
    check_int((int64_t)(actual), (int64_t)(expected), #actual, __FILE__, __LINE__)
#define CHECK_TEXT(actual, expected)                                                   \
    check_text((actual), (expected), #actual, __FILE__, __LINE__)
#define CHECK_BYTES(actual, expected, size)                                            \
    check_bytes((actual), (expected), (size_t)(size), #actual, __FILE__, __LINE__)

/* Fail here, with a reason. */
#define CHECK_FAIL(...) check_fail(__FILE__, __LINE__, __VA_ARGS__)

/*
 * Say which row of a matrix is at work: the next failure of this thread prints it. It
 * holds until the next one, or the end of the test.
 */
#define CHECK_CONTEXT(...) check_context(__VA_ARGS__)

void check_context(const char *format, ...) __attribute__((format(MMF_PRINTF, 1, 2)));
void check_ok(int rc, const char *call, const char *file, int line);
void check_status(int rc, int status, const char *call, const char *file, int line);
void check_stale_error(int status);
void check_fails(int rc, int status, const char *parameter, const char *call,
                 const char *file, int line);
void check_true(int holds, const char *condition, const char *file, int line);
void check_int(int64_t actual, int64_t expected, const char *what, const char *file,
               int line);
void check_text(const char *actual, const char *expected, const char *what,
                const char *file, int line);
void check_bytes(const void *actual, const void *expected, size_t size,
                 const char *what, const char *file, int line);
_Noreturn void check_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(MMF_PRINTF, 3, 4)));

/*
 * Small things.
 */

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* An output's value before the call; a failing call must leave it alone. */
#define UNTOUCHED ((void *)(uintptr_t)0x5a5a5a5au)

/* A wait that must end long before: no bug may hang a test. */
#define LONG_MS 120000

/* A descriptor is readable, within that time. Where there are descriptors to poll. */
int is_readable(int fd, int timeout_ms);

/* Random numbers from a seed that the test prints. */
uint64_t next_random(uint64_t *state);

/*
 * Leaks.
 */

/* What this process uses now; the harness's own pipes are not counted. */
struct usage {
    long descriptors; /* open descriptors */
    long mappings;    /* mappings of files below MMF_DIR and of mmf's memfds */
    long files;       /* files below MMF_DIR; directories are not counted */
};

void usage_take(struct usage *usage);

/* Fails, and lists what there is, unless the usage is that of `before`. */
#define usage_check_same(before) check_usage((before), __FILE__, __LINE__)
void check_usage(const struct usage *before, const char *file, int line);

/*
 * The program.
 */

/*
 * A test: TEST(name) { ... }. Tests run in the order of the file. TEST_WITH has `prepare`
 * called before it, as cmocka's set-up functions are.
 */
#define TEST(name) TEST_WITH(name, NULL)
#define TEST_WITH(test, prepare)                                                       \
    static void test(void **state);                                                    \
    __attribute__((constructor)) static void register_##test(void)                     \
    {                                                                                  \
        harness_add_test((struct CMUnitTest){                                          \
            .name = #test, .test_func = test, .setup_func = prepare});                 \
    }                                                                                  \
    static void test(void **state __attribute__((unused)))

/*
 * Another thing this program can be, see struct role: ROLE(name) { ... } is its main, with
 * argc and argv; argv[0] is the role's name. The other one does not return: it is killed.
 */
#define ROLE(role) ROLE_WITH(role, )
#define ROLE_UNTIL_KILLED(role) ROLE_WITH(role, _Noreturn)
#define ROLE_WITH(role, returns)                                                       \
    returns static int run_as_##role(int argc, char **argv);                           \
    __attribute__((constructor)) static void register_##role(void)                     \
    {                                                                                  \
        harness_add_role(#role, run_as_##role);                                        \
    }                                                                                  \
    static int run_as_##role(int argc __attribute__((unused)),                         \
                             char **argv __attribute__((unused)))

void harness_add_test(struct CMUnitTest test);
void harness_add_role(const char *name, int (*run)(int argc, char **argv));

/* Another thing this program can be: --role NAME. argv[0] is the role's name. */
struct role {
    const char *name;
    int (*run)(int argc, char **argv);
};

/*
 * Run the tests, or with `--role NAME args...` a role (`roles` ends with a NULL name
 * and may be NULL); without `tests`, those that are registered. main() does that, unless
 * the program has its own. `--only PATTERN` runs the tests whose name has PATTERN in it, or
 * matches it if it has * or ? in it; `--list` prints the names. The last line of the
 * output is "SUITE: N passed, M failed, K skipped". Returns the exit status.
 *
 * Before each test MMF_DIR becomes a fresh directory below /dev/shm. After it nothing
 * may be left: no file in the namespace, no descriptor, no mapping, no started process
 * that was neither finished nor killed. A test that kills processes or calls
 * harness_expect_dead may leave orphaned objects; they must go with mmf_gc.
 */
int harness_main(int argc, char **argv, const char *suite,
                 const struct CMUnitTest *tests, size_t n, const struct role *roles);

/* The test's MMF_DIR. */
const char *harness_dir(void);

/* This test leaves orphaned objects on purpose, by other ways than process_kill. */
void harness_expect_dead(void);

/* This test does not reach the end here; says why. Does not return. */
_Noreturn void harness_skip(const char *format, ...)
    __attribute__((format(MMF_PRINTF, 1, 2)));

/*
 * What a system has or has not. need_... skips the test where it has not, and says why;
 * so it is called before the test has made anything.
 */
void need_fork(void); /* and so handles can be dead */
void need_other_users(void);
void need_modes(void); /* permission bits */

/*
 * The kernel has the names. They must be UTF-8, its own words stand among them (Local,
 * Global and Session are taken), and other programs' names are listed, too.
 */
int kernel_has_names(void);
size_t longest_name(void);

/* Full counts are wanted: MMF_TEST_LONG=1. */
int harness_long(void);

/* How long anything may take, in milliseconds: 120 s, or MMF_TEST_DEADLINE_MS. */
int harness_deadline_ms(void);

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HARNESS_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define HARNESS_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HARNESS_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define HARNESS_TSAN 1
#endif
#ifndef HARNESS_ASAN
#define HARNESS_ASAN 0
#endif
#ifndef HARNESS_TSAN
#define HARNESS_TSAN 0
#endif

/*
 * Processes.
 */

struct process;

/*
 * Start this program again as `role` with `args` (NULL-ended, may be NULL). Its
 * standard input and output are pipes to us; it dies if the thread that started it
 * ends. Never NULL: what cannot be started fails the test.
 */
struct process *process_start(const char *role, const char *const *args);

/* The same, with the words of `format` as arguments (" ": none); and it has said "ready". */
struct process *process_ready(const char *role, const char *format, ...)
    __attribute__((format(MMF_PRINTF, 2, 3)));

/* Wait until the process says exactly `line`; anything else fails the test. */
void process_expect(struct process *process, const char *line);

/* The next line it says, without its end, in `buf`; NULL when it has closed its end. */
char *process_read_line(struct process *process, char *buf, size_t size);

/* Send it a line. */
void process_send(struct process *process, const char *line);

/*
 * SIGKILL, and wait until it is gone: its descriptors are closed then. Lines it had
 * said can still be read. process_finish may follow, and need not.
 */
void process_kill(struct process *process);

/*
 * Close its standard input, wait until it ends, free it. Its exit status, or 128 + the
 * signal that ended it.
 */
int process_finish(struct process *process);

/* 1 if it has ended; it must be finished or killed nevertheless. */
int process_has_ended(const struct process *process);

/* Let it go on that was stopped, as by a debugger. */
void process_continue(struct process *process);

pid_t process_id(const struct process *process);

/* For roles: say a line to the test; the next line from it, 0 at end of input. */
void role_say(const char *format, ...) __attribute__((format(MMF_PRINTF, 1, 2)));
int role_hear(char *buf, size_t size);

#endif
