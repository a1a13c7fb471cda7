/* doctor_system.c - memory, limits, and which system this is. */
#include "doctor/doctor.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "base/text.h"
#include "base/units.h"
#include "windows/nt.h"

#define SMALL_MEMORY ((uint64_t)64 << 20)

/* Maps that are no file's count against what the machine has promised in all. */
static void
check_memory(void)
{
    MEMORYSTATUSEX memory = {.dwLength = sizeof(memory)};
    char available[UNITS_TEXT_SIZE];
    char left[UNITS_TEXT_SIZE];
    int is_small;

    if (!GlobalMemoryStatusEx(&memory))
        return;
    is_small =
        memory.ullAvailPageFile < SMALL_MEMORY || memory.ullAvailPhys < SMALL_MEMORY;
    doctor_report_made(
        is_small ? DOCTOR_WARN : DOCTOR_GOOD, "memory",
        text_format("the machine has %s of memory available, and can promise %s more",
                    units_show_bytes((int64_t)memory.ullAvailPhys, available),
                    units_show_bytes((int64_t)memory.ullAvailPageFile, left)),
        "A map that needs more is refused with MMF_E_NO_MEMORY.",
        text_format("end programs, or enlarge the page file"));
}

static void
report_limit(const char *whose, SIZE_T limit)
{
    char bytes[UNITS_TEXT_SIZE];

    doctor_report_made(limit < SMALL_MEMORY ? DOCTOR_WARN : DOCTOR_NOTE, "job",
                       text_format("the job of this process lets %s have %s of memory",
                                   whose, units_show_bytes((int64_t)limit, bytes)),
                       "Maps count as memory of the process that creates them.",
                       text_format("raise the job's limit, or that of the container"));
}

static void
check_job(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limit;
    DWORD flags;

    if (!QueryInformationJobObject(NULL, JobObjectExtendedLimitInformation, &limit,
                                   sizeof(limit), NULL))
        return; /* it is in none */
    flags = limit.BasicLimitInformation.LimitFlags;
    if (flags & JOB_OBJECT_LIMIT_PROCESS_MEMORY)
        report_limit("each process", limit.ProcessMemoryLimit);
    if (flags & JOB_OBJECT_LIMIT_JOB_MEMORY)
        report_limit("all of them", limit.JobMemoryLimit);
}

static void
check_version(void)
{
    OSVERSIONINFOW version = {.dwOSVersionInfoSize = sizeof(version)};

    if (RtlGetVersion(&version) < 0)
        return;
    doctor_report_made(DOCTOR_GOOD, "version",
                       text_format("Windows %lu.%lu, build %lu",
                                   (unsigned long)version.dwMajorVersion,
                                   (unsigned long)version.dwMinorVersion,
                                   (unsigned long)version.dwBuildNumber),
                       NULL, NULL);
}

static void
check_wine(void)
{
    typedef const char *(*get_version)(void);
    FARPROC found = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version");
    get_version ask;

    if (found == NULL)
        return;
    memcpy(&ask, &found, sizeof(ask));
    doctor_report_made(DOCTOR_NOTE, "Wine",
                       text_format("this is Wine %s, and not Windows", ask()),
                       "It checks fewer rights, and lists one session; "
                       "docs/platforms.md says what else differs.",
                       NULL);
}

void
doctor_check_system(void)
{
    check_memory();
    check_job();
    check_version();
    check_wine();
}
