/*
 * sensor.c - a sensor's latest reading, which is replaced at each change.
 *
 *     sensor write    each line is a temperature, in degrees
 *     sensor read     each line asks for the newest reading
 *     sensor watch    waits, and prints each change
 *
 * The reading lives as long as one of these programs runs. The first two end with their
 * input, the last one when the last writer has closed.
 */
#include <mmf/mmf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    double celsius;
    int64_t number;
};

static int
fail(void)
{
    fprintf(stderr, "sensor: %s\n", mmf_last_message());
    return 1;
}

static int
join(mmf_role role, uint32_t flags, mmf_latest **latest)
{
    mmf_channel_options options = {
        .size = sizeof(options), .role = role, .flags = flags};

    return mmf_latest_create_or_open("Sensor", sizeof(struct reading), &options, NULL,
                                     latest);
}

static int
run_write(void)
{
    struct reading reading = {0};
    mmf_latest *latest;
    char line[64];

    if (join(MMF_ROLE_SEND, 0, &latest) < 0)
        return fail();
    puts("What is the temperature?");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        reading.celsius = strtod(line, NULL);
        reading.number++;
        if (mmf_latest_send(latest, &reading, sizeof(reading), NULL) < 0)
            return fail();
        printf("It is %.1f degrees.\n", reading.celsius);
        fflush(stdout);
    }
    mmf_latest_close(latest);
    return 0;
}

/* Print the newest reading; `*version` is 0 before the first. */
static int
print_newest(mmf_latest *latest, uint64_t *version)
{
    struct reading reading;
    size_t length;

    if (mmf_latest_receive(latest, &reading, sizeof(reading), &length, version) < 0)
        return fail();
    if (*version == 0)
        puts("There is no reading yet.");
    else
        printf("Reading %lld: %.1f degrees.\n", (long long)reading.number,
               reading.celsius);
    fflush(stdout);
    return 0;
}

static int
run_read(void)
{
    mmf_latest *latest;
    uint64_t version;
    int c, rc = 0;

    if (join(MMF_ROLE_RECEIVE, 0, &latest) < 0)
        return fail();
    puts("Press Enter to read.");
    fflush(stdout);
    while (rc == 0 && (c = getchar()) != EOF) {
        if (c == '\n')
            rc = print_newest(latest, &version);
    }
    mmf_latest_close(latest);
    return rc;
}

static int
run_watch(void)
{
    mmf_latest *latest;
    uint64_t version = 0;
    int rc;

    if (join(MMF_ROLE_RECEIVE, MMF_CHANNEL_PEER_CLOSED, &latest) < 0)
        return fail();
    puts("Waiting for a reading.");
    fflush(stdout);
    while ((rc = mmf_latest_wait(latest, version, -1)) == MMF_OK) {
        if (print_newest(latest, &version) != 0)
            return 1;
    }
    if (rc != MMF_E_PEER_CLOSED)
        return fail();
    puts("The last writer has closed.");
    mmf_latest_close(latest);
    return 0;
}

int
main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";

    if (strcmp(what, "write") == 0)
        return run_write();
    if (strcmp(what, "read") == 0)
        return run_read();
    if (strcmp(what, "watch") == 0)
        return run_watch();
    fputs("usage: sensor write | read | watch\n", stderr);
    return 2;
}
