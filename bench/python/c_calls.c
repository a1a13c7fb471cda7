/* c_calls.c - for each line of input: nanoseconds of processor time
 * for a send and a receive of 64 bytes. */
#include <mmf/mmf.h>

#include <stdio.h>
#include <time.h>

enum { TIMES = 100000 };

static double
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int
main(void)
{
    char data[64] = {0};
    mmf_queue *queue;
    size_t length;

    if (mmf_queue_create_new("C", sizeof(data), 64, MMF_OVERFLOW_BLOCK, NULL, &queue) <
        0)
        return 1;
    while (getchar() != EOF) {
        double start = now();

        for (int i = 0; i < TIMES; i++)
            if (mmf_queue_send(queue, data, sizeof(data), -1, NULL) < 0 ||
                mmf_queue_receive(queue, data, sizeof(data), -1, &length, NULL) < 0)
                return 1;
        printf("%.1f\n", (now() - start) / TIMES);
        fflush(stdout);
    }
    mmf_queue_close(queue);
    return 0;
}
