/*
 * channel_test.c - what a channel is for programs that call the system alone, and what
 * such programs can do to it: names of all kinds, sections of other kinds, tokens that
 * no process has issued.
 */
#include "harness/numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

/* docs/internals/layout.md: a channel on Windows. */
enum { PAGE = 4096, LAYOUT_AT = 8, TICKETS_AT = 128, SLEEPERS_AT = 192 };

static const wchar_t data_name[] = L"Cat:mmf:data";

static mmf_queue *
new_cat(mmf_role role)
{
    mmf_queue *queue = NULL;

    CHECK_OK(mmf_queue_create_or_open("Cat", 8, 8, MMF_OVERFLOW_BLOCK,
                                      CHANNEL_OPTIONS(.role = role), NULL, &queue));
    return queue;
}

static mmf_queue *
open_cat(mmf_role role)
{
    mmf_queue *queue = NULL;

    CHECK_OK(mmf_queue_open_existing(
        "Cat", CHANNEL_OPTIONS(.role = role, .strategy = MMF_STRATEGY_WAIT), &queue));
    return queue;
}

static void
check_says(const char *part)
{
    if (strstr(mmf_last_message(), part) == NULL)
        CHECK_FAIL("\"%s\" does not say \"%s\"", mmf_last_message(), part);
}

#define now_ms() (now_us() / 1000)

/*
 * Names.
 */

/* tests/scenarios/object.scn has every other kind. */
TEST(a_channel_takes_its_name)
{
    mmf_map *map = UNTOUCHED;
    mmf_queue *queue = new_cat(MMF_ROLE_SEND);

    CHECK_FAILS(mmf_map_open_existing("Local\\Cat", NULL, &map), MMF_E_WRONG_KIND);
    check_says("a channel");
    CHECK(CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 1,
                             L"Cat") == NULL);
    CHECK_INT(GetLastError(), ERROR_INVALID_HANDLE);
    mmf_queue_close(queue);
    CHECK_OK(mmf_map_create_new("Cat", 1, NULL, &map));
    mmf_map_close(map);
}

/* A timer of another program is no channel, and hinders none. */
TEST(a_timer_is_no_channel)
{
    HANDLE timer = CreateWaitableTimerW(NULL, TRUE, L"Cat");
    mmf_queue *queue = UNTOUCHED;
    mmf_channel_stats stats;

    CHECK(timer != NULL);
    CHECK_FAILS(mmf_queue_open_existing("Cat", NULL, &queue), MMF_E_NOT_FOUND);
    CHECK_FAILS(mmf_channel_stat("Cat", &stats), MMF_E_NOT_FOUND);
    mmf_queue_close(new_cat(MMF_ROLE_BOTH));
    CloseHandle(timer);
}

static int
has_part(const wchar_t *name)
{
    HANDLE object = OpenSemaphoreW(SYNCHRONIZE, FALSE, name);
    DWORD error = GetLastError();

    if (object != NULL)
        CloseHandle(object);
    return object != NULL || error != ERROR_FILE_NOT_FOUND;
}

/* Names of all lengths and letters, and below Global; of each part something is left
 * as long as there is a handle, and no longer. */
TEST(names_of_all_kinds)
{
    static const struct {
        const char *name;
        const wchar_t *wide;
    } names[] = {{"Cat", L"Cat"},
                 {"Local\\Cat", L"Local\\Cat"},
                 {"Global\\Cat", L"Global\\Cat"},
                 {"a/b:c", L"a/b:c"},
                 {"\xd0\x9a\xd0\xbe\xd1\x82", L"\x041a\x043e\x0442"}};
    static const wchar_t *const parts[] = {
        L"", L":mmf:data", L":mmf:m0", L":mmf:m1", L":mmf:s0", L":mmf:s1", L":mmf:t1"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        mmf_queue *queue = NULL;

        CHECK_CONTEXT("%s", names[i].name);
        CHECK_OK(mmf_queue_create_or_open(names[i].name, 8, 8, MMF_OVERFLOW_BLOCK, NULL,
                                          NULL, &queue));
        for (int closed = 0; closed < 2; closed++) {
            for (size_t p = 0; p < COUNT_OF(parts); p++) {
                wchar_t part[64];

                swprintf(part, COUNT_OF(part), L"%ls%ls", names[i].wide, parts[p]);
                CHECK_INT(has_part(part), !closed);
            }
            mmf_queue_close(closed ? NULL : queue);
        }
    }
}

/*
 * Listing.
 */

static const mmf_object_info *
find(const mmf_list *list, const char *name)
{
    for (int32_t i = 0; i < mmf_list_count(list); i++)
        if (strcmp(mmf_list_get(list, i)->name, name) == 0)
            return mmf_list_get(list, i);
    return NULL;
}

