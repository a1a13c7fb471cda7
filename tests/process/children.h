/*
 * children.h - forks of the test that run one of its functions; and what the tests need of
 * the system.
 */
#ifndef MMF_TEST_CHILDREN_H
#define MMF_TEST_CHILDREN_H

#include <harness/forks.h>

#include <sys/resource.h>

struct child {
    pid_t pid;
    int in, out; /* ends of two pipes; the child has its own in its copy */
};

/* Fork; the child runs `run` and exits with 0. Its failed CHECKs end it with 1. */
void child_start(struct child *child, void (*run)(struct child *self, void *argument),
                 void *argument);

/* Both sides: send the other side a byte, receive one; 0 when the other side has
 * ended. */
void child_send(struct child *child, char byte);
char child_hear(struct child *child);

/* Both sides: the next byte must be this one. */
void child_expect(struct child *child, char byte);

/* It must end by itself, with 0. */
void child_finish(struct child *child);

/* SIGKILL, and wait until it is gone. */
void child_kill(struct child *child);

/* It says a byte, which this answers, and ends by itself, with 0. */
char child_answers(void (*run)(struct child *self, void *argument), void *argument);

/* Start one that makes the map `name` of 100 bytes, and keeps it. */
void child_holds(struct child *child, char *name);

/* A test that runs in a child: TEST_IN_CHILD(name, need_mounts) { ... }. */
#define TEST_IN_CHILD(test, prepare)                                                   \
    static void test##_in_child(void *argument);                                       \
    TEST_WITH(test, prepare)                                                           \
    {                                                                                  \
        in_child(test##_in_child, NULL);                                               \
    }                                                                                  \
    static void test##_in_child(void *argument __attribute__((unused)))

/*
 * Things that need privileges. Each answers 1 if it can be done here; tried in a child.
 */
int may_mount(void);
int may_change_user(void);

/* To prepare a test, see TEST_WITH: skips it without mounts of its own. */
int need_mounts(void **state);

/* In a child: leave the others' mounts alone from now on. */
void make_mounts_private(void);

/* The same, and MMF_DIR is on a tmpfs with these options; how many blocks it has free. */
void mount_small(const char *options);
uint64_t free_blocks(void);

/* In a child: this limit of its own, RLIMIT_..., is the lower one, and the upper one too. */
void set_limit(int resource, rlim_t value);
void set_hard_limit(int resource, rlim_t value);

/* In a child: all descriptors are taken but `spare`. */
void take_descriptors(int spare);

/* In a child: be this user, without groups and capabilities. */
void become_user(uid_t user);

/* The last failure's message has `part` in it. */
void check_says(const char *part);

/* Milliseconds on the monotonic clock. */
#define now_ms() (now_us() / 1000)

/* The path of the one object of this test's namespace. */
const char *only_file(void);

/* Files in the namespace, of all users; the last one's path goes to `path`. */
int count_files(char *path, size_t size);

#endif
