/* doctor_name.c - why a name cannot be opened: other places, orphaned objects, other users. */
#include "doctor/doctor.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mmf/mmf.h>

#include "base/say.h"
#include "base/text.h"
#include "linux/directory.h"
#include "object/objects.h"

const char doctor_whose[] = "visible to this user only";

char *
doctor_directory(void)
{
    return text_format("%s", directory_root());
}

/* A process without MMF_DIR, or with another one, has its names elsewhere. */
void
doctor_search_elsewhere(const char *name)
{
    const char *set = secure_getenv("MMF_DIR");
    char *kept = set != NULL ? text_format("%s", set) : NULL;
    struct objects objects;

    if (kept == NULL || strcmp(kept, "/dev/shm") == 0) {
        free(kept);
        return;
    }
    setenv("MMF_DIR", "/dev/shm", 1);
    if (objects_try(&objects, objects_own, MMF_LIST_KEEP_ORPHANED) == MMF_OK) {
        if (objects_find(&objects, name) != NULL)
            doctor_report_made(
                DOCTOR_NOTE, "MMF_DIR",
                text_format("it exists in /dev/shm; MMF_DIR is %s here", kept),
                "Programs that share names need the same MMF_DIR.",
                text_format("unset MMF_DIR"));
        objects_close(&objects);
    }
    setenv("MMF_DIR", kept, 1);
    free(kept);
}

static int
report_orphaned(const mmf_object_info *info)
{
    doctor_report_made(
        DOCTOR_BAD, "name",
        text_format("\"%s\" is orphaned: no process has it open; %d (%s) created it",
                    info->name, info->creator_pid, info->creator_command),
        info->owner == geteuid() || geteuid() == 0
            ? "The name is free; the next create gets it, all zero."
            : "It belongs to another user, and only that user or root can remove it; "
              "until "
              "then the name cannot be created.",
        text_format(info->owner == geteuid() || geteuid() == 0 ? "mmf gc"
                                                               : "sudo mmf gc"));
    return TOOL_NO_OBJECT;
}

static int
report_invalid(const mmf_object_info *info)
{
    doctor_report_made(
        DOCTOR_BAD, "name", text_format("%s is not a valid mmf object", info->path),
        "It is left alone, and a program that opens the name "
        "gets MMF_E_CORRUPT.",
        doctor_fix(info->path, "fuser -v {}; rm {} # if you know what it is"));
    return TOOL_DAMAGED;
}

static int
report_inaccessible(const mmf_object_info *info)
{
    doctor_report_made(
        DOCTOR_BAD, "name",
        text_format("%s belongs to another user, and you may not read it", info->path),
        "The mode of a global name says which users may open it; the default, 600, "
        "permits only its owner.",
        doctor_fix(info->path, "ls -l {} # and create it with another mode: mmf create "
                               "--mode 660"));
    return TOOL_DENIED;
}

int
doctor_check_closed(const mmf_object_info *info)
{
    switch (info->status) {
    case MMF_OBJECT_ORPHANED:
        return report_orphaned(info);
    case MMF_OBJECT_INACCESSIBLE:
        return report_inaccessible(info);
    default:
        return report_invalid(info);
    }
}

char *
doctor_let_write(const mmf_object_info *info)
{
    return doctor_fix(info->path, "chmod g+w {} # by its owner");
}

char *
doctor_wake(int pid)
{
    return text_format("kill -CONT %d # or: kill -KILL %d", pid, pid);
}
