/* doctor_name.c - why this process can or cannot open one name. */
#include "doctor/doctor.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <mmf/mmf.h>

#include "base/say.h"
#include "base/text.h"
#include "object/kinds.h"
#include "object/objects.h"

/*
 * A name that does not exist.
 */

static void
suggest_similar(const struct objects *objects, const char *name)
{
    const char *plain = strncmp(name, "Global\\", 7) == 0 ? name + 7 : name;

    for (int32_t i = 0; i < objects->count; i++) {
        const char *other = objects->at[i].info->name;
        const char *other_plain =
            strncmp(other, "Global\\", 7) == 0 ? other + 7 : other;

        if (strcasecmp(plain, other_plain) == 0)
            doctor_report_made(DOCTOR_NOTE, "similar",
                               text_format("there is \"%s\"", other),
                               "Names are compared byte by byte, and Global\\ makes "
                               "another name.",
                               doctor_fix(other, "mmf stat {}"));
    }
}

static int
report_missing(const struct objects *objects, const char *name)
{
    char *directory = doctor_directory();
    char *why = text_format("It was never created, or its last process has closed it. "
                            "Names without Global\\ are %s.",
                            doctor_whose);

    doctor_report_made(
        DOCTOR_BAD, "name",
        text_format("no such object: \"%s\" in %s", name, directory), why,
        doctor_fix(name, "mmf create {} SIZE # or start the program that creates it"));
    free(why);
    free(directory);
    suggest_similar(objects, name);
    doctor_search_elsewhere(name);
    return TOOL_NO_OBJECT;
}

/*
 * A name that exists.
 */

static int
try_map(const mmf_object_info *info, mmf_rights rights)
{
    mmf_map_options options;
    mmf_map *map;
    int rc;

    mmf_map_options_init(&options);
    options.rights = rights;
    rc = mmf_map_open_existing(info->name, &options, &map);
    if (rc == MMF_OK)
        mmf_map_close(map);
    return rc;
}

static int
try_sync(const mmf_object_info *info)
{
    mmf_waitable *waitable = NULL;
    int rc = mmf_waitable_open_existing(info->name, NULL, NULL, &waitable);

    mmf_waitable_close(waitable);
    return rc;
}

/* Open it, as a program does. */
static int
try_open(const mmf_object_info *info)
{
    int rc;

    if (info->sync != NULL) {
        rc = try_sync(info);
    } else if (info->kind == MMF_KIND_MAP) {
        rc = try_map(info, MMF_RIGHTS_READ_WRITE);
        if (rc == MMF_E_ACCESS && try_map(info, MMF_RIGHTS_READ) == MMF_OK) {
            doctor_report_made(
                DOCTOR_WARN, "open",
                text_format("this process can open \"%s\" only for reading",
                            info->name),
                "Its owner does not permit writing.", doctor_let_write(info));
            return TOOL_DONE;
        }
    } else {
        return TOOL_DONE;
    }
    if (rc < 0) {
        doctor_report(DOCTOR_BAD, "open", mmf_last_message(),
                      "A program gets this error.", NULL);
        return say_status_of(rc);
    }
    doctor_report_made(DOCTOR_GOOD, "open",
                       text_format("this process can open \"%s\"", info->name), NULL,
                       NULL);
    return TOOL_DONE;
}

static void
report_stopped(const mmf_object_info *info)
{
    for (int32_t i = 0; i < info->process_count; i++) {
        const mmf_holder_info *process = &info->processes[i];

        if (process->stopped)
            doctor_report_made(
                DOCTOR_WARN, "stopped",
                text_format("%d (%s) has it open and is stopped", process->pid,
                            process->command),
                "A stopped process is not dead: what it owns stays owned.",
                doctor_wake(process->pid));
    }
}

static void
report_state(const mmf_object_info *info)
{
    char *state = kinds_state(info);
    char *holders = objects_holders(info, ", ", 1);

    doctor_report_made(DOCTOR_GOOD, "name",
                       text_format("\"%s\" is a %s in use%s%s", info->name,
                                   mmf_kind_name(info->kind),
                                   state[0] != '\0' ? ": " : "", state),
                       NULL, NULL);
    doctor_report_made(DOCTOR_GOOD, "holders", text_format("holders: %s", holders),
                       NULL, NULL);
    free(state);
    free(holders);
    if (info->sync != NULL && info->sync->corrupt)
        doctor_report(DOCTOR_BAD, "state", "its shared words make no sense",
                      "A process that may write its file has damaged it; waits return "
                      "MMF_E_CORRUPT.",
                      "end all processes that have it open, and start them again");
    report_stopped(info);
}

int
doctor_check_name(const char *name, struct objects_choice choice)
{
    const mmf_object_info *info;
    struct objects objects;
    int status;
    int rc = objects_try(&objects, choice, MMF_LIST_KEEP_ORPHANED | MMF_LIST_HOLDERS);

    if (rc < 0) {
        doctor_check_directory();
        return say_status_of(rc);
    }
    info = objects_find(&objects, name);
    if (info == NULL)
        status = report_missing(&objects, name);
    else if (info->status != MMF_OBJECT_IN_USE)
        status = doctor_check_closed(info);
    else {
        report_state(info);
        status = try_open(info);
    }
    objects_close(&objects);
    return status;
}
