/*
 * stack_test.c - every call in a thread with the smallest stack that a thread can have.
 *
 * Called twice: on a stack that is large and painted, which says how much they need, and
 * on one of PTHREAD_STACK_MIN behind a guard page, with the thread's own data, where a
 * call that needs more ends the program. The steps themselves take little. A wait for
 * several objects with channels among them is not for such threads: it is measured alone.
 */
#include "../harness/check.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGE = 256 << 10, PATTERN = 0xA5 };
enum { MOST = 12 << 10, MOST_FOR_CHANNELS = 16 << 10, SMALLEST = 16 << 10 };

static unsigned char *top; /* of the stack that the steps have */

/* Where the steps keep what is not small. */
static char file_path[4096];
static mmf_object_info info;
static mmf_channel_stats stats;
static mmf_message messages[4];

/*
 * Maps.
 */

static void
refuse_maps(void)
{
    mmf_map *map;

    CHECK_FAILS(mmf_map_create_new("Cat", 2 << 20, NULL, &map), MMF_E_EXISTS);
    CHECK_FAILS(mmf_map_open_existing("Dog", NULL, &map), MMF_E_NOT_FOUND);
    CHECK_FAILS(mmf_map_create_new("Large", (int64_t)1 << 50, NULL, &map),
                MMF_E_NO_MEMORY);
    CHECK_FAILS(mmf_map_create_from_file("/nowhere/file", MMF_FILE_MODE_OPEN, NULL, 0,
                                         NULL, &map),
                MMF_E_PATH_NOT_FOUND);
    CHECK_FAILS(mmf_map_open_inherited(-1, NULL, &map), MMF_E_DISPOSED);
}

static void
use_accessor(mmf_map *map)
{
    mmf_view_options options = {.size = sizeof(options),
                                .flags = MMF_VIEW_POPULATE | MMF_VIEW_LOCK |
                                         MMF_VIEW_HUGE_PAGES | MMF_VIEW_BEST_EFFORT};
    mmf_accessor *view;
    mmf_decimal decimal = {0};
    int32_t value;
    size_t read;

    CHECK_OK(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, &options, &view));
    CHECK_OK(mmf_accessor_write_int32(view, 0, 7));
    CHECK_OK(mmf_accessor_read_int32(view, 0, &value));
    CHECK_OK(mmf_accessor_write_decimal(view, 8, &decimal));
    CHECK_OK(mmf_accessor_read_decimal(view, 8, &decimal));
    CHECK_OK(mmf_accessor_write_array(view, 0, &value, sizeof(value), 1));
    CHECK_OK(mmf_accessor_read_array(view, 0, &value, sizeof(value), 1, &read));
    CHECK_FAILS(mmf_accessor_read_int32(view, -1, &value), MMF_E_RANGE);
    CHECK_OK(mmf_accessor_flush(view));
    mmf_accessor_close(view);
}

static int
discard(void *payload, const void *bytes, size_t count)
{
    (void)payload;
    (void)bytes;
    (void)count;
    return 0;
}

static void
use_stream(mmf_map *map)
{
    mmf_stream *stream;
    mmf_stream *other;
    char byte;
    size_t read;

    CHECK_OK(mmf_stream_create(map, 0, 4096, MMF_ACCESS_READ_WRITE, NULL, &stream));
    CHECK_OK(mmf_stream_create(map, 4096, 0, MMF_ACCESS_READ_WRITE, NULL, &other));
    CHECK_OK(mmf_stream_write(stream, "a", 1));
    CHECK_OK(mmf_stream_set_position(stream, 0));
    CHECK_OK(mmf_stream_read(stream, &byte, 1, &read));
    CHECK_OK(mmf_stream_copy_to_stream(stream, other, 65536));
    CHECK_OK(mmf_stream_set_position(stream, 0));
    CHECK_OK(mmf_stream_copy_to(stream, discard, NULL, 65536));
    CHECK_OK(mmf_stream_flush(stream));
    CHECK_FAILS(mmf_stream_set_length(stream, 1), MMF_E_NOT_SUPPORTED);
    mmf_stream_close(other);
    mmf_stream_close(stream);
}

