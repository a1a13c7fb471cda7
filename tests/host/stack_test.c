/*
 * stack_test.c - how much stack the calls need: mmf(7) has the figure, for programs
 * whose threads have small ones.
 */
#include "../harness/check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STACK = 256 << 10, MOST = 64 << 10, PATTERN = 0xA5 };

static void
use_maps(void)
{
    mmf_map *map;
    mmf_map *other;

    CHECK_OK(mmf_map_create_new("Cat", 2 << 20, NULL, &map)); /* asks for memory */
    CHECK_STATUS(mmf_map_create_or_open("Cat", 4096, NULL, NULL, &other), MMF_OK);
    mmf_map_close(other);
    CHECK_FAILS(mmf_map_create_new("Cat", 4096, NULL, &other), MMF_E_EXISTS);
    CHECK_FAILS(mmf_map_open_existing("Dog", NULL, &other), MMF_E_NOT_FOUND);
    mmf_map_close(map);
    CHECK_OK(mmf_map_create_new(NULL, 2 << 20, NULL, &map));
    mmf_map_close(map);
}

static void
use_files(void)
{
    char path[4096];
    mmf_map *map;
    mmf_map *other;

    snprintf(path, sizeof(path), "%s/file", harness_dir());
    CHECK_OK(mmf_map_create_from_file(path, MMF_FILE_MODE_CREATE_NEW, "File", 4096,
                                      NULL, &map));
    CHECK_OK(mmf_map_open_existing("File", NULL, &other));
    mmf_map_close(other);
    mmf_map_close(map);
    unlink(path);
}

static void
use_sync(void)
{
    mmf_mutex *mutex;
    mmf_event *event;
    mmf_waitable *both[2];
    int index;

    CHECK_OK(mmf_mutex_create_new("Mutex", 1, NULL, &mutex));
    CHECK_OK(mmf_event_create_new("Event", 0, MMF_EVENT_AUTO_RESET, NULL, &event));
    both[0] = mmf_event_waitable(event);
    both[1] = mmf_mutex_waitable(mutex);
    CHECK_STATUS(mmf_wait_all(both, 2, 1), MMF_TIMED_OUT);
    CHECK_OK(mmf_wait_any(both, 2, 1, &index));
    CHECK_OK(mmf_mutex_release(mutex));
    CHECK_OK(mmf_mutex_release(mutex));
    mmf_event_close(event);
    mmf_mutex_close(mutex);
}

static void
use_channels(void)
{
    mmf_queue *queue;
    mmf_message message;
    mmf_list *list;
    mmf_gc_result result;

    CHECK_OK(mmf_queue_create_new("Queue", 64, 16, MMF_OVERFLOW_BLOCK, NULL, &queue));
    CHECK_OK(mmf_queue_send(queue, "a", 1, 1, NULL));
    CHECK_OK(mmf_queue_take(queue, 1, &message));
    CHECK_OK(mmf_queue_release(queue, &message));
    CHECK_STATUS(mmf_queue_take(queue, 1, &message), MMF_TIMED_OUT);
    CHECK_OK(mmf_list_create(MMF_LIST_HOLDERS, &list));
    mmf_list_close(list);
    CHECK_OK(mmf_gc(0, &result));
    mmf_queue_close(queue);
}

static void *
use_everything(void *unused)
{
    use_maps();
    use_files();
    use_sync();
    use_channels();
    return unused;
}

static void
no_call_needs_more_than_64_kib(void **state)
{
    pthread_attr_t attributes;
    pthread_t thread;
    unsigned char *stack = NULL;
    size_t untouched = 0;

    (void)state;
    if (HARNESS_ASAN || HARNESS_TSAN)
        harness_skip("a sanitizer needs a larger stack");
    CHECK(posix_memalign((void **)&stack, 4096, STACK) == 0);
    memset(stack, PATTERN, STACK);
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstack(&attributes, stack, STACK) == 0);
    CHECK(pthread_create(&thread, &attributes, use_everything, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    while (untouched < STACK && stack[untouched] == PATTERN)
        untouched++;
    print_message("%d KiB of stack\n", (int)(STACK - untouched) / 1024);
    CHECK(STACK - untouched <= MOST);
    pthread_attr_destroy(&attributes);
    free(stack);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_call_needs_more_than_64_kib),
    };

    return harness_main(argc, argv, "host_stack", tests,
                        sizeof(tests) / sizeof(tests[0]), NULL);
}
