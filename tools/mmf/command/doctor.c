/* doctor.c - mmf doctor: what prevents named objects here, and how to fix it. */
#include "doctor/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "base/table.h"
#include "base/text.h"
#include "command/commands.h"
#include "os/os.h"

static json_t *findings; /* NULL: for people */
static int show_good;
static int counts[DOCTOR_BAD + 1];

static const char *const level_names[] = {"good", "note", "warning", "problem"};

static void
print_finding(enum doctor_level level, const char *what, const char *why,
              const char *fix)
{
    static const enum color colors[] = {COLOR_GOOD, COLOR_NOTE, COLOR_WARN, COLOR_BAD};
    char *text = text_escape_line(what);

    printf("%s%-8s%s  %s\n", color_begin(colors[level]), level_names[level],
           color_end(colors[level]), text);
    free(text);
    if (why != NULL)
        printf("          %s\n", why);
    if (fix != NULL) {
        text = text_escape_line(fix);
        printf("          fix: %s\n", text);
        free(text);
    }
}

static json_t *
text_or_null(const char *text)
{
    return text != NULL ? table_json_text(text) : json_null();
}

static void
add_finding(enum doctor_level level, const char *check, const char *what,
            const char *why, const char *fix)
{
    json_t *finding = table_json(json_object());

    table_json_set(finding, "check", json_string(check));
    table_json_set(finding, "level", json_string(level_names[level]));
    table_json_set(finding, "what", table_json_text(what));
    table_json_set(finding, "why", text_or_null(why));
    table_json_set(finding, "fix", text_or_null(fix));
    if (json_array_append_new(findings, finding) != 0)
        say_no_memory();
}

void
doctor_report(enum doctor_level level, const char *check, const char *what,
              const char *why, const char *fix)
{
    counts[level]++;
    if (level == DOCTOR_GOOD)
        fix = NULL; /* nothing to fix */
    if (findings != NULL)
        add_finding(level, check, what, why, fix);
    else if (level != DOCTOR_GOOD || show_good)
        print_finding(level, what, why, fix);
}

void
doctor_report_made(enum doctor_level level, const char *check, char *what,
                   const char *why, char *fix)
{
    doctor_report(level, check, what, why, fix);
    free(what);
    free(fix);
}

char *
doctor_fix(const char *word, const char *format, ...)
{
    char *quoted = text_quote(word);
    char *text = text_format("%s", "");
    char command[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    for (const char *at = command; *at != '\0';) {
        int length = (int)strcspn(at, "{");
        const char *shown = at[length] == '\0' ? "" : quoted;
        char *longer = text_format("%s%.*s%s%s", text, length, at,
                                   shown[0] == '-' ? "-- " : "", shown);

        free(text);
        text = longer;
        at += length + (at[length] != '\0' ? 2 : 0);
    }
    free(quoted);
    return text;
}

/* A directory that holds no names ends them: what follows means nothing. */
static void
check_all(struct objects_choice choice)
{
    if (!choice.one_user)
        choice = objects_of_all;
    if (!doctor_check_directory()) {
        doctor_report(DOCTOR_NOTE, "ended", "the other checks were not made",
                      "Without a directory for names they mean nothing.", NULL);
        return;
    }
    doctor_check_system();
    doctor_check_objects(choice);
    doctor_try();
}

static void
print_summary(void)
{
    printf("%d good, %d notes, %d warnings, %d problems%s\n", counts[DOCTOR_GOOD],
           counts[DOCTOR_NOTE], counts[DOCTOR_WARN], counts[DOCTOR_BAD],
           show_good ? "" : "; --all shows the good ones too");
}

static int
run(struct args *args)
{
    const char *name = args->count > 0 ? args_name(args->operands[0]) : NULL;
    int status = TOOL_DONE;

    show_good = args_value(args, "all") != NULL || name != NULL;
    if (args_value(args, "json") != NULL)
        findings = table_json(json_array());
    if (name != NULL) {
        status = doctor_check_name(name, objects_choose(args));
    } else {
        check_all(objects_choose(args));
    }
    if (findings != NULL) {
        json_t *all = table_json(json_object());

        table_json_set(all, "findings", findings);
        table_print_json(all);
    } else if (name == NULL) {
        print_summary();
    }
    if (status == TOOL_DONE && counts[DOCTOR_BAD] > 0)
        status = TOOL_FAILED;
    return status;
}

static const struct option_spec options[] = {
    OBJECTS_OPTIONS,
    {"all", 'a', NULL, "show good findings too"},
    {"json", 'j', NULL, "print JSON"},
    {NULL, 0, NULL, NULL}};

const struct command command_doctor = {
    .name = "doctor",
    .operands = "[NAME]",
    .summary = "find problems with names, or with this name",
    .example = "mmf doctor Cat",
    .options = options,
    .kinds = ARGS_ALL_KINDS,
    .most = 1,
    .run = run};