static void
use_maps(void)
{
    mmf_map_options inheritable = {.size = sizeof(inheritable),
                                   .inheritability = MMF_INHERITABILITY_INHERITABLE};
    mmf_map *map;
    mmf_map *other;
    intptr_t handle;

    CHECK_OK(mmf_map_create_new("Cat", 2 << 20, NULL, &map)); /* asks for memory */
    CHECK_STATUS(mmf_map_create_or_open("Cat", 4096, NULL, NULL, &other), MMF_OK);
    refuse_maps();
    use_accessor(map);
    use_stream(map);
    mmf_map_close(other);
    mmf_map_close(map);
    CHECK_OK(mmf_map_create_new(NULL, 2 << 20, NULL, &map));
    mmf_map_close(map);
    CHECK_OK(mmf_map_create_new("Heir", 4096, &inheritable, &map));
    CHECK_OK(mmf_map_native_handle(map, &handle));
    CHECK_OK(mmf_map_open_inherited(dup((int)handle), NULL, &other));
    mmf_map_close(other);
    mmf_map_close(map);
}

static void
use_files(void)
{
    mmf_map *map;
    mmf_map *other;

    CHECK_OK(mmf_map_create_from_file(file_path, MMF_FILE_MODE_CREATE_NEW, "File", 4096,
                                      NULL, &map));
    CHECK_OK(mmf_map_open_existing("File", NULL, &other));
    mmf_map_close(other);
    CHECK_FAILS(
        mmf_map_create_from_file(file_path, MMF_FILE_MODE_OPEN, NULL, 0, NULL, &other),
        MMF_E_SHARING);
    mmf_map_close(map);
    unlink(file_path);
}

/*
 * Mutexes, events and semaphores.
 */

static void
wait_for_both(mmf_event *event, mmf_mutex *mutex)
{
    mmf_waitable *both[2] = {mmf_event_waitable(event), mmf_mutex_waitable(mutex)};
    int index;
    int fd;

    CHECK_STATUS(mmf_wait_all(both, 2, 1), MMF_TIMED_OUT);
    CHECK_OK(mmf_wait_any(both, 2, 1, &index));
    CHECK_OK(mmf_wait_one(both[1], 1));
    CHECK_STATUS(mmf_signal_and_wait(both[1], both[0], 1), MMF_TIMED_OUT);
    CHECK_OK(mmf_waitable_fd(both[0], &fd));
    CHECK_OK(mmf_event_set(event));
    CHECK_OK(mmf_wait_all(both, 2, 1));
    CHECK_OK(mmf_mutex_release(mutex));
    CHECK_OK(mmf_mutex_release(mutex));
    CHECK_OK(mmf_mutex_release(mutex));
    CHECK_FAILS(mmf_mutex_release(mutex), MMF_E_NOT_OWNER);
}

static void
use_sync(void)
{
    mmf_mutex *mutex;
    mmf_event *event;
    mmf_semaphore *semaphore;
    mmf_semaphore *other;
    mmf_kind kind;
    mmf_waitable *waitable;

    CHECK_OK(mmf_mutex_create_new("Mutex", 1, NULL, &mutex));
    CHECK_OK(mmf_event_create_new("Event", 0, MMF_EVENT_AUTO_RESET, NULL, &event));
    CHECK_OK(mmf_semaphore_create_new("Semaphore", 0, 2, NULL, &semaphore));
    wait_for_both(event, mutex);
    CHECK_OK(mmf_semaphore_release(semaphore, 1, NULL));
    CHECK_OK(mmf_semaphore_wait(semaphore, 0));
    CHECK_STATUS(mmf_semaphore_wait(semaphore, 1), MMF_TIMED_OUT);
    CHECK_OK(mmf_semaphore_create_or_open("Semaphore", 0, 2, NULL, NULL, &other));
    CHECK_OK(mmf_waitable_open_existing("Mutex", NULL, &kind, &waitable));
    CHECK_FAILS(mmf_semaphore_open_existing("Mutex", NULL, &other), MMF_E_WRONG_KIND);
    mmf_waitable_close(waitable);
    mmf_semaphore_close(other);
    mmf_semaphore_close(semaphore);
    mmf_event_close(event);
    mmf_mutex_close(mutex);
}

