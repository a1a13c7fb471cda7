/*
 * peer.c - what bridge.py measures: messages from queue to queue, and the same server's own
 * client. Each mode prints numbers on one line.
 *
 *   flood OUT IN COUNT SIZE    both ends of a bridge: seconds
 *   echo OUT IN COUNT SIZE     one message at a time: p50 and p99, in microseconds
 *   sync URL COUNT SIZE        messages that the client publishes to a stream, each with
 *                              its answer before the next: seconds
 *   async URL COUNT SIZE       the same with many under way: seconds
 *   across URL COUNT SIZE      the client publishes as with sync, and a subscriber of the
 *                              stream has them all: seconds
 *   hop URL COUNT SIZE         one way over core NATS: p50 and p99, in microseconds
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mmf/mmf.h>
#include <nats/nats.h>

enum { IN_FLIGHT = 1024 };

static _Noreturn void
fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "bridge_peer: %s: %s\n", what, why);
    exit(1);
}

static void
demand(int status, const char *what)
{
    if (status < 0)
        fail(what, mmf_last_message());
}

static void
demand_nats(natsStatus status, const char *what)
{
    if (status != NATS_OK)
        fail(what, natsStatus_GetText(status));
}

static double
now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int
compare(const void *one, const void *other)
{
    const double *a = one, *b = other;

    return (*a > *b) - (*a < *b);
}

static void
print_latencies(double *seconds, size_t count)
{
    qsort(seconds, count, sizeof *seconds, compare);
    printf("%.1f %.1f\n", seconds[count / 2] * 1e6, seconds[count * 99 / 100] * 1e6);
}

/*
 * Queues.
 */

static mmf_queue *
open_queue(const char *name, mmf_role role)
{
    mmf_channel_options options;
    mmf_queue *queue;

    mmf_channel_options_init(&options);
    options.role = role;
    demand(mmf_queue_open_existing(name, &options, &queue), name);
    return queue;
}

struct sender {
    const char *name;
    size_t count, size;
};

static void *
send_all(void *argument)
{
    const struct sender *sender = argument;
    mmf_queue *queue = open_queue(sender->name, MMF_ROLE_SEND);
    char *bytes = calloc(1, sender->size);

    if (bytes == NULL)
        fail("send", "no memory");
    for (size_t i = 0; i < sender->count; i++)
        demand(mmf_queue_send(queue, bytes, sender->size, -1, NULL), "send");
    free(bytes);
    mmf_queue_close(queue);
    return NULL;
}

static void
flood(char **arguments, size_t count, size_t size)
{
    struct sender sender = {.name = arguments[0], .count = count, .size = size};
    mmf_queue *queue = open_queue(arguments[1], MMF_ROLE_RECEIVE);
    static mmf_message messages[IN_FLIGHT];
    double begin = now();
    pthread_t thread;

    if (pthread_create(&thread, NULL, send_all, &sender) != 0)
        fail("flood", "no thread");
    for (size_t came = 0, more; came < count; came += more) {
        demand(mmf_queue_take_many(queue, IN_FLIGHT, -1, messages, &more), "take");
        demand(mmf_queue_release_many(queue, messages, more), "release");
    }
    printf("%.6f\n", now() - begin);
    (void)pthread_join(thread, NULL);
    mmf_queue_close(queue);
}

static void
echo(char **arguments, size_t count, size_t size)
{
    mmf_queue *out = open_queue(arguments[0], MMF_ROLE_SEND);
    mmf_queue *in = open_queue(arguments[1], MMF_ROLE_RECEIVE);
    double *seconds = calloc(count, sizeof *seconds);
    char *bytes = calloc(1, size);
    size_t length;

    if (seconds == NULL || bytes == NULL)
        fail("echo", "no memory");
    for (size_t i = 0; i < count; i++) {
        double begin = now();

        demand(mmf_queue_send(out, bytes, size, -1, NULL), "send");
        demand(mmf_queue_receive(in, bytes, size, -1, &length, NULL), "receive");
        seconds[i] = now() - begin;
    }
    print_latencies(seconds, count);
    free(seconds);
    free(bytes);
    mmf_queue_close(out);
    mmf_queue_close(in);
}

/*
 * The server's own client.
 */

/* It writes each message at once, instead of leaving that to a thread. */
static natsConnection *
connect_to(const char *url)
{
    natsConnection *connection = NULL;
    natsOptions *options = NULL;

    demand_nats(natsOptions_Create(&options), url);
    demand_nats(natsOptions_SetURL(options, url), url);
    demand_nats(natsOptions_SetSendAsap(options, true), url);
    demand_nats(natsConnection_Connect(&connection, options), url);
    natsOptions_Destroy(options);
    return connection;
}

