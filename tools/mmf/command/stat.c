/* stat.c - mmf stat: everything known about one object. */
#include "command/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/say.h"
#include "base/table.h"
#include "base/text.h"
#include "base/units.h"
#include "object/kinds.h"
#include "object/objects.h"
#include "os/os.h"

static void
print_line(void *payload, const char *title, const char *text)
{
    (void)payload;
    printf("%12s  %s\n", title, text);
}

static void
print_text(const char *title, char *text)
{
    print_line(NULL, title, text);
    free(text);
}

static char *
bytes_text(int64_t bytes)
{
    char text[UNITS_TEXT_SIZE];

    if (bytes < 1024)
        return text_format("%lld bytes", (long long)bytes);
    return text_format("%lld bytes (%s)", (long long)bytes,
                       units_show_bytes(bytes, text));
}

static char *
created_text(const mmf_object_info *info)
{
    char age[UNITS_TEXT_SIZE];
    char when[64] = "?";
    struct tm local;
    char *command = text_escape_string(info->creator_command);
    char *text;

    if (os_local_time(info->created / 1000000000, &local))
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &local);
    text = text_format(
        command[0] != '\0' ? "%s, %s ago, by %d (%s)" : "%s, %s ago, by %d%s", when,
        units_show_age(objects_age(info), age), info->creator_pid, command);
    free(command);
    return text;
}

static void
print_object(const mmf_object_info *info)
{
    char mode[16];

    print_line(NULL, "kind", mmf_kind_name(info->kind));
    if (info->capacity > 0)
        print_text("size", bytes_text(info->capacity));
    if (os_keeps_records)
        print_text("resident", bytes_text(info->resident));
    if (os_keeps_records || info->created != 0)
        print_text("created", created_text(info));
    if (os_keeps_records)
        print_text("mode", text_format("%s, of %s", objects_mode(info->mode, mode),
                                       text_user(info->owner)));
    kinds_describe(info, print_line, NULL);
    if (info->holders > 0)
        print_text("holders", objects_holders(info, "\n              ", 1));
}

static const char *
status_text(mmf_object_status status)
{
    switch (status) {
    case MMF_OBJECT_IN_USE:
        return "in use";
    case MMF_OBJECT_ORPHANED:
        return "orphaned: no process has it open; the next call that may removes it";
    case MMF_OBJECT_INVALID:
        return "invalid: not an mmf object, or damaged; left alone";
    case MMF_OBJECT_INACCESSIBLE:
        return "inaccessible: it belongs to another user, and you may not read it";
    default:
        return "?";
    }
}

static void
print_all(const mmf_object_info *info)
{
    print_text("name", text_escape_string(info->name));
    print_line(NULL, "status", status_text(info->status));
    if (info->status == MMF_OBJECT_IN_USE || info->status == MMF_OBJECT_ORPHANED)
        print_object(info);
    print_text(os_path_title, os_show_path(info->path));
}

/*
 * Without --all-users a list does not read what others have made: but this name was asked
 * for. A list of all users has the counters already.
 */
static void
show_with_counters(const mmf_object_info *info,
                   void (*show)(void *payload, const mmf_object_info *info),
                   void *payload)
{
    mmf_object_info with_counters = *info;
    mmf_channel_stats stats;

    if (info->channel == NULL && info->status == MMF_OBJECT_IN_USE &&
        info->kind >= MMF_KIND_QUEUE && info->kind <= MMF_KIND_SERVICE &&
        mmf_channel_stat(info->name, &stats) == MMF_OK)
        with_counters.channel = &stats;
    show(payload, &with_counters);
}

/* Every object of a name that is not unknown: with --all-users there may be several. */
static void
visit(const struct args *args, const struct objects *objects,
      void (*show)(void *payload, const mmf_object_info *info), void *payload)
{
    for (int i = 0; i < args->count; i++) {
        const char *name = args_name(args->operands[i]);

        if (objects_find(objects, name) == NULL)
            say_and_exit(TOOL_NO_OBJECT, "no such object: \"%s\"; mmf ls lists them",
                         args->operands[i]);
        for (int32_t j = 0; j < objects->count; j++)
            if (objects_is(objects->at[j].info, name))
                show_with_counters(objects->at[j].info, show, payload);
    }
}

static void
add_json(void *payload, const mmf_object_info *info)
{
    table_json_append(payload, objects_json(info));
}

static void
print_next(void *payload, const mmf_object_info *info)
{
    int *is_first = payload;

    if (!*is_first)
        putchar('\n');
    *is_first = 0;
    print_all(info);
}

static int
run(struct args *args)
{
    struct objects_choice choice = objects_choose(args);
    struct objects objects;
    int is_first = 1;

    for (int i = 0; i < args->count; i++)
        args_name(args->operands[i]);
    objects_read(&objects, choice, MMF_LIST_KEEP_ORPHANED | MMF_LIST_HOLDERS);
    if (args_value(args, "json") != NULL) {
        json_t *all = table_json(json_object());
        json_t *array = table_json(json_array());

        visit(args, &objects, add_json, array);
        table_json_set(all, "objects", array);
        table_print_json(all);
    } else {
        visit(args, &objects, print_next, &is_first);
    }
    objects_close(&objects);
    return TOOL_DONE;
}

static const struct option_spec options[] = {
    OBJECTS_OPTIONS, {"json", 'j', NULL, "print JSON"}, {NULL, 0, NULL, NULL}};

const struct command command_stat = {.name = "stat",
                                     .alias = "info",
                                     .operands = "NAME...",
                                     .summary = "show everything about an object",
                                     .example = "mmf stat Cat",
                                     .options = options,
                                     .kinds = ARGS_ALL_KINDS,
                                     .least = 1,
                                     .most = -1,
                                     .run = run};