/*
 * Channels.
 */

static void
use_queue(void)
{
    const mmf_buffer two[2] = {{"b", 1}, {"c", 1}};
    mmf_queue *queue;
    mmf_queue *other;
    size_t count;
    void *bytes;
    int fd;

    CHECK_OK(mmf_queue_create_new("Queue", 64, 16, MMF_OVERFLOW_BLOCK, NULL, &queue));
    CHECK_OK(mmf_queue_open_existing("Queue", NULL, &other));
    CHECK_OK(mmf_queue_fd(queue, &fd));
    CHECK_OK(mmf_queue_send(queue, "a", 1, 1, NULL));
    CHECK_OK(mmf_queue_send_many(queue, two, 2, 1, &count));
    CHECK_OK(mmf_queue_reserve(queue, 1, 1, &bytes));
    CHECK_OK(mmf_queue_commit(queue, 1, NULL));
    CHECK_OK(mmf_queue_take(other, 1, messages));
    CHECK_OK(mmf_queue_release(other, messages));
    CHECK_OK(mmf_queue_take_many(queue, 4, 1, messages, &count));
    CHECK_OK(mmf_queue_release_many(queue, messages, count));
    CHECK_STATUS(mmf_queue_receive(queue, file_path, 64, 1, &count, NULL),
                 MMF_TIMED_OUT);
    CHECK_OK(mmf_queue_stat(queue, &stats));
    CHECK_OK(mmf_channel_stat("Queue", &stats));
    CHECK_FAILS(mmf_queue_take_many(queue, 0, 1, messages, &count), MMF_E_RANGE);
    mmf_queue_close(other);
    mmf_queue_close(queue);
}

static void
use_topic(void)
{
    mmf_topic *topic;
    size_t length;

    CHECK_OK(mmf_topic_create_new("Topic", 64, 16, MMF_OVERFLOW_BLOCK, NULL, &topic));
    CHECK_OK(mmf_topic_send(topic, "a", 1, 1, NULL));
    CHECK_OK(mmf_topic_take(topic, 1, messages));
    CHECK_OK(mmf_topic_release(topic));
    CHECK_STATUS(mmf_topic_receive(topic, messages, 64, 1, &length, NULL),
                 MMF_TIMED_OUT);
    CHECK_OK(mmf_topic_stat(topic, &stats));
    mmf_topic_close(topic);
}

static void
use_latest(void)
{
    mmf_latest *latest;
    size_t length;
    uint64_t version;

    CHECK_OK(mmf_latest_create_new("Latest", 64, NULL, &latest));
    CHECK_OK(mmf_latest_send(latest, "a", 1, &version));
    CHECK_OK(mmf_latest_receive(latest, messages, 64, &length, &version));
    CHECK_OK(mmf_latest_take(latest, messages));
    CHECK_OK(mmf_latest_release(latest));
    CHECK_STATUS(mmf_latest_wait(latest, version, 1), MMF_TIMED_OUT);
    mmf_latest_close(latest);
}

static void
use_lists(void)
{
    mmf_queue *queue;
    mmf_list *list;
    mmf_gc_result result;

    CHECK_OK(mmf_queue_create_new("Queue", 64, 16, MMF_OVERFLOW_BLOCK, NULL, &queue));
    CHECK_OK(mmf_list_create(MMF_LIST_HOLDERS, &list));
    CHECK(mmf_list_count(list) == 1);
    info = *mmf_list_get(list, 0);
    mmf_list_close(list);
    CHECK_OK(mmf_gc(0, &result));
    mmf_queue_close(queue);
}