TEST(the_list_has_channels_and_not_their_parts)
{
    mmf_queue *queue = new_cat(MMF_ROLE_BOTH);
    mmf_queue *second = open_cat(MMF_ROLE_RECEIVE);
    mmf_latest *latest = NULL;
    mmf_topic *topic = NULL;
    const mmf_object_info *info;
    mmf_list *list = NULL;

    CHECK_OK(mmf_topic_create_or_open("Global\\Cat", 100, 4, MMF_OVERFLOW_BLOCK, NULL,
                                      NULL, &topic));
    CHECK_OK(mmf_latest_create_or_open("Dog", 8, NULL, NULL, &latest));
    CHECK_OK(mmf_list_create(0, &list));
    for (int32_t i = 0; i < mmf_list_count(list); i++)
        CHECK(strstr(mmf_list_get(list, i)->name, ":mmf:") == NULL);
    info = find(list, "Cat");
    CHECK(info != NULL);
    CHECK_INT(info->kind, MMF_KIND_QUEUE);
    CHECK_INT(info->holders, 2);
    CHECK_INT(info->creator_pid, GetCurrentProcessId());
    info = find(list, "Global\\Cat");
    CHECK(info != NULL);
    CHECK_INT(info->kind, MMF_KIND_TOPIC);
    CHECK_TEXT(info->path, "\\BaseNamedObjects\\Cat");
    info = find(list, "Dog");
    CHECK(info != NULL);
    CHECK_INT(info->kind, MMF_KIND_LATEST);
    mmf_list_close(list);
    mmf_queue_close(queue);
    mmf_queue_close(second);
    mmf_topic_close(topic);
    mmf_latest_close(latest);
    CHECK_OK(mmf_list_create(0, &list));
    CHECK(find(list, "Cat") == NULL && find(list, "Dog") == NULL);
    mmf_list_close(list);
}

/* What only ends like a part is shown. */
TEST(other_names_are_shown)
{
    static const char *const names[] = {"Cat:mmf:", "Cat:mmf:date", "Cat:mmf:t",
                                        "Cat:mmf:tg", "mmf:data"};
    mmf_map *maps[COUNT_OF(names)];
    mmf_list *list = NULL;

    for (size_t i = 0; i < COUNT_OF(names); i++)
        CHECK_OK(mmf_map_create_new(names[i], 1, NULL, &maps[i]));
    CHECK_OK(mmf_list_create(0, &list));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        CHECK_CONTEXT("%s", names[i]);
        CHECK(find(list, names[i]) != NULL);
        mmf_map_close(maps[i]);
    }
    mmf_list_close(list);
}

/*
 * Sections that are no channels, or not yet.
 */

static HANDLE
make_section(DWORD size)
{
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                        size, data_name);

    CHECK(section != NULL);
    return section;
}

/* Of the channel "Cat", from byte `at` on. */
static void
overwrite(size_t at, const void *bytes, size_t size)
{
    HANDLE section = OpenFileMappingW(FILE_MAP_WRITE, FALSE, data_name);
    char *base = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, PAGE);

    CHECK(base != NULL);
    memcpy(base + at, bytes, size);
    UnmapViewOfFile(base);
    CloseHandle(section);
}

static uint32_t
sleepers(void)
{
    HANDLE section = OpenFileMappingW(FILE_MAP_READ, FALSE, data_name);
    const uint32_t *base = MapViewOfFile(section, FILE_MAP_READ, 0, 0, PAGE);
    uint32_t count;

    CHECK(base != NULL);
    count = base[SLEEPERS_AT / 4] + base[SLEEPERS_AT / 4 + 1];
    UnmapViewOfFile(base);
    CloseHandle(section);
    return count;
}

/* Its creator is stopped: the others wait for two seconds, no more. */
TEST(a_half_made_channel_has_no_owner)
{
    HANDLE section = make_section(70000);
    mmf_queue *queue = UNTOUCHED;
    mmf_channel_stats stats;
    mmf_list *list = NULL;
    int64_t begin = now_ms();

    CHECK_FAILS(
        mmf_queue_create_or_open("Cat", 8, 8, MMF_OVERFLOW_BLOCK, NULL, NULL, &queue),
        MMF_E_BUSY);
    CHECK(now_ms() - begin < LONG_MS);
    CHECK_FAILS(mmf_queue_open_existing("Cat", NULL, &queue), MMF_E_BUSY);
    CHECK_FAILS(mmf_channel_stat("Cat", &stats), MMF_E_BUSY);
    CHECK_OK(mmf_list_create(0, &list));
    CHECK(find(list, "Cat") == NULL);
    mmf_list_close(list);
    CHECK((void *)queue == UNTOUCHED);
    CloseHandle(section);
    mmf_queue_close(new_cat(MMF_ROLE_BOTH));
}

