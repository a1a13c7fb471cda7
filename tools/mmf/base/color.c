/* color.c - see color.h. */
#include "base/color.h"

#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "os/os.h"

static enum { AUTO, ALWAYS, NEVER } chosen;

void
color_choose(const char *when)
{
    if (when == NULL || when[0] == '\0' || strcmp(when, "always") == 0)
        chosen = ALWAYS;
    else if (strcmp(when, "never") == 0)
        chosen = NEVER;
    else if (strcmp(when, "auto") == 0)
        chosen = AUTO;
    else
        say_usage("unknown --color \"%s\" (auto, always, never)", when);
}

/* Set, and not to "" or "0". */
static int
is_set(const char *variable)
{
    const char *value = getenv(variable);

    return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0;
}

static int
is_zero(const char *variable)
{
    const char *value = getenv(variable);

    return value != NULL && strcmp(value, "0") == 0;
}

int
color_is_on(FILE *stream)
{
    const char *none = getenv("NO_COLOR");

    if (chosen != AUTO)
        return chosen == ALWAYS;
    if (none != NULL && none[0] != '\0')
        return 0;
    return is_set("CLICOLOR_FORCE") ||
           (!is_zero("CLICOLOR") && os_has_sequences(stream));
}

const char *
color_begin(enum color color)
{
    static const char *const sequences[] = {"",         "\033[32m", "\033[36m",
                                            "\033[33m", "\033[31m", "\033[90m"};

    return color_is_on(stdout) ? sequences[color] : "";
}

const char *
color_end(enum color color)
{
    return color != COLOR_PLAIN && color_is_on(stdout) ? "\033[0m" : "";
}
