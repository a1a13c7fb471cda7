/*
 * native_test.c - objects shared with programs that call the system and nothing else:
 * the same names, the same bytes from the first one on, the same owners.
 *
 * The other program is this one in a role that calls no function of mmf's.
 */
#include "harness/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

enum { CAPACITY = 10000 };

/*
 * The role: makes or opens an object on command, under a name in UTF-8, and says the
 * bytes it finds. "create" writes "native" first.
 */
ROLE(native)
{
    wchar_t name[64];
    char line[16];
    HANDLE section;
    char *bytes;

    MultiByteToWideChar(CP_UTF8, 0, argv[2], -1, name, COUNT_OF(name));
    if (strcmp(argv[1], "create") == 0)
        section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                     CAPACITY, name);
    else
        section = OpenFileMappingW(FILE_MAP_READ | FILE_MAP_WRITE, FALSE, name);
    if (section == NULL) {
        role_say("error %lu", (unsigned long)GetLastError());
        return EXIT_SUCCESS;
    }
    bytes = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0);
    if (strcmp(argv[1], "create") == 0)
        strcpy(bytes, "native");
    role_say("%s", bytes);
    role_hear(line, sizeof(line));
    strcpy(bytes + CAPACITY - 8, "written");
    role_say("done");
    role_hear(line, sizeof(line));
    UnmapViewOfFile(bytes);
    CloseHandle(section);
    return EXIT_SUCCESS;
}

static struct process *
start_native(const char *how, const char *name)
{
    const char *const args[] = {how, name, NULL};

    return process_start("native", args);
}

static void
check_bytes_shared(mmf_map *map, struct process *other)
{
    mmf_accessor *view = NULL;
    void *bytes;

    CHECK_OK(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view));
    CHECK_OK(mmf_accessor_pointer(view, &bytes, NULL));
    process_send(other, "write");
    process_expect(other, "done");
    CHECK_TEXT((char *)bytes + CAPACITY - 8, "written");
    mmf_accessor_close(view);
}

static void
made_by_mmf_opened_by_the_system(const char *name)
{
    mmf_accessor *view = NULL;
    struct process *other;
    mmf_map *map = NULL;

    CHECK_CONTEXT("%s", name);
    other = start_native("open", name);
    process_expect(other, "error 2"); /* not there yet */
    CHECK_INT(process_finish(other), EXIT_SUCCESS);
    CHECK_OK(mmf_map_create_new(name, CAPACITY, NULL, &map));
    CHECK_OK(mmf_accessor_create(map, 0, 5, MMF_ACCESS_READ_WRITE, NULL, &view));
    CHECK_OK(mmf_accessor_write_array(view, 0, "mmf\0", 1, 4));
    other = start_native("open", name);
    process_expect(other, "mmf"); /* the first byte is the caller's first byte */
    check_bytes_shared(map, other);
    mmf_accessor_close(view);
    mmf_map_close(map);
    /* Its handle keeps the name, ours does not. */
    CHECK_FAILS(mmf_map_create_new(name, 1, NULL, &map), MMF_E_EXISTS);
    CHECK_INT(process_finish(other), EXIT_SUCCESS);
    CHECK_OK(mmf_map_create_new(name, 1, NULL, &map));
    mmf_map_close(map);
}

static const char *const names[] = {"Cat",
                                    "Local\\Cat",
                                    "Global\\Cat",
                                    "a/b c",
                                    "\xd0\x9a\xd0\xbe\xd1\x88\xd0\xba\xd0\xb0",
                                    "\xf0\x9f\x90\x88"};

TEST(the_system_opens_what_mmf_made)
{
    for (size_t i = 0; i < COUNT_OF(names); i++)
        made_by_mmf_opened_by_the_system(names[i]);
}

TEST(mmf_opens_what_the_system_made)
{
    char text[8] = "";
    int64_t capacity = 0;
    size_t read = 0;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct process *other = start_native("create", names[i]);
        mmf_accessor *view = NULL;
        mmf_map *map = NULL;

        CHECK_CONTEXT("%s", names[i]);
        process_expect(other, "native");
        CHECK_OK(mmf_map_open_existing(names[i], NULL, &map));
        CHECK_OK(mmf_map_capacity(map, &capacity));
        CHECK_INT(capacity, 12288);
        CHECK_OK(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ, NULL, &view));
        CHECK_OK(mmf_accessor_read_array(view, 0, text, 1, 7, &read));
        CHECK_TEXT(text, "native");
        mmf_accessor_close(view);
        check_bytes_shared(map, other);
        process_kill(other);
        mmf_map_close(map);
        CHECK_FAILS(mmf_map_open_existing(names[i], NULL, &map), MMF_E_NOT_FOUND);
    }
}

