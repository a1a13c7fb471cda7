/*
 * market_data.c - quotes that go to every reader, and a reader that is too slow.
 *
 * Start the exchange in one terminal and a reader in another:
 *
 *     market_data exchange
 *     market_data reader
 *
 * Each line that the exchange reads is a number: it sends that many quotes as fast as it
 * can, and never waits for a reader (MMF_OVERFLOW_DROP_OLDEST). At each line the reader
 * receives the quotes that are there. If more came meanwhile than the topic has slots,
 * the reader learns how many it lost. Both programs end with their input.
 */
#include <mmf/mmf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 64 };

struct quote {
    char symbol[8];
    int64_t cents;
    int64_t number;
};

static int
fail(void)
{
    fprintf(stderr, "market_data: %s\n", mmf_last_message());
    return 1;
}

static int
join(mmf_role role, mmf_topic **topic)
{
    mmf_channel_options options = {.size = sizeof(options), .role = role};

    return mmf_topic_create_or_open("Market", sizeof(struct quote), SLOTS,
                                    MMF_OVERFLOW_DROP_OLDEST, &options, NULL, topic);
}

static int
run_exchange(void)
{
    struct quote quote = {.symbol = "MMF", .cents = 10000};
    mmf_topic *topic;
    char line[32];

    if (join(MMF_ROLE_SEND, &topic) < 0)
        return fail();
    puts("How many quotes?");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        long count = strtol(line, NULL, 10);

        for (long i = 0; i < count; i++) {
            quote.number++;
            quote.cents += quote.number % 3 - 1;
            if (mmf_topic_send(topic, &quote, sizeof(quote), 0, NULL) < 0)
                return fail();
        }
        printf("Quote %lld is out.\n", (long long)quote.number);
        fflush(stdout);
    }
    mmf_topic_close(topic);
    return 0;
}

/* Receive every quote that is there; print the last price. */
static int
read_quotes(mmf_topic *topic)
{
    struct quote quote = {.number = 0};
    unsigned long long read = 0, lost = 0;
    int rc;

    for (;;) {
        mmf_message message;

        rc = mmf_topic_take(topic, 0, &message);
        if (rc != MMF_OK)
            break;
        memcpy(&quote, message.bytes, sizeof(quote));
        lost += message.lost;
        if (mmf_topic_release(topic) == MMF_OVERWRITTEN)
            lost++; /* overwritten while we copied it */
        else
            read++;
    }
    if (rc < 0)
        return fail();
    if (read == 0)
        puts("No news.");
    else
        printf("Read %llu quotes, up to %lld at %lld cents; lost %llu.\n", read,
               (long long)quote.number, (long long)quote.cents, lost);
    fflush(stdout);
    return 0;
}

static int
run_reader(void)
{
    mmf_topic *topic;
    int c, rc = 0;

    if (join(MMF_ROLE_RECEIVE, &topic) < 0)
        return fail();
    puts("Press Enter to read.");
    fflush(stdout);
    while (rc == 0 && (c = getchar()) != EOF) {
        if (c == '\n')
            rc = read_quotes(topic);
    }
    mmf_topic_close(topic);
    return rc;
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "exchange") == 0)
        return run_exchange();
    if (argc == 2 && strcmp(argv[1], "reader") == 0)
        return run_reader();
    fputs("usage: market_data exchange | reader\n", stderr);
    return 2;
}
