/*
 * mutex_counter.c - a counter in shared memory that only the owner of a mutex changes.
 *
 * Start it in two terminals. Each process takes the mutex, adds one to the counter and
 * releases the mutex at the next line of its input; another line makes it take the mutex
 * again, and the end of its input ends it. While one process owns the mutex, the other
 * one waits. Kill the owner (kill -9): the other one gets the mutex at once, with
 * MMF_ABANDONED.
 */
#include <mmf/mmf.h>

#include <stdint.h>
#include <stdio.h>

/* 0 at the end of the input. */
static int
read_a_line(void)
{
    int c;

    do {
        c = getchar();
    } while (c != '\n' && c != EOF);
    return c == '\n';
}

static void
say(const char *what)
{
    puts(what);
    fflush(stdout);
}

/* The caller owns the mutex. */
static int
add_one(mmf_accessor *view)
{
    int64_t count;
    int rc = mmf_accessor_read_int64(view, 0, &count);

    if (rc >= 0)
        rc = mmf_accessor_write_int64(view, 0, count + 1);
    if (rc >= 0) {
        printf("I own the mutex. The counter was %lld and is %lld now.\n",
               (long long)count, (long long)count + 1);
        fflush(stdout);
    }
    return rc;
}

/*
 * Take the mutex, count, release it at the next line. `*goes_on` is 0 when the input
 * ends.
 *
 * An owner that died may have left its work half done, and the next owner must repair
 * it. Here there is nothing to repair: a single write changes the counter.
 */
static int
take_a_turn(mmf_mutex *mutex, mmf_accessor *view, int *goes_on)
{
    int rc;

    say("I wait for the mutex.");
    rc = mmf_mutex_wait(mutex, MMF_INFINITE);
    if (rc < 0)
        return rc;
    if (rc == MMF_ABANDONED)
        say("The mutex was abandoned: its owner died. I go on.");
    rc = add_one(view);
    *goes_on = read_a_line();
    mmf_mutex_release(mutex);
    return rc;
}

int
main(void)
{
    mmf_map *map = NULL;
    mmf_accessor *view = NULL;
    mmf_mutex *mutex = NULL;
    int goes_on = 1;
    int rc;

    rc = mmf_map_create_or_open("Counter", sizeof(int64_t), NULL, NULL, &map);
    if (rc >= 0)
        rc = mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view);
    if (rc >= 0)
        rc = mmf_mutex_create_or_open("Counter mutex", 0, NULL, NULL, &mutex);

    while (rc >= 0 && goes_on) {
        rc = take_a_turn(mutex, view, &goes_on);
        if (rc >= 0 && goes_on) {
            say("I released the mutex.");
            goes_on = read_a_line();
        }
    }
    if (rc < 0)
        fprintf(stderr, "mutex_counter: %s\n", mmf_last_message());
    mmf_mutex_close(mutex);
    mmf_accessor_close(view);
    mmf_map_close(map);
    return rc >= 0 ? 0 : 1;
}
