/*
 * system_windows.c - what the runner needs of the system.
 */
#include "harness/check.h"
#include "harness/internal.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <windows.h>

long
system_thread_id(void)
{
    return (long)GetCurrentThreadId();
}

/*
 * The system's own libraries open a few handles at the first call of this and that,
 * which are no leak.
 */
static void
warm_up(void)
{
    mmf_accessor *view;
    mmf_map *map;

    mmf_map_open_existing("mmf-test-none", NULL, &map);
    if (mmf_map_create_new("mmf-test-warm-up", 1, NULL, &map) < 0)
        return;
    if (mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view) == MMF_OK)
        mmf_accessor_close(view);
    mmf_map_close(map);
}

/* No line ends but ours, nothing kept back, no window that waits for a click. */
void
system_prepare(int is_role)
{
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
    setvbuf(stdout, NULL, _IONBF, 0);
    setvbuf(stderr, NULL, _IONBF, 0);
    if (!is_role)
        warm_up();
}

/*
 * Names are the kernel's, and all processes of this session share them: tests have
 * unlike names, or run one after the other. The directory is for files.
 */
int
system_make_namespace(char dir[HARNESS_DIR_SIZE])
{
    static unsigned long count;
    char place[MAX_PATH];

    if (GetTempPathA(sizeof(place), place) == 0)
        return -1;
    do {
        snprintf(dir, HARNESS_DIR_SIZE, "%smmf-test-%lu-%lu", place,
                 (unsigned long)GetCurrentProcessId(), ++count);
        if (CreateDirectoryA(dir, NULL))
            return 0;
    } while (GetLastError() == ERROR_ALREADY_EXISTS);
    fprintf(stderr, "make %s: error %lu\n", dir, (unsigned long)GetLastError());
    dir[0] = '\0';
    return -1;
}

/* '*' is any text, '?' one character. */
int
system_matches(const char *pattern, const char *name)
{
    for (; *pattern != '\0'; pattern++, name++) {
        if (*pattern == '*') {
            for (; *name != '\0'; name++)
                if (system_matches(pattern + 1, name))
                    return 1;
            return system_matches(pattern + 1, name);
        }
        if (*name == '\0' || (*pattern != '?' && *pattern != *name))
            return 0;
    }
    return *name == '\0';
}

int64_t
now_us(void)
{
    LARGE_INTEGER ticks, per_second;

    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&per_second);
    return (int64_t)((double)ticks.QuadPart * 1e6 / (double)per_second.QuadPart);
}

void
nap_us(int64_t length)
{
    Sleep((DWORD)((length + 999) / 1000));
}

/*
 * What Windows has, or Wine.
 */

void
need_fork(void)
{
    harness_skip("Windows forks no processes: no handle can be dead and still there");
}

void
need_other_users(void)
{
    harness_skip("Wine runs all programs as one user");
}

void
need_modes(void)
{
    harness_skip("Windows has access lists, not permission bits");
}

int
kernel_has_names(void)
{
    return 1;
}

/* 32,767 with the directory that the kernel puts before it. */
size_t
longest_name(void)
{
    return 32767 - 64;
}
