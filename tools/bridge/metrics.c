/* metrics.c - counters as OpenMetrics text, for what collects text files. */
#include "metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct family {
    const char *name;
    const char *help;
};

static const struct family families[COUNTERS] = {
    [MESSAGES] = {"messages", "Messages that went across."},
    [BYTES] = {"bytes", "Bytes of NATS messages that carried them."},
    [BATCHES] = {"batches", "NATS messages that carried them."},
    [REPEATED] = {"repeated", "Publishes that were repeated."},
    [DUPLICATES] = {"duplicates", "Messages that came again, and were dropped."},
    [PARKED] = {"parked", "Messages that did not fit the receiving channel."},
    [LOST] = {"lost", "Messages that did not come."},
    [REDELIVERED] = {"redelivered", "Messages that may come a second time."},
    [ECHOES] = {"echoes", "Messages that came back to their origin, and were dropped."},
    [COALESCED] = {"coalesced", "Values that were replaced before they were sent."},
    [FULL] = {"full", "Waits for space in the stream or in the receiving channel."},
    [FAILURES] = {"failures", "Tries that ended with an error."},
};

static void
print_label(FILE *file, const char *name, const char *value)
{
    (void)fprintf(file, "%s=\"", name);
    for (; *value != '\0'; value++)
        if (*value == '\n')
            (void)fputs("\\n", file);
        else
            (void)fprintf(file, *value == '"' || *value == '\\' ? "\\%c" : "%c",
                          *value);
    (void)fputc('"', file);
}

static void
print_labels(FILE *file, const struct link *link)
{
    print_label(file, "{kind", mmf_kind_name(link->channel->kind));
    print_label(file, ",channel", link->channel->channel);
    print_label(file, ",direction", config_direction(link->direction));
    print_label(file, ",origin", link->origin);
    (void)fputc('}', file);
}

static void
print_family(FILE *file, struct bridge *bridge, enum counter counter)
{
    const char *name = families[counter].name;

    (void)fprintf(file, "# HELP mmf_bridge_%s %s\n# TYPE mmf_bridge_%s counter\n", name,
                  families[counter].help, name);
    for (size_t i = 0; i < bridge->count; i++) {
        (void)fprintf(file, "mmf_bridge_%s_total", name);
        print_labels(file, &bridge->links[i]);
        (void)fprintf(file, " %" PRIu64 "\n",
                      atomic_load(&bridge->links[i].counters[counter]));
    }
}

static void
print_all(FILE *file, struct bridge *bridge)
{
    (void)fprintf(
        file,
        "# HELP mmf_bridge_connected 1: there is a connection to the server.\n"
        "# TYPE mmf_bridge_connected gauge\nmmf_bridge_connected %d\n"
        "# HELP mmf_bridge_working 1: the link works.\n"
        "# TYPE mmf_bridge_working gauge\n",
        atomic_load(&bridge->server.is_connected));
    for (size_t i = 0; i < bridge->count; i++) {
        (void)fputs("mmf_bridge_working", file);
        print_labels(file, &bridge->links[i]);
        (void)fprintf(file, " %d\n", atomic_load(&bridge->links[i].is_working));
    }
    for (enum counter counter = 0; counter < COUNTERS; counter++)
        print_family(file, bridge, counter);
    (void)fputs("# EOF\n", file);
}

void
metrics_write(struct bridge *bridge)
{
    static bool has_failed;
    const char *path = bridge->config->metrics;
    char fresh[4096];
    FILE *file;
    bool is_written;

    if (path == NULL)
        return;
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    file = fopen(fresh, "we");
    if (file != NULL)
        print_all(file, bridge);
    is_written = file != NULL && ferror(file) == 0;
    if (file != NULL && fclose(file) != 0)
        is_written = false;
    is_written = is_written && rename(fresh, path) == 0;
    if (!is_written && !has_failed)
        log_say(LOG_ERROR, NULL, "metrics cannot be written to \"%s\": %s", path,
                strerror(errno));
    has_failed = !is_written;
}
