/*
 * maps.c - what a named map costs, beside the system calls that one writes by hand:
 * shm_open, posix_fallocate, mmap and their opposites. Those give no name that
 * goes with its last user; the difference is the price of that.
 *
 *     bench_maps [FILE]      FILE gets the figures, default maps.json
 */
#include <mmf/mmf.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "maps/boost.h"

/* Names in /dev/shm beside the namespace; another run has others. */
static char raw_name[64];
static char boost_name[64];
static char directory[] = "/dev/shm/mmf-bench-XXXXXX";

/*
 * A map is created, viewed once and closed.
 */

static void
create_mmf(void *context, int times)
{
    const int64_t *capacity = context;
    mmf_accessor *view;
    mmf_map *map;

    while (times-- > 0) {
        bench_mmf(mmf_map_create_new("bench", *capacity, NULL, &map), "create");
        bench_mmf(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view),
                  "view");
        mmf_accessor_close(view);
        mmf_map_close(map);
    }
}

static void
reserve(int fd, int64_t capacity)
{
    errno = posix_fallocate(fd, 0, capacity);
    bench_system(errno == 0 ? 0 : -1, "posix_fallocate");
}

static void
create_raw(void *context, int times)
{
    const int64_t *capacity = context;
    void *bytes;
    int fd;

    while (times-- > 0) {
        fd = (int)bench_system(shm_open(raw_name, O_RDWR | O_CREAT | O_EXCL, 0600),
                               "shm_open");
        reserve(fd, *capacity);
        bytes =
            mmap(NULL, (size_t)*capacity, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        bench_system(bytes == MAP_FAILED ? -1 : 0, "mmap");
        munmap(bytes, (size_t)*capacity);
        close(fd);
        bench_system(shm_unlink(raw_name), "shm_unlink");
    }
}

static void
create_boost(void *context, int times)
{
    const int64_t *capacity = context;

    while (times-- > 0)
        bench_system(boost_create_map_remove(boost_name, *capacity), "boost");
}

static void
compare_creating(void)
{
    static const struct {
        const char *title;
        int64_t capacity;
    } sizes[] = {
        {"create + view + close, 4 KiB", 4096},
        {"create + view + close, 10,000 B", 10000},
        {"create + view + close, 64 KiB", 65536},
        {"create + view + close, 1 MiB", 1048576},
    };
    static const struct bench_plan plan = {400, 10, 1};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        int64_t capacity = sizes[i].capacity;
        const struct bench_way ways[] = {
            {"raw shm_open(O_EXCL)...shm_unlink", create_raw, NULL, &capacity},
            {"mmf", create_mmf, NULL, &capacity},
            {"Boost.Interprocess", create_boost, NULL, &capacity},
        };

        bench_compare(sizes[i].title, ways, 2 + boost_is_here(), &plan);
    }
}

/*
 * A map of another process is opened, viewed and closed.
 */

static void
hold_all_three(void *context)
{
    static mmf_map *map;
    int fd;

    (void)context;
    bench_mmf(mmf_map_create_new("bench", 10000, NULL, &map), "create");
    fd = (int)bench_system(shm_open(raw_name, O_RDWR | O_CREAT | O_EXCL, 0600),
                           "shm_open");
    reserve(fd, 10000);
    if (boost_is_here())
        bench_system(boost_create(boost_name, 10000), "boost");
}

static void
open_mmf(void *context, int times)
{
    const char *name = context;
    mmf_accessor *view;
    mmf_map *map;

    while (times-- > 0) {
        bench_mmf(mmf_map_open_existing(name, NULL, &map), "open");
        bench_mmf(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view),
                  "view");
        mmf_accessor_close(view);
        mmf_map_close(map);
    }
}

static void
open_raw(void *context, int times)
{
    struct stat status;
    void *bytes;
    int fd;

    (void)context;
    while (times-- > 0) {
        fd = (int)bench_system(shm_open(raw_name, O_RDWR, 0), "shm_open");
        bench_system(fstat(fd, &status), "fstat");
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
                     fd, 0);
        bench_system(bytes == MAP_FAILED ? -1 : 0, "mmap");
        munmap(bytes, (size_t)status.st_size);
        close(fd);
    }
}

static void
open_boost(void *context, int times)
{
    (void)context;
    while (times-- > 0)
        bench_system(boost_open_map_close(boost_name), "boost");
}

static void
compare_opening(void)
{
    static const struct bench_plan plan = {1000, 10, 1};
    char name[] = "bench";
    const struct bench_way ways[] = {
        {"raw shm_open + fstat ... close", open_raw, NULL, NULL},
        {"mmf", open_mmf, NULL, name},
        {"Boost.Interprocess", open_boost, NULL, NULL},
    };
    struct bench_holders *holder = bench_hold(1, hold_all_three, NULL);

    bench_compare("open + view + close, 10,000 B", ways, 2 + boost_is_here(), &plan);
    bench_release(holder);
    shm_unlink(raw_name);
    if (boost_is_here())
        boost_remove(boost_name);
}

