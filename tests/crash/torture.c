/*
 * torture.c - many processes use a few names while one after the other is killed.
 *
 *     torture [kills]      default 3,000; 100,000 with MMF_TEST_LONG=1
 *     torture --seed N     repeats the choices of the killer and of the workers
 *
 * Workers create, open, write, read and close maps of the same names; the supervisor
 * kills one about every 1.3 ms, at whatever it does, and starts another in its place.
 * In some epochs a third of them is another user, which may only read: their holds are
 * of another kind, and they cannot remove what they leave. What they all did stands in
 * logs that survive them. After each epoch all workers stop, half of them by a kill;
 * then the names must be free, the directory empty after mmf_gc, and the logs must be a
 * history that the promise allows (history.h).
 */
#include "history.h"

#include <harness/check.h>
#include <mmf/mmf.h>

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WORKERS = 24,
    READER = 65534,     /* the other user */
    HANDLES = 3,        /* of one worker at once */
    WORDS = 64,         /* of a map that are looked at at either end */
    LOG_ENTRIES = 8192, /* of one worker in an epoch */
    EPOCH_KILLS = 500
};

static const char *const usual_names[] = {"torture", "Global\\torture \xc3\xa9/2",
                                          "Local\\a third name", "4"};
static const char *const public_names[] = {"Global\\1", "Global\\2", "Global\\3",
                                           "Global\\4"};

/* What supervisor and workers have in common. */
struct shared {
    _Atomic int stop;           /* close everything and leave */
    _Atomic uint64_t torn;      /* maps with bytes that are not theirs */
    _Atomic uint64_t acquired;  /* handles */
    _Atomic uint64_t surprises; /* statuses that must not be */
    char message[1024];         /* of the first one */
    _Atomic uint32_t counts[WORKERS];
    struct history_entry entries[WORKERS][LOG_ENTRIES];
};

struct held {
    mmf_map *map;
    mmf_accessor *view;
    _Atomic uint64_t *words;
    size_t count;
    uint64_t generation;
    uint32_t handle;
    uint16_t name;
};

static struct shared *shared;
static uint64_t seed = 1;
static uint32_t epoch;
static unsigned name_count = 4;
static int sparse;       /* this epoch's names shall often be free */
static int with_readers; /* some workers are another user, which may only read */
static const char *const *names = usual_names;

static uint64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/*
 * Workers.
 */

/* Start an entry; NULL when the log is full. */
static struct history_entry *
log_begin(unsigned worker, unsigned operation, unsigned name, uint32_t handle)
{
    uint32_t n = atomic_load_explicit(&shared->counts[worker], memory_order_relaxed);
    struct history_entry *e = &shared->entries[worker][n];

    if (n == LOG_ENTRIES)
        return NULL;
    memset(e, 0, sizeof(*e));
    e->operation = (uint16_t)operation;
    e->name = (uint16_t)name;
    e->handle = operation == HISTORY_CLOSE ? handle : n;
    e->begin = now_ns();
    atomic_store_explicit(&shared->counts[worker], n + 1, memory_order_release);
    return e;
}

static void
log_end(struct history_entry *e, int status)
{
    uint64_t end = now_ns();

    e->status = status;
    atomic_store_explicit(&e->end, end, memory_order_release);
}

static void
surprise(const char *what)
{
    if (atomic_fetch_add(&shared->surprises, 1) == 0)
        snprintf(shared->message, sizeof(shared->message), "%s: %s", what,
                 mmf_last_message());
}

/* Every word we look at is 0 or the object's generation. */
static void
check_words(const struct held *held, const char *when)
{
    size_t i, n = held->count < WORDS ? held->count : WORDS;

    for (i = 0; i < n; i++) {
        uint64_t front = atomic_load(&held->words[i]);
        uint64_t back = atomic_load(&held->words[held->count - 1 - i]);

        if ((front != 0 && front != held->generation) ||
            (back != 0 && back != held->generation)) {
            if (atomic_fetch_add(&shared->torn, 1) == 0)
                fprintf(stderr, "torture: %s: %s: word %zu is %llx or %llx, not %llx\n",
                        names[held->name], when, i, (unsigned long long)front,
                        (unsigned long long)back, (unsigned long long)held->generation);
            return;
        }
    }
}