/* Makes a section, as a creator that is killed in the middle leaves it. */
ROLE(maker)
{
    char line[16];

    make_section(70000);
    role_say("made");
    role_hear(line, sizeof(line));
    return EXIT_SUCCESS;
}

/* Makes or opens "Cat" when it is told to, says what it was. */
ROLE(opener)
{
    mmf_queue *queue = NULL;
    char line[16];
    int created = 0;

    role_say("here");
    CHECK(role_hear(line, sizeof(line)));
    CHECK_OK(mmf_queue_create_or_open("Cat", 8, 8, MMF_OVERFLOW_BLOCK, NULL, &created,
                                      &queue));
    role_say("%s", created ? "created" : "opened");
    role_hear(line, sizeof(line));
    mmf_queue_close(queue);
    return EXIT_SUCCESS;
}

/* Processes that wait for a killed creator do not keep what it left. */
TEST(a_killed_creators_section_goes)
{
    enum { OPENERS = 3 };

    for (int round = 0; round < 3; round++) {
        struct process *maker = process_start("maker", NULL);
        struct process *openers[OPENERS];
        int created = 0;

        process_expect(maker, "made");
        for (int i = 0; i < OPENERS; i++) {
            openers[i] = process_start("opener", NULL);
            process_expect(openers[i], "here");
        }
        for (int i = 0; i < OPENERS; i++) /* they wait for two seconds, no more */
            process_send(openers[i], "go");
        Sleep(50); /* let them meet it */
        process_kill(maker);
        for (int i = 0; i < OPENERS; i++) {
            char line[32];

            CHECK(process_read_line(openers[i], line, sizeof(line)) != NULL);
            created += strcmp(line, "created") == 0;
        }
        CHECK_INT(created, 1);
        for (int i = 0; i < OPENERS; i++)
            CHECK_INT(process_finish(openers[i]), EXIT_SUCCESS);
    }
}

TEST(what_is_no_channel_is_refused)
{
    mmf_queue *queue = UNTOUCHED;
    HANDLE section = make_section(PAGE);

    overwrite(0, "something", 9);
    CHECK_FAILS(mmf_queue_open_existing("Cat", NULL, &queue), MMF_E_CORRUPT);
    CHECK_FAILS(
        mmf_queue_create_or_open("Cat", 8, 8, MMF_OVERFLOW_BLOCK, NULL, NULL, &queue),
        MMF_E_CORRUPT);
    CloseHandle(section);
    queue = new_cat(MMF_ROLE_SEND);
    overwrite(LAYOUT_AT, &(uint32_t){99}, 4);
    {
        mmf_queue *other = UNTOUCHED;

        CHECK_FAILS(mmf_queue_open_existing("Cat", NULL, &other), MMF_E_LAYOUT);
        CHECK((void *)other == UNTOUCHED);
    }
    mmf_queue_close(queue);
}

/* The page of a channel, and behind it less than it says. */
TEST(a_section_too_small_is_refused)
{
    mmf_queue *queue = new_cat(MMF_ROLE_SEND);
    HANDLE section = OpenFileMappingW(FILE_MAP_READ, FALSE, data_name);
    const char *base = MapViewOfFile(section, FILE_MAP_READ, 0, 0, PAGE);
    mmf_queue *other = UNTOUCHED;
    char page[PAGE];

    CHECK(base != NULL);
    memcpy(page, base, PAGE);
    UnmapViewOfFile(base);
    CloseHandle(section);
    mmf_queue_close(queue);
    section = make_section(PAGE);
    overwrite(0, page, PAGE);
    CHECK(mmf_queue_open_existing("Cat", NULL, &other) < 0);
    CHECK((void *)other == UNTOUCHED);
    CloseHandle(section);
}

/*
 * Tickets.
 */

/* Asking gives no handle, so that it keeps no ticket in use. */
TEST(no_process_can_open_a_ticket)
{
    mmf_queue *queue = new_cat(MMF_ROLE_SEND);

    CHECK(OpenEventW(EVENT_MODIFY_STATE, FALSE, L"Cat:mmf:t1") == NULL);
    CHECK_INT(GetLastError(), ERROR_ACCESS_DENIED);
    mmf_queue_close(queue);
    CHECK(OpenEventW(EVENT_MODIFY_STATE, FALSE, L"Cat:mmf:t1") == NULL);
    CHECK_INT(GetLastError(), ERROR_FILE_NOT_FOUND);
}

