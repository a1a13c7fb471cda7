/*
 * names_test.c - what several processes see of one name, contract 3.5 and 3.8, as far as
 * tests/scenarios/process.scn cannot say it: memory and races.
 */
#include "children.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* No process, not even one that inherited the descriptor, can truncate an unnamed
 * map. */
TEST(an_unnamed_map_is_sealed_memory)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    mmf_map *map;
    intptr_t handle;
    struct stat st;

    CHECK_OK(mmf_map_create_new(NULL, 10000, NULL, &map));
    CHECK_OK(mmf_map_native_handle(map, &handle));
    /* Newer kernels add one against execution. */
    CHECK_INT(fcntl((int)handle, F_GET_SEALS) & seals, seals);
    CHECK(ftruncate((int)handle, 0) < 0 && errno == EPERM);
    CHECK(ftruncate((int)handle, 20000) < 0 && errno == EPERM);
    CHECK(fstat((int)handle, &st) == 0);
    CHECK_INT(st.st_size, 10000);
    CHECK_INT(count_files(NULL, 0), 0);
    mmf_map_close(map);
}

/*
 * Races: processes that meet at a barrier in shared memory, round after round.
 */

enum { RACERS = 6, ROUNDS = 300 };

struct race {
    pthread_barrier_t barrier;
    int create_new;
    _Atomic int created; /* by create_new, this round */
    struct {
        int status;
        int64_t capacity;
        int64_t first; /* what the racer found at the counter: 0 for the first one */
        uint64_t object;
    } seen[RACERS];
};

static struct race *race;

static void
wait_for_others(void)
{
    pthread_barrier_wait(&race->barrier);
}

/* One racer's round; each asks for another capacity. */
static void
run_round(int me)
{
    mmf_map *map = NULL;
    mmf_accessor *view;
    _Atomic int64_t *counter;
    struct stat st;
    intptr_t fd;
    void *bytes;
    size_t size;
    int rc;

    wait_for_others();
    rc = race->create_new ? mmf_map_create_new("race", 4096 + me, NULL, &map)
                          : mmf_map_create_or_open("race", 4096 + me, NULL, NULL, &map);
    race->seen[me].status = rc;
    if (rc == MMF_OK) {
        CHECK_OK(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view));
        CHECK_OK(mmf_accessor_pointer(view, &bytes, &size));
        counter = bytes;
        race->seen[me].first = atomic_fetch_add(counter, 1);
        race->seen[me].capacity = (int64_t)size;
        CHECK_OK(mmf_map_native_handle(map, &fd));
        CHECK(fstat((int)fd, &st) == 0);
        race->seen[me].object = st.st_ino;
        wait_for_others(); /* all have it open */
        CHECK_INT(atomic_load(counter), race->create_new ? 1 : RACERS);
        mmf_accessor_close(view);
    } else {
        wait_for_others();
    }
    wait_for_others(); /* all have looked */
    mmf_map_close(map);
    wait_for_others(); /* all have closed */
}

static void
check_round(int round)
{
    mmf_map *map;
    int firsts = 0, done = 0;
    int i;

    for (i = 0; i < RACERS; i++) {
        if (race->seen[i].status == MMF_OK) {
            done++;
            firsts += race->seen[i].first == 0;
            CHECK_INT(race->seen[i].capacity,
                      race->create_new ? 4096 + i : race->seen[0].capacity);
            if (!race->create_new && race->seen[i].object != race->seen[0].object)
                CHECK_FAIL("round %d: racer %d has another object", round, i);
        } else if (!race->create_new || race->seen[i].status != MMF_E_EXISTS) {
            CHECK_FAIL("round %d: racer %d: %s", round, i,
                       mmf_status_name(race->seen[i].status));
        }
    }
    CHECK_INT(firsts, 1);
    CHECK_INT(done, race->create_new ? 1 : RACERS);
    CHECK_FAILS(mmf_map_open_existing("race", NULL, &map), MMF_E_NOT_FOUND);
}

static void
racer(struct child *self, void *argument)
{
    int me = *(int *)argument;
    int i;

    (void)self;
    for (i = 0; i < ROUNDS; i++) {
        run_round(me);
        if (me == 0)
            check_round(i);
    }
}

static void
run_race(int create_new)
{
    struct child children[RACERS];
    pthread_barrierattr_t attributes;
    int i;

    race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                -1, 0);
    CHECK(race != MAP_FAILED);
    race->create_new = create_new;
    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    CHECK(pthread_barrier_init(&race->barrier, &attributes, RACERS) == 0);
    pthread_barrierattr_destroy(&attributes);
    for (i = 0; i < RACERS; i++)
        child_start(&children[i], racer, &i);
    for (i = 0; i < RACERS; i++)
        child_finish(&children[i]);
    munmap(race, sizeof(*race));
}

TEST(racing_create_or_open_makes_one_object)
{
    run_race(0);
}

TEST(racing_create_new_has_one_winner)
{
    run_race(1);
}