/* Inspect the bytes of a map just opened, and put our number where it has none. */
static void
inspect_map(unsigned worker, struct history_entry *e, struct held *held, int read_only,
            uint64_t *random)
{
    mmf_access access = read_only ? MMF_ACCESS_READ : MMF_ACCESS_READ_WRITE;
    uint64_t mine, found = 0;
    intptr_t fd;
    struct stat st;
    void *bytes;
    int64_t capacity;
    size_t size;
    int i;

    if (mmf_map_native_handle(held->map, &fd) == 0 && fstat((int)fd, &st) == 0)
        e->object = st.st_ino;
    if (mmf_map_capacity(held->map, &capacity) == 0)
        e->capacity = capacity;
    if (mmf_accessor_create(held->map, 0, 0, access, NULL, &held->view) < 0) {
        surprise("a view");
        return;
    }
    mmf_accessor_pointer(held->view, &bytes, &size);
    held->words = bytes;
    held->count = size / sizeof(held->words[0]);
    if (read_only) {
        held->generation = atomic_load(&held->words[0]);
    } else {
        mine = history_generation(epoch, worker, e->handle);
        held->generation = mine;
        if (!atomic_compare_exchange_strong(&held->words[0], &found, mine))
            held->generation = found;
    }
    atomic_store_explicit(&e->generation, held->generation, memory_order_release);
    if (held->generation == 0)
        return;
    check_words(held, "opened");
    if (read_only)
        return;
    for (i = 0; i < 4; i++)
        atomic_store(&held->words[next_random(random) % held->count], held->generation);
    atomic_store(&held->words[held->count - 1], held->generation);
}

static void
close_held(unsigned worker, struct held *held, uint64_t *random)
{
    struct history_entry *e;
    uint64_t order = next_random(random) % 4;

    if (held->view != NULL && held->generation == 0) {
        /* A reader that came before the first writer. */
        held->generation = atomic_load(&held->words[0]);
        atomic_store_explicit(&shared->entries[worker][held->handle].generation,
                              held->generation, memory_order_release);
    }
    if (held->view != NULL && held->generation != 0)
        check_words(held, "before close");
    if (order == 0)
        mmf_accessor_close(held->view);
    e = log_begin(worker, HISTORY_CLOSE, held->name, held->handle);
    if (e == NULL)
        _exit(2); /* counted so that it cannot happen */
    mmf_map_close(held->map);
    log_end(e, MMF_OK);
    if (order == 1) {
        /* A lone view: the name is gone, or another's; the bytes are still ours. */
        nap_us((int64_t)(next_random(random) % 200));
        if (held->view != NULL && held->generation != 0)
            check_words(held, "after close");
    }
    if (order != 0)
        mmf_accessor_close(held->view);
    memset(held, 0, sizeof(*held));
}

/* Create or open some name into `held`. 0: the log is full. */
static int
take(unsigned worker, struct held *held, int only_reader, uint64_t *random)
{
    static const int64_t capacities[] = {8, 4096, 10000, 65536, 70000};
    unsigned name = (unsigned)(next_random(random) % name_count);
    int64_t capacity = capacities[next_random(random) % 5];
    unsigned operation = HISTORY_CREATE_NEW + (unsigned)(next_random(random) % 3);
    struct history_entry *e;
    mmf_map_options open_options;
    mmf_map_options options;
    int rc;

    mmf_map_options_init(&options);
    if (with_readers)
        options.mode = 0644;
    mmf_map_options_init(&open_options);
    if (only_reader)
        operation = HISTORY_OPEN_EXISTING;
    if (only_reader || next_random(random) % 4 == 0)
        open_options.rights = MMF_RIGHTS_READ;
    e = log_begin(worker, operation, name, 0);
    if (e == NULL)
        return 0;
    switch (operation) {
    case HISTORY_CREATE_NEW:
        rc = mmf_map_create_new(names[name], capacity, &options, &held->map);
        break;
    case HISTORY_CREATE_OR_OPEN:
        rc = mmf_map_create_or_open(names[name], capacity, &options, NULL, &held->map);
        break;
    default:
        rc = mmf_map_open_existing(names[name], &open_options, &held->map);
        break;
    }
    log_end(e, rc);
    if (rc < 0) {
        if (!(rc == MMF_E_EXISTS && operation == HISTORY_CREATE_NEW) &&
            !(rc == MMF_E_NOT_FOUND && operation == HISTORY_OPEN_EXISTING))
            surprise(names[name]);
        held->map = NULL;
        return 1;
    }
    atomic_fetch_add(&shared->acquired, 1);
    held->name = (uint16_t)name;
    held->handle = e->handle;
    inspect_map(worker, e, held,
                operation == HISTORY_OPEN_EXISTING &&
                    open_options.rights == MMF_RIGHTS_READ,
                random);
    return 1;
}