static jsCtx *
make_stream(natsConnection *connection)
{
    jsCtx *js = NULL;
    jsStreamConfig config;
    jsOptions options;
    jsErrCode code = 0;

    (void)jsOptions_Init(&options);
    options.PublishAsync.MaxPending = IN_FLIGHT;
    options.Wait = 60000;
    demand_nats(natsConnection_JetStream(&js, connection, &options), "JetStream");
    (void)jsStreamConfig_Init(&config);
    config.Name = "BENCH";
    config.Subjects = (const char *[]){"bench.q"};
    config.SubjectsLen = 1;
    (void)js_DeleteStream(js, config.Name, NULL, &code);
    demand_nats(js_AddStream(NULL, js, &config, NULL, &code), "stream");
    return js;
}

static natsSubscription *
subscribe(jsCtx *js)
{
    natsSubscription *subscription = NULL;
    jsSubOptions options;
    jsErrCode code = 0;

    (void)jsSubOptions_Init(&options);
    options.Config.AckPolicy = js_AckNone;
    demand_nats(js_SubscribeSync(&subscription, js, "bench.q", NULL, &options, &code),
                "subscribe");
    return subscription;
}

static void
receive_all(natsSubscription *subscription, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        natsMsg *message = NULL;

        demand_nats(natsSubscription_NextMsg(&message, subscription, 60000), "receive");
        natsMsg_Destroy(message);
    }
}

/* `is_across`: until another connection has all of it. */
static void
publish(char **arguments, size_t count, size_t size, int is_async, int is_across)
{
    natsConnection *connection = connect_to(arguments[0]);
    natsConnection *receiver = connect_to(arguments[0]);
    jsCtx *js = make_stream(connection), *receiver_js = NULL;
    natsSubscription *subscription = NULL;
    char *bytes = calloc(1, size);
    jsErrCode code = 0;
    double begin;

    demand_nats(natsConnection_JetStream(&receiver_js, receiver, NULL), "JetStream");
    if (is_across)
        subscription = subscribe(receiver_js);
    begin = now();

    if (bytes == NULL)
        fail("publish", "no memory");
    for (size_t i = 0; i < count; i++)
        demand_nats(
            is_async ? js_PublishAsync(js, "bench.q", bytes, (int)size, NULL)
                     : js_Publish(NULL, js, "bench.q", bytes, (int)size, NULL, &code),
            "publish");
    if (is_async)
        demand_nats(js_PublishAsyncComplete(js, NULL), "publish");
    if (is_across)
        receive_all(subscription, count);
    printf("%.6f\n", now() - begin);
    free(bytes);
    natsSubscription_Destroy(subscription);
    jsCtx_Destroy(receiver_js);
    natsConnection_Destroy(receiver);
    (void)js_DeleteStream(js, "BENCH", NULL, &code);
    jsCtx_Destroy(js);
    natsConnection_Destroy(connection);
}

static void
hop(char **arguments, size_t count, size_t size)
{
    natsConnection *one = connect_to(arguments[0]), *other = connect_to(arguments[0]);
    natsSubscription *subscription = NULL;
    double *seconds = calloc(count, sizeof *seconds);
    char *bytes = calloc(1, size);

    if (seconds == NULL || bytes == NULL)
        fail("hop", "no memory");
    demand_nats(natsConnection_SubscribeSync(&subscription, other, "bench.hop"), "hop");
    demand_nats(natsConnection_Flush(other), "hop");
    for (size_t i = 0; i < count; i++) {
        double begin = now();
        natsMsg *message = NULL;

        demand_nats(natsConnection_Publish(one, "bench.hop", bytes, (int)size), "hop");
        demand_nats(natsSubscription_NextMsg(&message, subscription, 10000), "hop");
        natsMsg_Destroy(message);
        seconds[i] = now() - begin;
    }
    print_latencies(seconds, count);
    free(seconds);
    free(bytes);
    natsSubscription_Destroy(subscription);
    natsConnection_Destroy(one);
    natsConnection_Destroy(other);
}

int
main(int argc, char **argv)
{
    size_t count = argc > 4 ? strtoul(argv[argc - 2], NULL, 10) : 0;
    size_t size = argc > 4 ? strtoul(argv[argc - 1], NULL, 10) : 0;

    if (argc == 6 && strcmp(argv[1], "flood") == 0)
        flood(argv + 2, count, size);
    else if (argc == 6 && strcmp(argv[1], "echo") == 0)
        echo(argv + 2, count, size);
    else if (argc == 5 && strcmp(argv[1], "sync") == 0)
        publish(argv + 2, count, size, 0, 0);
    else if (argc == 5 && strcmp(argv[1], "async") == 0)
        publish(argv + 2, count, size, 1, 0);
    else if (argc == 5 && strcmp(argv[1], "across") == 0)
        publish(argv + 2, count, size, 0, 1);
    else if (argc == 5 && strcmp(argv[1], "hop") == 0)
        hop(argv + 2, count, size);
    else
        fail("usage", "see the head of bench/bridge/peer.c");
    nats_Close();
    return 0;
}
