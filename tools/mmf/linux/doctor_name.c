/* doctor_name.c - why a name cannot be opened: other places, the dead, other users. */
#include "doctor.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mmf/mmf.h>

#include "linux/place.h"
#include "objects.h"
#include "say.h"
#include "text.h"

const char doctor_whose[] = "this user's alone";

char *
doctor_place(void)
{
    return text_format("%s", place_root());
}

/* Whoever has no MMF_DIR, or another one, looks elsewhere. */
void
doctor_look_elsewhere(const char *name)
{
    const char *set = secure_getenv("MMF_DIR");
    char *kept = set != NULL ? text_format("%s", set) : NULL;
    mmf_list *list;

    if (kept == NULL || strcmp(kept, "/dev/shm") == 0) {
        free(kept);
        return;
    }
    setenv("MMF_DIR", "/dev/shm", 1);
    if (mmf_list_create(MMF_LIST_KEEP_ORPHANED, &list) == MMF_OK) {
        if (objects_find(list, name) != NULL)
            doctor_report_made(
                DOCTOR_NOTE, "MMF_DIR",
                text_format("but /dev/shm has one: MMF_DIR is %s here", kept),
                "Programs that shall meet need the same MMF_DIR.",
                text_format("unset MMF_DIR"));
        mmf_list_close(list);
    }
    setenv("MMF_DIR", kept, 1);
    free(kept);
}

static int
report_dead(const mmf_object_info *info)
{
    doctor_report_made(
        DOCTOR_BAD, "name",
        text_format("\"%s\" is dead: its last holder, maybe %d (%s), is gone",
                    info->name, info->creator_pid, info->creator_command),
        info->owner == geteuid() || geteuid() == 0
            ? "The name is free; the next create gets it, with fresh zero bytes."
            : "It belongs to another user, who alone can remove it; until then the "
              "name cannot be made.",
        text_format(info->owner == geteuid() || geteuid() == 0 ? "mmf gc"
                                                               : "sudo mmf gc"));
    return TOOL_NO_OBJECT;
}

static int
report_foreign(const mmf_object_info *info)
{
    doctor_report_made(DOCTOR_BAD, "name",
                       text_format("%s is no sound mmf object", info->path),
                       "It is left alone, and whoever wants the name gets "
                       "MMF_E_CORRUPT.",
                       text_format("fuser -v '%s'; rm '%s' # if you know what it is",
                                   info->path, info->path));
    return TOOL_DAMAGED;
}

static int
report_hidden(const mmf_object_info *info)
{
    doctor_report_made(
        DOCTOR_BAD, "name",
        text_format("%s is another user's, who does not let us read it", info->path),
        "A global name is open to others as far as its mode says; the default, 600, "
        "is to nobody.",
        text_format("ls -l '%s' # and have it made with another mode: mmf create "
                    "--mode 660",
                    info->path));
    return TOOL_DENIED;
}

int
doctor_look_at_closed(const mmf_object_info *info)
{
    switch (info->status) {
    case MMF_OBJECT_ORPHANED:
        return report_dead(info);
    case MMF_OBJECT_INACCESSIBLE:
        return report_hidden(info);
    default:
        return report_foreign(info);
    }
}

char *
doctor_let_write(const mmf_object_info *info)
{
    return text_format("chmod g+w '%s' # by its owner", info->path);
}

char *
doctor_wake(int pid)
{
    return text_format("kill -CONT %d # or: kill -KILL %d", pid, pid);
}