static _Noreturn void
work(unsigned worker, uint64_t random)
{
    struct held held[HANDLES];
    int only_reader = with_readers && worker % 3 == 2;
    int i;

    memset(held, 0, sizeof(held));
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    errno = 0;
    if (nice(5) == -1 && errno != 0) /* the killer shall not have to wait for us */
        _exit(3);
    if (only_reader &&
        (setgroups(0, NULL) < 0 || setresgid(READER, READER, READER) < 0 ||
         setresuid(READER, READER, READER) < 0))
        _exit(4);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* the change of user has cleared it */
    while (!atomic_load(&shared->stop)) {
        struct held *h = &held[sparse ? 0 : next_random(&random) % HANDLES];

        /* Space for the closes, and for one DEATH of the supervisor's. */
        if (atomic_load(&shared->counts[worker]) + HANDLES + 2 >= LOG_ENTRIES)
            break;
        if (h->map != NULL)
            close_held(worker, h, &random);
        else if (!take(worker, h, only_reader, &random))
            break;
        /* Crowded: whatever we hold. Sparse: long without, seldom with a handle. */
        if (!sparse && next_random(&random) % 4 == 0)
            nap_us((int64_t)(next_random(&random) % 4000));
        else if (sparse && next_random(&random) % (h->map == NULL ? 2 : 16) == 0)
            nap_us((int64_t)(next_random(&random) % (h->map == NULL ? 4000 : 400)));
    }
    for (i = 0; i < HANDLES; i++)
        if (held[i].map != NULL)
            close_held(worker, &held[i], &random);
    _exit(0);
}

/*
 * The supervisor.
 */

struct worker {
    pid_t pid;       /* 0: none */
    uint64_t killed; /* when; 0: not yet */
};

static struct worker workers[WORKERS];
static uint64_t failures;

static void
start_worker(unsigned w, uint64_t *random)
{
    uint64_t its_own = next_random(random);

    workers[w].killed = 0;
    workers[w].pid = fork();
    if (workers[w].pid < 0) {
        perror("torture: fork");
        exit(EXIT_FAILURE);
    }
    if (workers[w].pid == 0)
        work(w, its_own);
}

/* One has ended: say so in its log. */
static void
note_death(pid_t pid, int status)
{
    struct history_entry *e;
    unsigned w;

    for (w = 0; w < WORKERS; w++)
        if (workers[w].pid == pid)
            break;
    if (w == WORKERS)
        return;
    workers[w].pid = 0;
    if (workers[w].killed == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return; /* stopped, everything closed */
    if (!(WIFEXITED(status) && WEXITSTATUS(status) == 0) &&
        !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)) {
        fprintf(stderr, "torture: worker %u ended with wait status %x\n", w,
                (unsigned)status);
        failures++;
    }
    e = log_begin(w, HISTORY_DEATH, 0, 0);
    if (e == NULL) {
        fprintf(stderr, "torture: no space for a death\n");
        exit(EXIT_FAILURE);
    }
    e->begin = workers[w].killed;
    log_end(e, MMF_OK);
}

/* Collect the workers that have ended; wait for one if `all` are to end. */
static void
collect_ended(int wait_for_one)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, wait_for_one ? 0 : WNOHANG)) > 0) {
        note_death(pid, status);
        wait_for_one = 0;
    }
}

static unsigned
living(void)
{
    unsigned w, n = 0;

    for (w = 0; w < WORKERS; w++)
        n += workers[w].pid != 0;
    return n;
}

static void
kill_worker(unsigned w)
{
    if (workers[w].pid == 0 || workers[w].killed != 0)
        return;
    /* To die it needs the processor: it comes first now, if we may say so. */
    setpriority(PRIO_PROCESS, (id_t)workers[w].pid, -10);
    workers[w].killed = now_ns();
    kill(workers[w].pid, SIGKILL);
}