/*
 * Reading and writing through an accessor, next to its own pointer: the same bytes.
 */

struct window {
    mmf_map *map;
    mmf_accessor *view;
    char *bytes;
    char *array;
    int64_t size;
};

static void
open_window(struct window *window, int64_t size)
{
    void *bytes;

    window->size = size;
    bench_mmf(mmf_map_create_new("bench", size, NULL, &window->map), "create");
    bench_mmf(mmf_accessor_create(window->map, 0, 0, MMF_ACCESS_READ_WRITE, NULL,
                                  &window->view),
              "view");
    bench_mmf(mmf_accessor_pointer(window->view, &bytes, NULL), "pointer");
    window->bytes = bytes;
    window->array = malloc((size_t)size);
    if (window->array == NULL)
        bench_die("bench: no memory");
    memset(window->array, 1, (size_t)size);
    memset(window->bytes, 2, (size_t)size);
}

static void
close_window(struct window *window)
{
    free(window->array);
    mmf_accessor_close(window->view);
    mmf_map_close(window->map);
}

/* Both walk over the first 4 KiB, so that neither waits for memory. */
static void
read_int32_mmf(void *context, int times)
{
    const struct window *window = context;
    int32_t value = 0;

    for (int i = 0; i < times; i++) {
        mmf_accessor_read_int32(window->view, (int64_t)(i & 1023) * 4, &value);
        BENCH_USED(value);
    }
}

static void
read_int32_direct(void *context, int times)
{
    const struct window *window = context;
    int32_t value;

    for (int i = 0; i < times; i++) {
        memcpy(&value, window->bytes + (size_t)(i & 1023) * 4, 4);
        BENCH_USED(value);
    }
}

static void
write_int32_mmf(void *context, int times)
{
    const struct window *window = context;

    for (int i = 0; i < times; i++) {
        mmf_accessor_write_int32(window->view, (int64_t)(i & 1023) * 4, i);
        BENCH_USED(i);
    }
}

static void
write_int32_direct(void *context, int times)
{
    const struct window *window = context;

    for (int i = 0; i < times; i++) {
        memcpy(window->bytes + (size_t)(i & 1023) * 4, &i, 4);
        BENCH_USED(i);
    }
}

static void
compare_single_values(void)
{
    static const struct bench_plan plan = {1000, 4, 10000};
    struct window window;
    const struct bench_way reads[] = {
        {"direct load", read_int32_direct, NULL, &window},
        {"mmf_accessor_read_int32", read_int32_mmf, NULL, &window},
    };
    const struct bench_way writes[] = {
        {"direct store", write_int32_direct, NULL, &window},
        {"mmf_accessor_write_int32", write_int32_mmf, NULL, &window},
    };

    open_window(&window, 65536);
    bench_compare("read an int32", reads, 2, &plan);
    bench_compare("write an int32", writes, 2, &plan);
    close_window(&window);
}

static void
write_array_mmf(void *context, int times)
{
    const struct window *window = context;

    while (times-- > 0)
        mmf_accessor_write_array(window->view, 0, window->array, 1,
                                 (size_t)window->size);
}

static void
write_array_memcpy(void *context, int times)
{
    const struct window *window = context;

    while (times-- > 0) {
        memcpy(window->bytes, window->array, (size_t)window->size);
        BENCH_USED(window->bytes);
    }
}

static void
read_array_mmf(void *context, int times)
{
    const struct window *window = context;
    size_t read;

    while (times-- > 0)
        mmf_accessor_read_array(window->view, 0, window->array, 1, (size_t)window->size,
                                &read);
}

static void
read_array_memcpy(void *context, int times)
{
    const struct window *window = context;

    while (times-- > 0) {
        memcpy(window->array, window->bytes, (size_t)window->size);
        BENCH_USED(window->array);
    }
}

static void
compare_arrays(void)
{
    static const struct {
        const char *writing;
        const char *reading;
        int64_t size;
        struct bench_plan plan;
    } sizes[] = {
        {"write_array, 64 KiB", "read_array, 64 KiB", 65536, {1000, 4, 10}},
        {"write_array, 1 MiB", "read_array, 1 MiB", 1048576, {1000, 4, 1}},
    };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct window window;
        const struct bench_way writes[] = {
            {"memcpy", write_array_memcpy, NULL, &window},
            {"mmf", write_array_mmf, NULL, &window},
        };
        const struct bench_way reads[] = {
            {"memcpy", read_array_memcpy, NULL, &window},
            {"mmf", read_array_mmf, NULL, &window},
        };

        open_window(&window, sizes[i].size);
        bench_compare(sizes[i].writing, writes, 2, &sizes[i].plan);
        bench_compare(sizes[i].reading, reads, 2, &sizes[i].plan);
        close_window(&window);
    }
}

/*
 * Namespaces with few and with many names in use, each in its own directory.
 */

struct crowd {
    char directory[128];
    int names; /* for each holder process */
};

