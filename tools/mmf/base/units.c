/* units.c - see units.h. */
#include "base/units.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/say.h"

static const char letters[] = "KMGTPE";

/*
 * The factor of a suffix: "", "B", "K", "KB" and "KiB" in any case, all of 1,024. 0: the
 * suffix is unknown.
 */
static int64_t
factor_of(const char *suffix)
{
    int64_t factor = 1;
    const char *letter;

    if (suffix[0] == '\0' || strcasecmp(suffix, "B") == 0)
        return 1;
    letter = strchr(letters, toupper((unsigned char)suffix[0]));
    if (letter == NULL)
        return 0;
    suffix++;
    if (suffix[0] != '\0' && strcasecmp(suffix, "B") != 0 &&
        strcasecmp(suffix, "iB") != 0)
        return 0;
    for (const char *at = letters; at <= letter; at++)
        factor *= 1024;
    return factor;
}

static _Noreturn void
refuse_bytes(const char *what, const char *text)
{
    say_usage("invalid %s \"%s\": use 10000, 0x2710, 10K or 4MiB", what, text);
}

int64_t
units_bytes(const char *what, const char *text)
{
    int64_t factor;
    long long number;
    char *end;

    if (!isdigit((unsigned char)text[0]))
        refuse_bytes(what, text);
    errno = 0;
    number = strtoll(text, &end,
                     text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10);
    factor = factor_of(end);
    if (factor == 0 || end == text)
        refuse_bytes(what, text);
    if (errno == ERANGE || number > INT64_MAX / factor)
        say_usage("%s \"%s\" is too large: at most 8E - 1", what, text);
    return (int64_t)number * factor;
}

static const struct {
    const char *suffix;
    double milliseconds;
} durations[] = {{"ms", 1},    {"s", 1000},    {"", 1000},     {"min", 60000},
                 {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

int32_t
units_milliseconds(const char *what, const char *text)
{
    char *end;
    double number = strtod(text, &end);

    if (isdigit((unsigned char)text[0]) && fabs(number) <= DBL_MAX) {
        for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
            double product = number * durations[i].milliseconds;

            if (strcmp(end, durations[i].suffix) != 0)
                continue;
            if (product > INT32_MAX)
                say_usage("%s \"%s\" is too long: at most 24d", what, text);
            return (int32_t)ceil(product);
        }
    }
    say_usage("invalid %s \"%s\": use 250ms, 2s, 1.5m or 1h", what, text);
}

int32_t
units_timeout(const char *what, const char *text)
{
    if (strcmp(text, "forever") == 0)
        return -1;
    return units_milliseconds(what, text);
}

int64_t
units_number(const char *what, const char *text, int64_t least, int64_t most)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
    if (end == text || *end != '\0' || errno == ERANGE || number < least ||
        number > most)
        say_usage("invalid %s \"%s\": use a number from %lld to %lld", what, text,
                  (long long)least, (long long)most);
    return (int64_t)number;
}

uint32_t
units_mode(const char *what, const char *text)
{
    char *end;
    unsigned long mode;

    errno = 0;
    mode = strtoul(text, &end, 8);
    if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno == ERANGE ||
        mode < 1 || mode > 0777)
        say_usage("invalid %s \"%s\": use three octal digits, as 640", what, text);
    return (uint32_t)mode;
}

const char *
units_show_bytes(int64_t bytes, char text[UNITS_TEXT_SIZE])
{
    double value = (double)bytes;
    int step = -1;

    while (value >= 1024 && step < (int)sizeof(letters) - 2) {
        value /= 1024;
        step++;
    }
    if (step < 0)
        snprintf(text, UNITS_TEXT_SIZE, "%d", (int)value);
    else if (value < 99.95 && fabs(value - round(value)) > 0.05)
        snprintf(text, UNITS_TEXT_SIZE, "%.1f%c", value, letters[step]);
    else
        snprintf(text, UNITS_TEXT_SIZE, "%.0f%c", value, letters[step]);
    return text;
}

const char *
units_show_age(int64_t nanoseconds, char text[UNITS_TEXT_SIZE])
{
    long long seconds = nanoseconds < 0 ? 0 : nanoseconds / 1000000000;

    if (seconds < 120)
        snprintf(text, UNITS_TEXT_SIZE, "%llds", seconds);
    else if (seconds < 7200)
        snprintf(text, UNITS_TEXT_SIZE, "%lldm", seconds / 60);
    else if (seconds < 172800)
        snprintf(text, UNITS_TEXT_SIZE, "%lldh", seconds / 3600);
    else
        snprintf(text, UNITS_TEXT_SIZE, "%lldd", seconds / 86400);
    return text;
}
