/*
 * refusals_test.c - what Windows has not, and what the kernel refuses: each with the
 * way out in the message.
 */
#include "harness/check.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

static void
check_says(const char *part)
{
    if (strstr(mmf_last_message(), part) == NULL)
        CHECK_FAIL("\"%s\" does not say \"%s\"", mmf_last_message(), part);
}

static void
check_number(int32_t number)
{
    mmf_error error;

    mmf_last_error(&error);
    CHECK_INT(error.system_error, number);
}

TEST(no_descriptors)
{
    mmf_event *event = NULL;
    mmf_map *map = UNTOUCHED;
    int fd = -7;

    CHECK_FAILS(mmf_map_create_from_fd(0, NULL, 100, NULL, &map), MMF_E_PLATFORM);
    check_says("mmf_map_create_from_handle");
    CHECK((void *)map == UNTOUCHED);
    CHECK_OK(mmf_event_create_or_open("Cat", 0, 0, NULL, NULL, &event));
    CHECK_FAILS(mmf_waitable_fd(mmf_event_waitable(event), &fd), MMF_E_PLATFORM);
    check_says("mmf_wait_any");
    CHECK_INT(fd, -7);
    CHECK_FAILS(mmf_waitable_fd(NULL, &fd), MMF_E_NULL);
    mmf_event_close(event);
}

TEST(channels_have_none_either)
{
    mmf_latest *latest = NULL;
    mmf_topic *topic = NULL;
    mmf_queue *queue = NULL;
    int fd = -7;

    CHECK_OK(
        mmf_queue_create_or_open("Cat", 16, 4, MMF_OVERFLOW_BLOCK, NULL, NULL, &queue));
    CHECK_FAILS(mmf_queue_fd(queue, &fd), MMF_E_PLATFORM);
    check_says("wait in a thread");
    mmf_queue_close(queue);
    CHECK_OK(
        mmf_topic_create_or_open("Cat", 16, 4, MMF_OVERFLOW_BLOCK, NULL, NULL, &topic));
    CHECK_FAILS(mmf_topic_fd(topic, &fd), MMF_E_PLATFORM);
    mmf_topic_close(topic);
    CHECK_OK(mmf_latest_create_or_open("Cat", 16, NULL, NULL, &latest));
    CHECK_FAILS(mmf_latest_fd(latest, &fd), MMF_E_PLATFORM);
    mmf_latest_close(latest);
    CHECK_INT(fd, -7);
}

TEST(the_systems_numbers_come_along)
{
    mmf_mutex *mutex = NULL;
    mmf_event *event = UNTOUCHED;
    mmf_map *map = UNTOUCHED;

    CHECK_FAILS(mmf_map_open_existing("Cat", NULL, &map), MMF_E_NOT_FOUND);
    check_number(ERROR_FILE_NOT_FOUND);
    check_says("no such map: \"Cat\"");
    CHECK_OK(mmf_mutex_create_or_open("Cat", 0, NULL, NULL, &mutex));
    CHECK_FAILS(mmf_map_create_new("Cat", 1, NULL, &map), MMF_E_WRONG_KIND);
    check_number(ERROR_INVALID_HANDLE);
    check_says("a mutex");
    CHECK_FAILS(mmf_event_create_or_open("Cat", 0, 0, NULL, NULL, &event),
                MMF_E_WRONG_KIND);
    check_says("a mutex");
    CHECK_FAILS(mmf_mutex_release(mutex), MMF_E_NOT_OWNER);
    check_number(ERROR_NOT_OWNER);
    mmf_mutex_close(mutex);
}

/* A kind that mmf has not may have the name, too. */
TEST(a_timer_has_the_name)
{
    HANDLE timer = CreateWaitableTimerW(NULL, TRUE, L"Cat");
    mmf_semaphore *semaphore = UNTOUCHED;
    mmf_map *map = UNTOUCHED;

    CHECK(timer != NULL);
    CHECK_FAILS(mmf_map_create_or_open("Cat", 1, NULL, NULL, &map), MMF_E_WRONG_KIND);
    check_says("another kind");
    CHECK_FAILS(mmf_semaphore_create_or_open("Cat", 0, 1, NULL, NULL, &semaphore),
                MMF_E_WRONG_KIND);
    CloseHandle(timer);
}

TEST(no_text)
{
    static const char *const texts[] = {"\xff", "Cat\x80", "Global\\\xc3",
                                        "\xed\xa0\x80" /* half a pair */};
    mmf_mutex *mutex = UNTOUCHED;
    mmf_map *map = UNTOUCHED;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        CHECK_CONTEXT("text %zu", i);
        CHECK_FAILS_PARAM(mmf_map_create_new(texts[i], 1, NULL, &map), MMF_E_INVALID,
                          "mapName");
        check_says("UTF-8");
        CHECK_FAILS_PARAM(mmf_mutex_create_or_open(texts[i], 0, NULL, NULL, &mutex),
                          MMF_E_INVALID, "name");
        CHECK_FAILS_PARAM(mmf_map_create_from_file(texts[i], MMF_FILE_MODE_CREATE, NULL,
                                                   1, NULL, &map),
                          MMF_E_INVALID, "path");
    }
}

/* Beyond 260 characters paths need a prefix, which the caller need not know. */
TEST(a_path_of_500_characters)
{
    wchar_t wide[600];
    char path[600];
    mmf_map *map = NULL;

    snprintf(path, sizeof(path), "%s/%0100d/%0100d", harness_dir(), 0, 0);
    CHECK_FAILS(
        mmf_map_create_from_file(path, MMF_FILE_MODE_CREATE_NEW, NULL, 100, NULL, &map),
        MMF_E_PATH_NOT_FOUND); /* its directory is not there */
    snprintf(path, sizeof(path), "%s/%0240d", harness_dir(), 0);
    CHECK_OK(mmf_map_create_from_file(path, MMF_FILE_MODE_CREATE_NEW, NULL, 100, NULL,
                                      &map));
    mmf_map_close(map);
    map = UNTOUCHED;
    CHECK_FAILS(
        mmf_map_create_from_file(path, MMF_FILE_MODE_CREATE_NEW, NULL, 100, NULL, &map),
        MMF_E_EXISTS);
    CHECK_OK(mmf_map_create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0, NULL, &map));
    mmf_map_close(map);
    swprintf(wide, COUNT_OF(wide), L"\\\\?\\%hs", path);
    for (wchar_t *c = wide; *c != L'\0'; c++)
        if (*c == L'/')
            *c = L'\\';
    CHECK(DeleteFileW(wide));
}