/* A file in the namespace is one too many; counts them below `path`. */
static unsigned
count_files(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    char below[512];
    unsigned n = 0;

    if (dir == NULL)
        return 0;
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR) {
            n += count_files(below);
        } else {
            fprintf(stderr, "torture: left behind: %s\n", below);
            n++;
        }
    }
    closedir(dir);
    return n;
}

static unsigned
count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned n = 0;

    if (dir == NULL)
        return 0;
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

/* All workers have ended: nothing may be in use, and nothing may stay. */
static void
check_nothing_left(const char *dir)
{
    mmf_gc_result collected;
    mmf_list *list;
    mmf_map *map;
    int32_t i;
    unsigned n;

    if (mmf_list_create(MMF_LIST_LOCAL | MMF_LIST_GLOBAL | MMF_LIST_KEEP_ORPHANED,
                        &list) < 0) {
        fprintf(stderr, "torture: list: %s\n", mmf_last_message());
        failures++;
        return;
    }
    for (i = 0; i < mmf_list_count(list); i++) {
        const mmf_object_info *info = mmf_list_get(list, i);

        if (info->status != MMF_OBJECT_ORPHANED) {
            fprintf(stderr, "torture: %s is not orphaned: status %d, %d holders\n",
                    info->name, info->status, info->holders);
            failures++;
        }
    }
    mmf_list_close(list);
    for (n = 0; n < name_count; n++) {
        if (mmf_map_open_existing(names[n], NULL, &map) != MMF_E_NOT_FOUND) {
            fprintf(stderr, "torture: \"%s\" can be opened\n", names[n]);
            failures++;
        }
    }
    if (mmf_gc(0, &collected) < 0 || collected.in_use != 0 || collected.invalid != 0 ||
        collected.refused != 0) {
        fprintf(stderr, "torture: gc: %d in use, %d invalid, %d refused\n",
                collected.in_use, collected.invalid, collected.refused);
        failures++;
    }
    failures += count_files(dir);
}

/* Any worker; half of the times one that is in the middle of a call, if there is one.
 */
static unsigned
choose_victim(unsigned worker_count, uint64_t *random)
{
    unsigned w = (unsigned)(next_random(random) % worker_count);
    unsigned i;

    if (next_random(random) % 2 == 0)
        return w;
    for (i = 0; i < worker_count; i++, w = (w + 1) % worker_count) {
        uint32_t n = atomic_load(&shared->counts[w]);

        if (workers[w].killed == 0 && n > 0 &&
            atomic_load(&shared->entries[w][n - 1].end) == 0)
            return w;
    }
    return w;
}

/* One epoch of at most `kills` kills. Returns how many there were. */
static unsigned
run_epoch(unsigned kills, unsigned worker_count, uint64_t *random)
{
    unsigned killed = 0;
    unsigned w;

    atomic_store(&shared->stop, 0);
    for (w = 0; w < WORKERS; w++)
        atomic_store(&shared->counts[w], 0);
    for (w = 0; w < worker_count; w++)
        start_worker(w, random);
    while (killed < kills) {
        nap_us(800 + (int64_t)(next_random(random) % 1000));
        collect_ended(0);
        for (w = 0; w < worker_count; w++)
            if (atomic_load(&shared->counts[w]) + 2 * HANDLES + 4 >= LOG_ENTRIES)
                break;
        if (w < worker_count)
            break; /* a log is full */
        for (w = 0; w < worker_count; w++)
            if (workers[w].pid == 0)
                start_worker(w, random);
        w = choose_victim(worker_count, random);
        if (workers[w].killed == 0) {
            kill_worker(w);
            killed++;
        }
    }
    for (w = 0; w < worker_count; w += 2) {
        if (workers[w].pid != 0 && workers[w].killed == 0) {
            kill_worker(w);
            killed++;
        }
    }
    atomic_store(&shared->stop, 1);
    while (living() > 0)
        collect_ended(1);
    return killed;
}

