/* ls.c - mmf ls: the named objects, and the processes that keep them open. */
#include "command/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "base/table.h"
#include "base/text.h"
#include "base/units.h"
#include "object/columns.h"
#include "os/os.h"

enum { COLUMNS_MAX = 32 };

/* Which columns, in which order. */
struct layout {
    const struct column *columns[COLUMNS_MAX];
    size_t count;
};

static const char long_columns[] =
    "name,kind,owner,size,resident,holders,age,mode,status,state,creator";

/*
 * Choosing objects.
 */

/* Without patterns, every name is wanted. */
static int
is_wanted(const struct args *args, const mmf_object_info *info)
{
    const char *kind = args_value(args, "kind");
    int i = 0;

    if (kind != NULL && strcmp(kind, mmf_kind_name(info->kind)) != 0)
        return 0;
    while (i < args->count && !os_matches(args->operands[i], info->name))
        i++;
    return args->count == 0 || i < args->count;
}

static void
keep_wanted(const struct args *args, struct objects *objects)
{
    int32_t count = 0;

    for (int32_t i = 0; i < objects->count; i++)
        if (is_wanted(args, objects->at[i].info))
            objects->at[count++] = objects->at[i];
    objects->count = count;
}

static const struct column *sort_column; /* qsort takes no context */
static int sort_order;

static int
compare(const void *one, const void *other)
{
    return sort_order * columns_compare(sort_column, one, other);
}

/* As ps: "size" is ascending, "-size" descending. */
static void
sort(const struct args *args, struct objects *objects)
{
    const char *by = args_value(args, "sort");

    if (by == NULL)
        return;
    sort_order = by[0] == '-' ? -1 : 1;
    by += by[0] == '-' || by[0] == '+';
    sort_column = columns_find(by, strlen(by));
    if (objects->count > 0)
        qsort(objects->at, (size_t)objects->count, sizeof(*objects->at), compare);
}

/*
 * Choosing columns.
 */

static void
add_columns(struct layout *layout, const char *list)
{
    while (*list != '\0') {
        size_t length = strcspn(list, ",");

        if (layout->count == COLUMNS_MAX)
            say_usage("too many columns: at most %d", (int)COLUMNS_MAX);
        layout->columns[layout->count++] = columns_find(list, length);
        list += length + (list[length] == ',');
    }
}

/* Columns that say nothing new are omitted: of one user, of nothing wrong. */
static void
add_default_columns(struct layout *layout, const struct objects *objects)
{
    int foreign = 0, unusual = 0, shared = 0;

    for (int32_t i = 0; i < objects->count; i++) {
        const mmf_object_info *info = objects->at[i].info;

        foreign |= os_keeps_records && info->mode != 0 && info->owner != os_user();
        unusual |= info->status != MMF_OBJECT_IN_USE;
        shared |= os_keeps_records && (info->mode & 077) != 0;
    }
    add_columns(layout, "name,kind");
    if (foreign)
        add_columns(layout, "owner");
    add_columns(layout, "size,holders,age");
    if (shared)
        add_columns(layout, "mode");
    if (unusual)
        add_columns(layout, "status");
    add_columns(layout, "state");
}

static void
choose_columns(const struct args *args, const struct objects *objects,
               struct layout *layout)
{
    const char *chosen = args_value(args, "output");

    layout->count = 0;
    if (args_value(args, "long") != NULL)
        add_columns(layout, long_columns);
    else if (chosen == NULL || chosen[0] == '+')
        add_default_columns(layout, objects);
    if (chosen != NULL)
        add_columns(layout, chosen + (chosen[0] == '+'));
}

/*
 * Printing.
 */

static void
print_json(const struct objects *objects)
{
    json_t *all = table_json(json_object());
    json_t *array = table_json(json_array());

    for (int32_t i = 0; i < objects->count; i++)
        table_json_append(array, objects_json(objects->at[i].info));
    table_json_set(all, "objects", array);
    table_print_json(all);
}

static void
print_table(const struct args *args, const struct objects *objects)
{
    struct layout layout;
    struct table_column columns[COLUMNS_MAX];
    struct table *table;
    int exact = args_value(args, "bytes") != NULL;

    choose_columns(args, objects, &layout);
    for (size_t i = 0; i < layout.count; i++)
        columns[i] =
            (struct table_column){layout.columns[i]->title, layout.columns[i]->flags};
    table = table_new(columns, layout.count, args_value(args, "no-header") == NULL);
    for (int32_t i = 0; i < objects->count; i++) {
        struct table_line *line = table_line(table);

        table_color(line, columns_color(objects->at[i].info));
        for (size_t j = 0; j < layout.count; j++)
            table_give(line, j, layout.columns[j]->show(&objects->at[i], exact));
    }
    table_print(table);
}

static void
print_names(const struct objects *objects)
{
    for (int32_t i = 0; i < objects->count; i++) {
        char *name = text_escape_string(objects->at[i].info->name);

        puts(name);
        free(name);
    }
}

