/* progress.c - see progress.h. */
#include "base/progress.h"

#include <stdio.h>

#include "base/units.h"
#include "os/os.h"

static int64_t begun_ms;
static int64_t shown_ms;

static int64_t
now_ms(void)
{
    return os_now_ns() / 1000000;
}

void
progress_show(int64_t done, int64_t total)
{
    char done_text[UNITS_TEXT_SIZE];
    char total_text[UNITS_TEXT_SIZE];
    int64_t now = now_ms();

    if (begun_ms == 0)
        begun_ms = now;
    if (now - begun_ms < 1000 || now - shown_ms < 200 || !os_has_sequences(stderr))
        return;
    shown_ms = now;
    if (total > 0)
        fprintf(stderr, "\r%s of %s, %d %%\033[K", units_show_bytes(done, done_text),
                units_show_bytes(total, total_text),
                (int)((double)done * 100 / (double)total));
    else
        fprintf(stderr, "\r%s\033[K", units_show_bytes(done, done_text));
    fflush(stderr);
}

void
progress_end(void)
{
    if (shown_ms != 0)
        fprintf(stderr, "\r\033[K");
    fflush(stderr);
    begun_ms = 0;
    shown_ms = 0;
}
