/*
 * gc.c - mmf gc: remove orphaned objects. An object is orphaned when no process holds
 * its lock; the kernel releases the lock however a process ends.
 */
#include "command/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

#include "base/say.h"
#include "base/table.h"
#include "base/text.h"
#include "base/units.h"
#include "object/columns.h"
#include "os/namespaces.h"
#include "os/os.h"

static int dry_run;
static int namespaces;

static const char *const shown[] = {"name",     "kind", "owner",
                                    "resident", "age",  "creator"};

enum { SHOWN = sizeof(shown) / sizeof(shown[0]) };

static void
print_table(const struct objects *objects)
{
    const struct column *of[SHOWN];
    struct table_column columns[SHOWN];
    struct table *table;

    for (size_t i = 0; i < SHOWN; i++) {
        of[i] = columns_find(shown[i], strlen(shown[i]));
        columns[i] = (struct table_column){of[i]->title, of[i]->flags};
    }
    table = table_new(columns, SHOWN, 1);
    for (int32_t i = 0; i < objects->count; i++) {
        struct table_line *line = table_line(table);

        for (size_t j = 0; j < SHOWN; j++)
            table_give(line, j, of[j]->show(&objects->at[i], 0));
    }
    table_print(table);
}

static void
print_summary(const mmf_gc_result *result, int is_all)
{
    char bytes[UNITS_TEXT_SIZE];

    printf("%d orphaned %s, %s %s", result->removed, dry_run ? "to remove" : "removed",
           units_show_bytes(result->bytes, bytes), dry_run ? "to free" : "freed");
    if (is_all)
        printf("; %d in use", result->in_use);
    if (result->refused > 0)
        printf("; %d orphaned of other users, which only they can remove",
               result->refused);
    if (result->invalid > 0)
        printf("; %d invalid, left alone", result->invalid);
    if (namespaces > 0)
        printf("; %d left by mmf run %s", namespaces,
               dry_run ? "to remove" : "removed");
    putchar('\n');
}

static void
print_json(const struct objects *objects, const mmf_gc_result *result)
{
    json_t *all = table_json(json_object());
    json_t *orphaned = table_json(json_array());

    for (int32_t i = 0; i < objects->count; i++)
        table_json_append(orphaned, objects_json(objects->at[i].info));
    table_json_set(all, "dry_run", json_boolean(dry_run));
    table_json_set(all, "removed", json_integer(result->removed));
    table_json_set(all, "bytes", json_integer(result->bytes));
    table_json_set(all, "in_use", json_integer(result->in_use));
    table_json_set(all, "refused", json_integer(result->refused));
    table_json_set(all, "invalid", json_integer(result->invalid));
    table_json_set(all, "namespaces", json_integer(namespaces));
    table_json_set(all, "orphaned", orphaned);
    table_print_json(all);
}

/*
 * By name.
 */

/* Opening an orphaned object removes it, and finds none. */
static int
remove_one(const mmf_object_info *info, mmf_gc_result *result)
{
    mmf_map *map = NULL;
    int rc = dry_run ? MMF_E_NOT_FOUND : mmf_map_open_existing(info->name, NULL, &map);

    mmf_map_close(map);
    if (rc == MMF_OK || rc == MMF_E_WRONG_KIND) {
        say("\"%s\" was created anew meanwhile", info->name);
        return TOOL_BUSY;
    }
    if (rc != MMF_E_NOT_FOUND)
        return say_failure(rc);
    result->removed++;
    result->bytes += info->resident;
    return TOOL_DONE;
}

static int
remove_name(const struct objects *objects, const char *name, mmf_gc_result *result)
{
    const mmf_object_info *info = objects_find(objects, name);

    if (info == NULL) {
        say("no such object: \"%s\"; mmf ls --orphaned lists them", name);
        return TOOL_NO_OBJECT;
    }
    if (info->status == MMF_OBJECT_IN_USE) {
        char *holders = objects_holders(info, ", ", 0);

        say("\"%s\" is in use: %s; it goes with its last process", name, holders);
        free(holders);
        return TOOL_BUSY;
    }
    if (info->status == MMF_OBJECT_ORPHANED)
        return remove_one(info, result);
    say("\"%s\" is %s and left alone: mmf doctor says more", name,
        objects_status(info->status));
    return TOOL_DAMAGED;
}

/* The first failure is the status. */
static int
remove_names(const struct args *args, const struct objects *objects,
             mmf_gc_result *result)
{
    int status = TOOL_DONE;

    for (int i = 0; i < args->count; i++) {
        int rc = remove_name(objects, args_name(args->operands[i]), result);

        status = status == TOOL_DONE ? rc : status;
    }
    return status;
}

/*
 * All of them.
 */

/* Of all there are, those that are orphaned and were named. */
static void
keep_orphaned(const struct args *args, struct objects *objects)
{
    int32_t count = 0;

    for (int32_t i = 0; i < objects->count; i++) {
        int is_named = args->count == 0;

        for (int j = 0; j < args->count; j++)
            is_named |= objects_is(objects->at[i].info, args_name(args->operands[j]));
        if (is_named && objects->at[i].info->status == MMF_OBJECT_ORPHANED)
            objects->at[count++] = objects->at[i];
    }
    objects->count = count;
}

static void
remove_all(struct objects_choice choice, mmf_gc_result *result)
{
    mmf_list_flags flags = choice.all_users ? MMF_LIST_ALL_USERS : 0;

    say_check(mmf_gc(dry_run ? flags | MMF_LIST_KEEP_ORPHANED : flags, result));
    namespaces = namespaces_clean_up(dry_run);
}

static int
run(struct args *args)
{
    struct objects_choice choice = objects_choose(args);
    mmf_gc_result result = {0};
    struct objects objects;
    int status = TOOL_DONE;

    dry_run = args_value(args, "dry-run") != NULL;
    if (choice.all_users && args->count > 0)
        say_usage("--all-users and a name: say whose it is with --user");
    if (choice.one_user)
        os_become_user(choice.user); /* with no more than that user's rights */
    objects_read(&objects, choice, MMF_LIST_KEEP_ORPHANED | MMF_LIST_HOLDERS);
    if (args->count > 0)
        status = remove_names(args, &objects, &result);
    else
        remove_all(choice, &result);
    keep_orphaned(args, &objects);
    if (args_value(args, "json") != NULL) {
        print_json(&objects, &result);
    } else if (args->count == 0 || result.removed > 0) {
        if (objects.count > 0)
            print_table(&objects);
        print_summary(&result, args->count == 0);
    }
    objects_close(&objects);
    return status;
}

static const struct option_spec options[] = {
    OBJECTS_OPTIONS,
    {"dry-run", 'n', NULL, "show what would be removed, and remove nothing"},
    {"json", 'j', NULL, "print JSON"},
    {NULL, 0, NULL, NULL}};

const struct command command_gc = {
    .name = "gc",
    .alias = "rm",
    .operands = "[NAME...]",
    .summary = "remove orphaned objects, or those of these names",
    .example = "mmf gc --dry-run",
    .options = options,
    .kinds = ARGS_ALL_KINDS,
    .most = -1,
    .run = run};
