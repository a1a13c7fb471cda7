/*
 * actor.h - other processes that do what the test says.
 *
 * An actor is this program started again; it holds up to ten maps and their views in
 * numbered places and answers each command with one line. A child is a fork of the test
 * that runs one of its functions.
 */
#ifndef MMF_TEST_ACTOR_H
#define MMF_TEST_ACTOR_H

#include <harness/check.h>

/* The role, for the array that harness_main gets: {"actor", actor_role}. */
int actor_role(int argc, char **argv);

/* Start one. End it with actor_end, or with process_kill and process_finish. */
struct process *actor_start(void);

/* Close its input; it closes what it has open and exits with 0. */
void actor_end(struct process *actor);

/*
 * Say a command; it must answer MMF_OK, or fail with `status` and a message that has
 * `part` in it. The commands, where M is the place's digit:
 *
 *   create M CAPACITY NAME     mmf_map_create_new
 *   inheritable M CAPACITY NAME   the same, inheritable
 *   public M MODE CAPACITY NAME   the same with mode bits (octal)
 *   either M CAPACITY NAME     mmf_map_create_or_open
 *   open M NAME                mmf_map_open_existing
 *   reader M NAME              the same with MMF_RIGHTS_READ
 *   file M NAME PATH           mmf_map_create_from_file, open; NAME without blanks
 *   view M, read-view M        a view of it all
 *   close M, close-view M
 *   gc                         mmf_gc
 *   user UID                   become that user
 *   statx ERRNO                from now on the system refuses statx with that
 */
void actor_does(struct process *actor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void actor_fails(struct process *actor, int status, const char *part,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * Say a command and get the answer's text, which must begin with "MMF_OK ". Borrowed
 * until the next call.
 *
 *   read M OFFSET LENGTH       the bytes as they are
 *   write M OFFSET TEXT        (answers nothing)
 *   zero M                     "yes" if all bytes of the view are 0, else "no"
 *   capacity M, handle M       a number
 */
const char *actor_says(struct process *actor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Children.
 */
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

/* Start and finish. */
void in_child(void (*run)(struct child *self, void *argument), void *argument);

/*
 * Things that need privileges. Each answers 1 if it can be done here; tried in a child.
 */
int may_mount(void);
int may_change_user(void);

/* In a child: leave the others' mounts alone from now on. */
void make_mounts_private(void);

/* In a child: be this user, without groups and capabilities. */
void become_user(uid_t user);

/* Milliseconds on the monotonic clock. */
int64_t now_ms(void);

/* The path of the one object of this test's namespace. */
const char *only_file(void);

/* Files in the namespace, of all users; the last one's path goes to `path`. */
int count_files(char *path, size_t size);

#endif