/* .NET's CreateOrOpen is one call of the system's: the second caller opens. */
TEST(create_or_open_meets_the_system)
{
    struct process *other = start_native("create", "Cat");
    int64_t capacity = 0;
    mmf_map *map = NULL;

    process_expect(other, "native");
    CHECK_OK(mmf_map_create_or_open("Cat", 1, NULL, NULL, &map));
    CHECK_OK(mmf_map_capacity(map, &capacity));
    CHECK_INT(capacity, 12288);
    check_bytes_shared(map, other);
    CHECK_INT(process_finish(other), EXIT_SUCCESS);
    mmf_map_close(map);
}

/* A mutex of the system's: one owner, in whichever process; its death is reported. */
ROLE(native_owner)
{
    HANDLE mutex = OpenMutexW(SYNCHRONIZE | MUTEX_MODIFY_STATE, FALSE, L"Cat");
    char line[16];

    role_say("%lu", (unsigned long)WaitForSingleObject(mutex, 0));
    role_hear(line, sizeof(line));
    role_say("%d", ReleaseMutex(mutex));
    role_hear(line, sizeof(line));
    return EXIT_SUCCESS;
}

TEST(one_mutex_for_both)
{
    struct process *other;
    mmf_mutex *mutex = NULL;

    CHECK_OK(mmf_mutex_create_or_open("Cat", 1, NULL, NULL, &mutex));
    other = process_start("native_owner", NULL);
    process_expect(other, "258"); /* WAIT_TIMEOUT: it is ours */
    process_send(other, "release");
    process_expect(other, "0");
    CHECK_INT(process_finish(other), EXIT_SUCCESS);
    CHECK_OK(mmf_mutex_release(mutex));
    other = process_start("native_owner", NULL);
    process_expect(other, "0");
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_TIMED_OUT);
    process_send(other, "release");
    process_expect(other, "1");
    CHECK_STATUS(mmf_mutex_wait(mutex, LONG_MS), MMF_OK);
    CHECK_OK(mmf_mutex_release(mutex));
    CHECK_INT(process_finish(other), EXIT_SUCCESS);
    other = process_start("native_owner", NULL);
    process_expect(other, "0");
    process_kill(other);
    CHECK_STATUS(mmf_mutex_wait(mutex, LONG_MS), MMF_ABANDONED);
    CHECK_OK(mmf_mutex_release(mutex));
    mmf_mutex_close(mutex);
}

/* In one process: the system's handles on what mmf made, and the reverse. */
TEST(events_and_semaphores_for_both)
{
    mmf_semaphore *semaphore = NULL;
    mmf_event *event = NULL;
    int32_t previous = -1;
    HANDLE native_event, native_semaphore;
    int created = -1;

    native_event = CreateEventW(NULL, TRUE, FALSE, L"Dog");
    CHECK_OK(mmf_event_create_or_open("Dog", 1, MMF_EVENT_AUTO_RESET, NULL, &created,
                                      &event));
    CHECK_INT(created, 0); /* so it resets by hand, and is not set */
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_TIMED_OUT);
    CHECK(SetEvent(native_event));
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_OK);
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_OK);
    CHECK_OK(mmf_event_reset(event));
    CHECK_INT(WaitForSingleObject(native_event, 0), WAIT_TIMEOUT);
    CloseHandle(native_event);
    mmf_event_close(event);

    CHECK_OK(mmf_semaphore_create_or_open("Bird", 1, 3, NULL, &created, &semaphore));
    native_semaphore =
        OpenSemaphoreW(SYNCHRONIZE | SEMAPHORE_MODIFY_STATE, FALSE, L"Bird");
    CHECK_INT(WaitForSingleObject(native_semaphore, 0), WAIT_OBJECT_0);
    CHECK_STATUS(mmf_semaphore_wait(semaphore, 0), MMF_TIMED_OUT);
    CHECK(ReleaseSemaphore(native_semaphore, 2, NULL));
    CHECK_OK(mmf_semaphore_release(semaphore, 1, &previous));
    CHECK_INT(previous, 2);
    CHECK(!ReleaseSemaphore(native_semaphore, 1, NULL));
    CloseHandle(native_semaphore);
    mmf_semaphore_close(semaphore);
}

/* A handle of the system's that mmf gave works with the system's functions. */
TEST(the_native_handle_is_the_sections)
{
    intptr_t handle = 0;
    mmf_map *map = NULL;
    char *bytes;

    CHECK_OK(mmf_map_create_new(NULL, CAPACITY, NULL, &map));
    CHECK_OK(mmf_map_native_handle(map, &handle));
    bytes = MapViewOfFile((HANDLE)handle, FILE_MAP_READ, 0, 0, 0);
    CHECK(bytes != NULL);
    CHECK_INT(bytes[CAPACITY - 1], 0);
    UnmapViewOfFile(bytes);
    mmf_map_close(map);
}