/* What each user has in the directory of the names, mmf's and others'. */
static void
add_usage(void *payload, const struct os_usage *usage)
{
    struct table_line *line = table_line(payload);
    char text[UNITS_TEXT_SIZE];

    table_set(line, 0, text_user(usage->user));
    table_give(line, 1, text_format("%d", usage->objects));
    table_set(line, 2, units_show_bytes(usage->bytes, text));
    table_set(line, 3, units_show_bytes(usage->other_bytes, text));
}

static void
print_totals(const struct args *args)
{
    static const struct table_column columns[] = {{"USER", TABLE_CUT},
                                                  {"OBJECTS", TABLE_RIGHT},
                                                  {"MMF", TABLE_RIGHT},
                                                  {"OTHERS", TABLE_RIGHT}};
    struct table *table = table_new(columns, 4, args_value(args, "no-header") == NULL);

    os_visit_usage(add_usage, table);
    table_print(table);
}

static void
add_usage_json(void *payload, const struct os_usage *usage)
{
    json_t *user = table_json(json_object());

    table_json_set(user, "user", table_json_text(text_user(usage->user)));
    table_json_set(user, "uid", json_integer(usage->user));
    table_json_set(user, "objects", json_integer(usage->objects));
    table_json_set(user, "bytes", json_integer(usage->bytes));
    table_json_set(user, "other_bytes", json_integer(usage->other_bytes));
    table_json_append(payload, user);
}

static void
print_totals_json(void)
{
    json_t *all = table_json(json_object());
    json_t *users = table_json(json_array());

    os_visit_usage(add_usage_json, users);
    table_json_set(all, "users", users);
    table_print_json(all);
}

static void
check_kind(const char *kind)
{
    for (mmf_kind i = MMF_KIND_MAP; i <= MMF_KIND_SERVICE; i++)
        if (strcmp(kind, mmf_kind_name(i)) == 0)
            return;
    say_usage(
        "unknown kind \"%s\" (map, mutex, event, semaphore, queue, topic, latest, "
        "service)",
        kind);
}

static mmf_list_flags
flags_of(const struct args *args)
{
    mmf_list_flags flags = 0;

    if (args_value(args, "local") != NULL)
        flags |= MMF_LIST_LOCAL;
    if (args_value(args, "global") != NULL)
        flags |= MMF_LIST_GLOBAL;
    if (args_value(args, "orphaned") != NULL)
        flags |= MMF_LIST_KEEP_ORPHANED;
    if (args_value(args, "names") == NULL)
        flags |= MMF_LIST_HOLDERS;
    return flags;
}

/* Each of these is another output. */
static void
check_outputs(const struct args *args)
{
    static const char *const outputs[] = {"json", "names", "long", "output", "totals"};
    const char *first = NULL;

    for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
        if (args_value(args, outputs[i]) == NULL ||
            (first != NULL && strcmp(first, "json") == 0 &&
             strcmp(outputs[i], "totals") == 0))
            continue;
        if (first != NULL)
            say_usage("--%s and --%s contradict each other", first, outputs[i]);
        first = outputs[i];
    }
}

static int
run(struct args *args)
{
    struct objects_choice choice = objects_choose(args);
    struct objects objects;
    int status = TOOL_DONE;

    check_outputs(args);
    if (args_value(args, "kind") != NULL)
        check_kind(args_value(args, "kind"));
    if (args_value(args, "totals") != NULL) {
        if (args_value(args, "json") != NULL)
            print_totals_json();
        else
            print_totals(args);
        return TOOL_DONE;
    }
    objects_read(&objects, choice, flags_of(args));
    keep_wanted(args, &objects);
    sort(args, &objects);
    if (args_value(args, "json") != NULL)
        print_json(&objects);
    else if (args_value(args, "names") != NULL)
        print_names(&objects);
    else
        print_table(args, &objects);
    if (args->count > 0 && objects.count == 0) {
        say("no object matches \"%s\"%s", args->operands[0],
            args->count > 1 ? " or the other patterns" : "");
        status = TOOL_NO_OBJECT;
    }
    objects_close(&objects);
    return status;
}

static const struct option_spec options[] = {
    OBJECTS_OPTIONS,
    {"kind", 'k', "KIND", "only this kind: map, mutex, event, semaphore, ..."},
    {"local", 0, NULL, "only names of one user"},
    {"global", 'g', NULL, "only names under Global\\"},
    {"orphaned", 0, NULL, "show orphaned objects too, and remove none"},
    {"long", 'l', NULL, "more columns"},
    {"output", 'o', "COLUMNS", "these: name,size,... or, after a +, these too"},
    {"sort", 's', "COLUMN", "ascending by this column; -COLUMN: descending"},
    {"bytes", 'b', NULL, "sizes in bytes, ages in seconds"},
    {"names", 'n', NULL, "only names, one per line"},
    {"no-header", 0, NULL, "no headings"},
    {"totals", 't', NULL, "what each user has, mmf's and other files"},
    {"json", 'j', NULL, "print JSON"},
    {NULL, 0, NULL, NULL}};

const struct command command_ls = {
    .name = "ls",
    .alias = "list",
    .operands = "[PATTERN...]",
    .summary = "list named objects and the processes that use them",
    .example = "mmf ls --sort=-size",
    .options = options,
    .kinds = ARGS_ALL_KINDS,
    .most = -1,
    .run = run};