static void *
use_everything(void *unused)
{
    unsigned char here;

    top = &here;
    snprintf(file_path, sizeof(file_path), "%s/file", harness_dir());
    for (int i = 0; i < 8; i++) /* each eighth creation looks for orphans */
        use_maps();
    use_files();
    use_sync();
    use_queue();
    use_topic();
    use_latest();
    use_lists();
    return unused;
}

/* As many as there can be: objects first. */
static void *
wait_for_channels(void *unused)
{
    mmf_waitable *objects[MMF_WAIT_MAXIMUM];
    mmf_queue *queues[MMF_WAIT_MAXIMUM / 2];
    mmf_event *events[MMF_WAIT_MAXIMUM / 2];
    unsigned char here;
    int index;

    top = &here;
    for (int i = 0; i < MMF_WAIT_MAXIMUM / 2; i++) {
        CHECK_STATUS(mmf_queue_create_or_open("Queue", 8, 64, MMF_OVERFLOW_BLOCK, NULL,
                                              NULL, &queues[i]),
                     MMF_OK);
        CHECK_OK(mmf_event_create_new(NULL, 0, MMF_EVENT_AUTO_RESET, NULL, &events[i]));
        objects[i] = mmf_event_waitable(events[i]);
        objects[MMF_WAIT_MAXIMUM / 2 + i] = mmf_queue_waitable(queues[i]);
    }
    CHECK_STATUS(mmf_wait_any(objects, MMF_WAIT_MAXIMUM, 30, &index), MMF_TIMED_OUT);
    CHECK_STATUS(mmf_wait_one(mmf_queue_waitable(queues[0]), 1), MMF_TIMED_OUT);
    CHECK_OK(mmf_queue_send(queues[1], "a", 1, 1, NULL));
    CHECK_OK(mmf_wait_any(objects, MMF_WAIT_MAXIMUM, 1, &index));
    CHECK_INT(index, MMF_WAIT_MAXIMUM / 2);
    for (int i = 0; i < MMF_WAIT_MAXIMUM / 2; i++) {
        mmf_event_close(events[i]);
        mmf_queue_close(queues[i]);
    }
    return unused;
}

static void
use_on(pthread_attr_t *attributes, void *(*steps)(void *unused))
{
    pthread_t thread;

    CHECK(pthread_create(&thread, attributes, steps, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    pthread_attr_destroy(attributes);
}

static void
check_need(void *(*steps)(void *unused), ptrdiff_t most)
{
    pthread_attr_t attributes;
    unsigned char *stack = NULL;
    size_t untouched = 0;

    if (HARNESS_ASAN || HARNESS_TSAN)
        harness_skip("a sanitizer needs a larger stack");
    CHECK(posix_memalign((void **)&stack, 4096, LARGE) == 0);
    memset(stack, PATTERN, LARGE);
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstack(&attributes, stack, LARGE) == 0);
    use_on(&attributes, steps);
    while (untouched < LARGE && stack[untouched] == PATTERN)
        untouched++;
    print_message("%d bytes of stack\n", (int)(top - stack - (ptrdiff_t)untouched));
    CHECK(top - stack - (ptrdiff_t)untouched <= most);
    free(stack);
}

TEST(no_call_needs_more_than_12_kib)
{
    check_need(use_everything, MOST);
}

TEST(a_wait_for_channels_needs_no_more_than_16_kib)
{
    check_need(wait_for_channels, MOST_FOR_CHANNELS);
}

TEST(every_call_has_space_in_the_smallest_stack)
{
    pthread_attr_t attributes;

    if (HARNESS_ASAN || HARNESS_TSAN)
        harness_skip("a sanitizer needs a larger stack");
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN > SMALLEST
                                                     ? (size_t)PTHREAD_STACK_MIN
                                                     : (size_t)SMALLEST) == 0);
    use_on(&attributes, use_everything);
}
