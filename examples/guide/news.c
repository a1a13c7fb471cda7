/*
 * news.c - a topic: each message goes to every subscriber.
 *
 *     news publish      publish each line of the input, up to an empty one
 *     news subscribe    print the news until the last publisher has closed
 */
#include "guide.h"

enum { LONGEST = 256 };

static void
publish(void)
{
    mmf_channel_options options = {.size = sizeof(options), .role = MMF_ROLE_SEND};
    char line[LONGEST];
    mmf_topic *news;

    check(mmf_topic_create_or_open("News", LONGEST, 64, MMF_OVERFLOW_DROP_OLDEST,
                                   &options, NULL, &news));
    say("Publishing.");
    while (fgets(line, sizeof(line), stdin) && line[0] != '\n')
        check(mmf_topic_send(news, line, strlen(line) + 1, MMF_INFINITE, NULL));
    mmf_topic_close(news);
}

static void
subscribe(void)
{
    mmf_channel_options options = {
        .size = sizeof(options),
        .role = MMF_ROLE_RECEIVE,
        .flags = MMF_CHANNEL_PEER_CLOSED,
        .replay = 10, /* begin with up to ten older messages */
        .wait_ms = 10000,
    };
    char line[LONGEST];
    mmf_message message;
    mmf_topic *news;
    size_t length;
    int rc;

    check(mmf_topic_open_existing("News", &options, &news));
    say("Subscribed.");
    while ((rc = mmf_topic_receive(news, line, sizeof(line), MMF_INFINITE, &length,
                                   &message)) == MMF_OK) {
        if (message.lost > 0)
            say("(%d lost: too slow)", (int)message.lost);
        printf("%s", line);
        fflush(stdout);
    }
    if (rc != MMF_E_PEER_CLOSED)
        check(rc);
    mmf_topic_close(news);
}

int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "publish") == 0)
        publish();
    else
        subscribe();
    return 0;
}
