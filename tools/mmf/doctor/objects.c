/* objects.c - what is wrong with the objects that there are, and whose they are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

#include "base/text.h"
#include "base/units.h"
#include "doctor/doctor.h"
#include "os/os.h"

/*
 * Stopped processes: each is named once, with what it has open.
 */

static int
holds(const mmf_object_info *info, int32_t pid)
{
    for (int32_t i = 0; i < info->process_count; i++)
        if (info->processes[i].pid == pid)
            return 1;
    return 0;
}

/* An object before this one has it open, so it was reported. */
static int
was_reported(const struct objects *objects, int32_t before, int32_t pid)
{
    for (int32_t i = 0; i < before; i++)
        if (holds(objects->at[i].info, pid))
            return 1;
    return 0;
}

static void
report_stopped(const struct objects *objects, int32_t index,
               const mmf_holder_info *process)
{
    int others = 0;

    for (int32_t i = index + 1; i < objects->count; i++)
        others += holds(objects->at[i].info, process->pid);
    doctor_report_made(
        DOCTOR_WARN, "stopped",
        others > 0 ? text_format("%d (%s) is stopped and has \"%s\" open, and %d more",
                                 process->pid, process->command,
                                 objects->at[index].info->name, others)
                   : text_format("%d (%s) is stopped and has \"%s\" open", process->pid,
                                 process->command, objects->at[index].info->name),
        "A stopped process is not dead: what it owns stays owned.",
        doctor_wake(process->pid));
}

/* Another user's local name is another one to us. */
static char *
lock_fix(const mmf_object_info *info)
{
    static const char then[] = "# after you have looked at it";

    if (os_keeps_records && info->owner != os_user() &&
        strncmp(info->name, "Global\\", 7) != 0)
        return doctor_fix(
            info->name,
            "setpriv --reuid %u --regid %u --clear-groups mmf lock {} true %s",
            info->owner, info->owner, then);
    return doctor_fix(info->name, "mmf lock {} true %s", then);
}

static void
report_mutex(const mmf_object_info *info)
{
    if (info->sync->corrupt)
        doctor_report_made(
            DOCTOR_BAD, "damaged",
            text_format("the shared words of \"%s\" make no sense", info->name),
            "A process that may write its file has damaged it; waits return "
            "MMF_E_CORRUPT.",
            text_format("end all processes that have it open, and start them again"));
    else if (info->sync->abandoned)
        doctor_report_made(
            DOCTOR_WARN, "abandoned",
            text_format("the mutex \"%s\" is abandoned: its owner died", info->name),
            "What it guards may be half done; the next owner gets MMF_ABANDONED.",
            lock_fix(info));
}

/*
 * Users.
 */

enum { SHOWN_USERS = 3 };
#define MUCH ((int64_t)64 << 20)

struct largest {
    char *text;
    int users;
    int is_much;
};

static void
add_user(void *payload, const struct os_usage *usage)
{
    struct largest *largest = payload;
    int64_t bytes = usage->bytes + usage->other_bytes;
    char all[UNITS_TEXT_SIZE], ours[UNITS_TEXT_SIZE];
    char *longer;

    if (largest->users++ >= SHOWN_USERS || bytes == 0)
        return;
    largest->is_much |= usage->user != os_user() && bytes >= MUCH;
    longer = text_format("%s%s%s %s (%d objects %s)", largest->text,
                         largest->text[0] != '\0' ? ", " : "", text_user(usage->user),
                         units_show_bytes(bytes, all), usage->objects,
                         units_show_bytes(usage->bytes, ours));
    free(largest->text);
    largest->text = longer;
}

static void
check_users(void)
{
    struct largest largest = {.text = text_format("%s", "")};

    os_visit_usage(add_user, &largest);
    if (largest.text[0] != '\0')
        doctor_report_made(largest.is_much ? DOCTOR_NOTE : DOCTOR_GOOD, "users",
                           text_format("the largest users: %s", largest.text),
                           "Their files and objects share one space.",
                           text_format("mmf ls --totals; mmf ls --all-users "
                                       "--sort=-resident"));
    free(largest.text);
}

void
doctor_check_objects(struct objects_choice choice)
{
    struct objects objects;

    check_users();
    if (objects_try(&objects, choice, MMF_LIST_KEEP_ORPHANED | MMF_LIST_HOLDERS) < 0)
        return; /* the directory's check has said it */
    for (int32_t i = 0; i < objects.count; i++) {
        const mmf_object_info *info = objects.at[i].info;

        for (int32_t j = 0; j < info->process_count; j++)
            if (info->processes[j].stopped &&
                !was_reported(&objects, i, info->processes[j].pid))
                report_stopped(&objects, i, &info->processes[j]);
        if (info->sync != NULL)
            report_mutex(info);
    }
    objects_close(&objects);
}
