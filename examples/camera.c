/*
 * camera.c - frames of a camera as a latest value: what a reader has taken stays as it is
 * until its release, however long that takes, and the camera never waits.
 *
 *     camera record FRAMES    write so many frames of 1920 x 1080 pixels, 60 a second
 *     camera encode FRAMES    take the newest frame, be busy with it for 200 ms; so often
 */
#include <mmf/mmf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WIDTH = 1920, HEIGHT = 1080, FRAME = WIDTH * HEIGHT * 3 };
enum { FRAME_MS = 16, ENCODE_MS = 200, MOST_ENCODERS = 2, LONG_MS = 60000 };

static void
check(int rc)
{
    if (rc < 0) {
        fprintf(stderr, "camera: %s\n", mmf_last_message());
        exit(EXIT_FAILURE);
    }
}

static void
nap(long milliseconds)
{
    struct timespec length = {.tv_sec = milliseconds / 1000,
                              .tv_nsec = milliseconds % 1000 * 1000000};

    nanosleep(&length, NULL);
}

static void
record(int frames)
{
    /* As many slots as encoders at a time, and two: what that takes is known before. */
    mmf_channel_options options = {.size = sizeof(options),
                                   .role = MMF_ROLE_SEND,
                                   .flags = MMF_CHANNEL_SINGLE_PRODUCER,
                                   .max_pins = MOST_ENCODERS};
    mmf_latest *camera;
    int64_t bytes;

    check(mmf_channel_size(MMF_KIND_LATEST, FRAME, 0, &options, &bytes));
    check(mmf_latest_create_new("Camera", FRAME, &options, &camera));
    printf("The camera records into %lld MiB.\n", (long long)(bytes >> 20));
    fflush(stdout);
    for (int i = 0; i < frames; i++) {
        void *frame;

        check(mmf_latest_reserve(camera, FRAME, &frame)); /* has no timeout */
        memset(frame, i, FRAME);
        check(mmf_latest_commit(camera, FRAME, NULL));
        nap(FRAME_MS);
    }
    printf("%d frames, and no wait for an encoder.\n", frames);
    mmf_latest_close(camera);
}

/* A frame has one byte, over and over. */
static int
is_torn(const mmf_message *frame)
{
    const unsigned char *bytes = frame->bytes;

    return frame->length != FRAME || memcmp(bytes, bytes + 1, FRAME - 1) != 0;
}

static void
encode(int frames)
{
    mmf_channel_options options = {
        .size = sizeof(options), .role = MMF_ROLE_RECEIVE, .wait_ms = LONG_MS};
    mmf_latest *camera;
    uint64_t version = 0;
    int torn = 0;

    check(mmf_latest_open_existing("Camera", &options, &camera));
    for (int i = 0; i < frames; i++) {
        mmf_message frame;
        unsigned char first;

        check(mmf_latest_wait(camera, version, LONG_MS));
        check(mmf_latest_take(camera, &frame)); /* no copy: it is pinned */
        version = frame.sequence;
        first = *(const unsigned char *)frame.bytes;
        nap(ENCODE_MS); /* 12 frames later */
        torn += is_torn(&frame) || *(const unsigned char *)frame.bytes != first;
        check(mmf_latest_release(camera));
    }
    printf("%d frames encoded, %d torn.\n", frames, torn);
    mmf_latest_close(camera);
}

int
main(int argc, char **argv)
{
    int frames = argc > 2 ? atoi(argv[2]) : 0;

    if (argc > 2 && strcmp(argv[1], "record") == 0) {
        record(frames);
    } else if (argc > 2 && strcmp(argv[1], "encode") == 0) {
        encode(frames);
    } else {
        fprintf(stderr, "usage: camera record FRAMES | camera encode FRAMES\n");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