TEST(a_ticket_that_is_taken_is_skipped)
{
    HANDLE planted = CreateEventW(NULL, TRUE, FALSE, L"Cat:mmf:t1");
    mmf_queue *queue;
    mmf_channel_stats stats;

    CHECK(planted != NULL);
    queue = new_cat(MMF_ROLE_BOTH);
    CHECK(has_part(L"Cat:mmf:t2"));
    CHECK_OK(mmf_queue_stat(queue, &stats));
    CHECK_INT(stats.senders, 1);
    overwrite(TICKETS_AT, &(uint64_t){UINT64_MAX}, 8);
    {
        mmf_queue *other = UNTOUCHED;

        CHECK_FAILS(mmf_queue_open_existing("Cat", NULL, &other), MMF_E_CORRUPT);
        CHECK((void *)other == UNTOUCHED);
    }
    mmf_queue_close(queue);
    CloseHandle(planted);
}

/*
 * Doorbells.
 */

static void
check_times_out(mmf_queue *queue)
{
    int64_t begin = now_ms();
    mmf_message message;

    CHECK_STATUS(mmf_queue_take(queue, 100, &message), MMF_TIMED_OUT);
    CHECK(now_ms() - begin >= 80);
}

static void
check_goes_through(mmf_queue *sender, mmf_queue *receiver)
{
    for (uint64_t i = 0; i < 20; i++) {
        CHECK_STATUS(mmf_queue_send(sender, &i, 8, LONG_MS, NULL), MMF_OK);
        expect_number(receiver, i);
    }
}

/* Another process issues tokens without a ring: a few polls in vain. */
TEST(tokens_too_many_do_no_harm)
{
    mmf_queue *sender = new_cat(MMF_ROLE_SEND);
    mmf_queue *receiver = open_cat(MMF_ROLE_RECEIVE);

    for (int turn = 0; turn < 2; turn++) {
        HANDLE tokens = OpenSemaphoreW(SEMAPHORE_MODIFY_STATE, FALSE,
                                       turn == 0 ? L"Cat:mmf:m0" : L"Cat:mmf:m1");

        CHECK(ReleaseSemaphore(tokens, 100, NULL));
        CloseHandle(tokens);
    }
    check_times_out(receiver);
    check_goes_through(sender, receiver);
    check_times_out(receiver);
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

TEST(counts_that_make_no_sense_do_no_harm)
{
    static const uint32_t counts[][2] = {
        {UINT32_MAX, UINT32_MAX}, {0, UINT32_MAX}, {1000, 7}};
    mmf_queue *sender = new_cat(MMF_ROLE_SEND);
    mmf_queue *receiver = open_cat(MMF_ROLE_RECEIVE);

    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        overwrite(SLEEPERS_AT, counts[i], sizeof(counts[i]));
        overwrite(SLEEPERS_AT + 64, counts[i], sizeof(counts[i]));
        check_times_out(receiver);
        check_goes_through(sender, receiver);
    }
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

/* Sleeps until a message comes. */
ROLE(sleeper)
{
    mmf_queue *queue = open_cat(MMF_ROLE_RECEIVE);
    uint64_t number = 0;
    size_t length;

    role_say("sleeps");
    CHECK_STATUS(mmf_queue_receive(queue, &number, 8, LONG_MS, &length, NULL), MMF_OK);
    role_say("%llu", (unsigned long long)number);
    mmf_queue_close(queue);
    return EXIT_SUCCESS;
}

/* Until so many are counted. */
static void
await_sleepers(uint32_t count)
{
    int64_t deadline = now_ms() + LONG_MS;
    uint32_t counted;

    while ((counted = sleepers()) != count && now_ms() < deadline)
        Sleep(0);
    CHECK_INT(counted, count);
}

/*
 * The first ring for all counts them off; a sleeper polls in vain for each. (At a tick
 * a sleeper is not counted for a moment; one that is killed then need not be counted
 * off.)
 */
TEST(killed_sleepers_are_counted_off)
{
    enum { SLEEPERS = 5 };
    mmf_queue *sender = new_cat(MMF_ROLE_SEND);
    struct process *dead[SLEEPERS];
    struct process *last;
    mmf_queue *receiver;
    uint32_t counted;

    for (int i = 0; i < SLEEPERS; i++) {
        dead[i] = process_start("sleeper", NULL);
        process_expect(dead[i], "sleeps");
    }
    await_sleepers(SLEEPERS);
    for (int i = 0; i < SLEEPERS; i++)
        process_kill(dead[i]);
    counted = sleepers();
    CHECK(counted > 0);
    last = process_start("sleeper", NULL);
    process_expect(last, "sleeps");
    await_sleepers(counted + 1);
    mmf_queue_close(open_cat(MMF_ROLE_BOTH)); /* the leaver rings for all */
    await_sleepers(1);
    send_number(sender, 42);
    process_expect(last, "42");
    CHECK_INT(process_finish(last), EXIT_SUCCESS);
    CHECK_INT(sleepers(), 0);
    receiver = open_cat(MMF_ROLE_RECEIVE);
    check_goes_through(sender, receiver);
    check_times_out(receiver);
    mmf_queue_close(receiver);
    mmf_queue_close(sender);
}
