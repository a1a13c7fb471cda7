/*
 * service.c - clients that call and servers that answer; a server may be killed at any
 * time.
 *
 *     service serve          says which text it has, and answers when it gets a line
 *     service call TEXT      gets TEXT in capitals
 *     service spell TEXT     gets its letters one by one, as answers to one call
 *
 * Start as many servers as you like: each text goes to one of them. Kill that one before
 * you give it a line, and another one has the text; the client waits for its answer and
 * notices nothing.
 */
#include <mmf/mmf.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 200, CAPACITY = 16, FOREVER = -1 };

struct request {
    int spells; /* 1: an answer for each letter */
    char text[TEXT_SIZE];
};

static void
check(int rc)
{
    if (rc < 0) {
        fprintf(stderr, "service: %s\n", mmf_last_message());
        exit(EXIT_FAILURE);
    }
}

static mmf_service *
open_service(mmf_role role)
{
    mmf_service_options options = {.size = sizeof(options), .role = role};
    mmf_service *service;

    check(mmf_service_create_or_open("Capitals", sizeof(struct request), TEXT_SIZE,
                                     CAPACITY, &options, NULL, &service));
    return service;
}

/*
 * The server.
 */

static void
say(const char *text)
{
    printf("%s\n", text);
    fflush(stdout);
}

static void
answer(mmf_service *service, const mmf_message *message)
{
    const struct request *request = message->bytes;
    char text[TEXT_SIZE] = "";
    size_t length = strnlen(request->text, TEXT_SIZE - 1);

    for (size_t i = 0; i < length; i++)
        text[i] = (char)toupper((unsigned char)request->text[i]);
    if (!request->spells || length == 0) {
        check(mmf_service_answer(service, message, text, length, MMF_ANSWER_LAST,
                                 FOREVER));
        return;
    }
    for (size_t i = 0; i < length; i++) {
        uint32_t flags = i + 1 < length ? MMF_ANSWER_MORE : MMF_ANSWER_LAST;

        /* If the client has gone, the last answer still ends the request. */
        if (mmf_service_answer(service, message, &text[i], 1, flags, FOREVER) ==
            MMF_E_PEER_CLOSED)
            i = length - 2;
    }
}

static void
serve(void)
{
    mmf_service *service = open_service(MMF_ROLE_SERVER);
    char line[16];
    mmf_message message;

    say("Ready.");
    for (;;) {
        const struct request *request;

        check(mmf_service_take(service, FOREVER, &message));
        request = message.bytes;
        printf("Delivery %u of \"%.*s\". Press Enter to answer.\n",
               (unsigned)message.deliveries, TEXT_SIZE, request->text);
        fflush(stdout);
        if (fgets(line, sizeof(line), stdin) == NULL)
            break; /* another server gets it */
        answer(service, &message);
    }
    mmf_service_close(service);
}

/*
 * The client.
 */

static struct request
make_request(const char *text, int spells)
{
    struct request request = {.spells = spells};

    snprintf(request.text, sizeof(request.text), "%s", text);
    return request;
}

static void
call(const char *text)
{
    mmf_service *service = open_service(MMF_ROLE_CLIENT);
    struct request request = make_request(text, 0);
    char reply[TEXT_SIZE];
    size_t length;

    check(mmf_service_call(service, &request, sizeof(request), reply, sizeof(reply),
                           FOREVER, &length));
    printf("%.*s\n", (int)length, reply);
    mmf_service_close(service);
}

static void
spell(const char *text)
{
    mmf_service *service = open_service(MMF_ROLE_CLIENT);
    struct request request = make_request(text, 1);
    mmf_message reply;
    uint64_t number;
    int is_last;

    check(mmf_service_send(service, &request, sizeof(request), FOREVER, &number));
    do {
        check(mmf_service_take_answer(service, number, FOREVER, &reply));
        printf("%.*s\n", (int)reply.length, (const char *)reply.bytes);
        is_last = (reply.flags & MMF_MESSAGE_LAST) != 0;
        check(mmf_service_release_answer(service, &reply));
    } while (!is_last);
    mmf_service_close(service);
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "serve") == 0) {
        serve();
    } else if (argc == 3 && strcmp(argv[1], "call") == 0) {
        call(argv[2]);
    } else if (argc == 3 && strcmp(argv[1], "spell") == 0) {
        spell(argv[2]);
    } else {
        fprintf(stderr, "usage: service serve | call TEXT | spell TEXT\n");
        return 2;
    }
    return EXIT_SUCCESS;
}
