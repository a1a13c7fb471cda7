/*
 * log.c - lines on standard error: for people, for the journal (which adds the time
 * itself) and, as JSON, for programs.
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
    bool json;
    bool journal;
    enum log_level least;
} settings = {.least = LOG_INFO};

static const char *const names[] = {"error", "warning", "info", "debug"};
static const char *const priorities[] = {"<3>", "<4>", "<6>", "<7>"};

enum { LINE_MAX_BYTES = 4096, MESSAGE_MAX = 1500 };

void
log_begin(bool json, enum log_level least)
{
    settings.json = json;
    settings.journal = getenv("JOURNAL_STREAM") != NULL;
    settings.least = least;
}

/* A line that is being put together; what does not fit is dropped. */
struct line {
    char text[LINE_MAX_BYTES];
    size_t length;
};

static void
add(struct line *line, const char *text)
{
    size_t length = strlen(text);

    if (length > sizeof line->text - 2 - line->length)
        length = sizeof line->text - 2 - line->length;
    memcpy(line->text + line->length, text, length);
    line->length += length;
}

/* Control characters would end the line, or colour the terminal. */
static void
add_plain(struct line *line, const char *text)
{
    for (; *text != '\0'; text++) {
        char letter[2] = {*text, '\0'};

        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            letter[0] = '?';
        add(line, letter);
    }
}

static void
add_string(struct line *line, const char *text)
{
    add(line, "\"");
    for (; *text != '\0'; text++) {
        char letter[8] = {*text, 0};

        if (*text == '"' || *text == '\\')
            (void)snprintf(letter, sizeof letter, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            (void)snprintf(letter, sizeof letter, "\\u%04x", (unsigned)*text);
        add(line, letter);
    }
    add(line, "\"");
}

static void
add_time(struct line *line)
{
    struct timespec now;
    struct tm parts;
    char text[64];
    size_t length;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (gmtime_r(&now.tv_sec, &parts) == NULL)
        return;
    length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(text + length, sizeof text - length, ".%03ldZ",
                   now.tv_nsec / 1000000);
    add(line, text);
}

static void
make_json(struct line *line, enum log_level level, const char *subject,
          const char *message)
{
    add(line, "{\"time\":\"");
    add_time(line);
    add(line, "\",\"level\":");
    add_string(line, names[level]);
    if (subject != NULL) {
        add(line, ",\"channel\":");
        add_string(line, subject);
    }
    add(line, ",\"message\":");
    add_string(line, message);
    add(line, "}");
}

static void
make_plain(struct line *line, enum log_level level, const char *subject,
           const char *message)
{
    if (settings.journal) {
        add(line, priorities[level]);
    } else {
        add_time(line);
        add(line, " ");
        add(line, names[level]);
        add(line, " ");
    }
    if (subject != NULL) {
        add_plain(line, subject);
        add(line, ": ");
    }
    add_plain(line, message);
}

void
log_say(enum log_level level, const char *subject, const char *format, ...)
{
    struct line line = {.length = 0};
    char message[MESSAGE_MAX];
    va_list arguments;

    if (level > settings.least)
        return;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (settings.json)
        make_json(&line, level, subject, message);
    else
        make_plain(&line, level, subject, message);
    line.text[line.length++] = '\n';
    /* One call, so that lines of several threads do not mix. A log that cannot be written
     * is no reason to stop. */
    if (write(STDERR_FILENO, line.text, line.length) < 0)
        return;
}