static void
raise_descriptor_limit(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void
hold_names(void *context)
{
    const struct crowd *crowd = context;
    char name[64];
    mmf_map *map;

    raise_descriptor_limit();
    setenv("MMF_DIR", crowd->directory, 1);
    for (int i = 0; i < crowd->names; i++) {
        snprintf(name, sizeof(name), "live-%d-%d", (int)getpid(), i);
        bench_mmf(mmf_map_create_new(name, 1, NULL, &map), "create one of many");
    }
}

static void
create_open_close(void *context, int times)
{
    mmf_map *made, *opened;

    (void)context;
    while (times-- > 0) {
        bench_mmf(mmf_map_create_new("bench", 4096, NULL, &made), "create");
        bench_mmf(mmf_map_open_existing("bench", NULL, &opened), "open");
        mmf_map_close(opened);
        mmf_map_close(made);
    }
}

/* The first call in another directory checks it; that is not measured. */
static void
move_to_crowd(void *context)
{
    const struct crowd *crowd = context;

    setenv("MMF_DIR", crowd->directory, 1);
    create_open_close(NULL, 1);
}

static void
compare_crowds(void)
{
    enum { COUNT = 3, HOLDERS = 4 };
    static const char *const titles[COUNT] = {"1 live name", "100 live names",
                                              "10,000 live names"};
    static const int names[COUNT] = {1, 100, 10000};
    static const struct bench_plan plan = {400, 10, 1};
    struct crowd crowds[COUNT];
    struct bench_holders *holders[COUNT];
    struct bench_way ways[COUNT];

    for (int i = 0; i < COUNT; i++) {
        int processes = names[i] < HOLDERS ? 1 : HOLDERS;

        snprintf(crowds[i].directory, sizeof(crowds[i].directory), "%s/%d", directory,
                 names[i]);
        bench_system(mkdir(crowds[i].directory, 0700), "mkdir");
        crowds[i].names = names[i] / processes;
        ways[i] =
            (struct bench_way){titles[i], create_open_close, move_to_crowd, &crowds[i]};
        holders[i] = bench_hold(processes, hold_names, &crowds[i]);
    }
    bench_compare("create + open + close among", ways, COUNT, &plan);
    for (int i = COUNT; i-- > 0;)
        bench_release(holders[i]);
    setenv("MMF_DIR", directory, 1);
}

/*
 * Names that few and many processes hold.
 */

static void
hold_one_name(void *context)
{
    mmf_map *map;

    bench_mmf(mmf_map_create_or_open(context, 4096, NULL, NULL, &map), "hold");
}

static void
open_close(void *context, int times)
{
    const char *name = context;
    mmf_map *map;

    while (times-- > 0) {
        bench_mmf(mmf_map_open_existing(name, NULL, &map), "open");
        mmf_map_close(map);
    }
}

static void
compare_holders(void)
{
    enum { COUNT = 3 };
    static const char *const titles[COUNT] = {"1 process", "100 processes",
                                              "1,000 processes"};
    static char names[COUNT][16] = {"held-1", "held-100", "held-1000"};
    static const int processes[COUNT] = {1, 100, 1000};
    static const struct bench_plan plan = {500, 10, 1};
    struct bench_holders *holders[COUNT];
    struct bench_way closing[COUNT], viewing[COUNT];

    for (int i = 0; i < COUNT; i++) {
        closing[i] = (struct bench_way){titles[i], open_close, NULL, names[i]};
        viewing[i] = (struct bench_way){titles[i], open_mmf, NULL, names[i]};
        holders[i] = bench_hold(processes[i], hold_one_name, names[i]);
    }
    bench_compare("open + close, name held by", closing, COUNT, &plan);
    bench_compare("open + view + close, name held by", viewing, COUNT, &plan);
    for (int i = COUNT; i-- > 0;)
        bench_release(holders[i]);
}

/* Objects of holders that have ended and empty directories may be left. */
static void
remove_directory(const char *name)
{
    char path[256];

    setenv("MMF_DIR", name, 1);
    mmf_gc(0, NULL);
    snprintf(path, sizeof(path), "%s/mmf-%u", name, (unsigned)geteuid());
    rmdir(path);
    if (rmdir(name) < 0)
        fprintf(stderr, "bench: %s was not removed\n", name);
}

static void
remove_directories(void)
{
    static const char *const crowds[] = {"1", "100", "10000"};
    char path[128];

    for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, crowds[i]);
        if (access(path, F_OK) == 0)
            remove_directory(path);
    }
    remove_directory(directory);
}

int
main(int argc, char **argv)
{
    if (mkdtemp(directory) == NULL)
        bench_die("bench: cannot make %s", directory);
    setenv("MMF_DIR", directory, 1);
    snprintf(raw_name, sizeof(raw_name), "/mmf-bench-raw-%d", (int)getpid());
    snprintf(boost_name, sizeof(boost_name), "mmf-bench-boost-%d", (int)getpid());

    bench_begin("maps");
    compare_creating();
    compare_opening();
    compare_single_values();
    compare_arrays();
    compare_crowds();
    compare_holders();
    bench_end(argc > 1 ? argv[1] : "maps.json");
    remove_directories();
    return 0;
}