static int
parse_arguments(int argc, char **argv, unsigned long *kills)
{
    int i;

    *kills = 3000;
    if (getenv("MMF_TEST_LONG") != NULL && strcmp(getenv("MMF_TEST_LONG"), "1") == 0)
        *kills = 100000;
    else if (HARNESS_ASAN || HARNESS_TSAN)
        *kills = 500;
    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            seed = strtoull(argv[++i], NULL, 10);
        else if (strtoul(argv[i], NULL, 10) > 0)
            *kills = strtoul(argv[i], NULL, 10);
        else
            return -1;
    }
    return 0;
}

int
main(int argc, char **argv)
{
    static const unsigned crews[] = {WORKERS, 16, 12, WORKERS, 6, 4, 8};
    char dir[] = "/dev/shm/mmf-test-XXXXXX";
    char sub[64];
    struct history_log logs[WORKERS];
    struct history_result result;
    unsigned long kills, done = 0;
    unsigned descriptors, w;
    uint64_t begin, random;
    mmf_map *map;

    seed = now_ns();
    if (parse_arguments(argc, argv, &kills) < 0) {
        fprintf(stderr, "usage: torture [kills] [--seed N]\n");
        return EXIT_FAILURE;
    }
    if (mkdtemp(dir) == NULL) {
        perror(dir);
        return EXIT_FAILURE;
    }
    setenv("MMF_DIR", dir, 1);
    chmod(dir, 01777); /* as /dev/shm is */
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("torture: mmap");
        return EXIT_FAILURE;
    }
    memset(&result, 0, sizeof(result));
    for (w = 0; w < WORKERS; w++)
        logs[w].entries = shared->entries[w];
    /* What the library keeps open for good, if anything, is open from here on. */
    if (mmf_map_open_existing(names[0], NULL, &map) != MMF_E_NOT_FOUND) {
        fprintf(stderr, "torture: %s\n", mmf_last_message());
        return EXIT_FAILURE;
    }
    descriptors = count_descriptors();
    random = seed;
    begin = now_ns();
    while (done < kills) {
        unsigned crew = crews[epoch % 7];
        uint64_t violations = result.violations;

        name_count = 2 + epoch % 3;
        sparse = epoch % 2 == 0;
        with_readers = getuid() == 0 && epoch % 3 == 2;
        names = with_readers ? public_names : usual_names;
        done += run_epoch(kills - done < EPOCH_KILLS ? (unsigned)(kills - done)
                                                     : EPOCH_KILLS,
                          crew, &random);
        for (w = 0; w < WORKERS; w++)
            logs[w].count = atomic_load(&shared->counts[w]);
        history_check(logs, WORKERS, epoch, &result);
        check_nothing_left(dir);
        if (violations != result.violations || failures > 0)
            fprintf(stderr, "torture: epoch %u, %u workers, seed %llu\n", epoch, crew,
                    (unsigned long long)seed);
        epoch++;
        if (epoch % 20 == 0)
            fprintf(stderr, "torture: %lu kills, %.0f s\n", done,
                    (double)(now_ns() - begin) / 1e9);
    }
    if (count_descriptors() != descriptors) {
        fprintf(stderr, "torture: %u descriptors, %u before\n", count_descriptors(),
                descriptors);
        failures++;
    }
    if (shared->surprises > 0)
        fprintf(stderr, "torture: %llu statuses that must not be; the first: %s\n",
                (unsigned long long)shared->surprises, shared->message);
    printf("torture: %lu kills in %u epochs, %llu operations, %llu cut off by a kill, "
           "%llu handles, %llu objects, %.1f s, seed %llu\n",
           done, epoch, (unsigned long long)result.operations,
           (unsigned long long)result.unfinished, (unsigned long long)shared->acquired,
           (unsigned long long)result.objects, (double)(now_ns() - begin) / 1e9,
           (unsigned long long)seed);
    printf("torture: %llu history violations, %llu torn objects, %llu names or files "
           "left, %llu wrong statuses\n",
           (unsigned long long)result.violations, (unsigned long long)shared->torn,
           (unsigned long long)failures, (unsigned long long)shared->surprises);
    failures += result.violations + shared->torn + shared->surprises;
    snprintf(sub, sizeof(sub), "%s/mmf-%u", dir, (unsigned)geteuid());
    rmdir(sub);
    rmdir(dir);
    printf("SUITE: %d passed, %d failed, 0 skipped\n", failures == 0, failures != 0);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
