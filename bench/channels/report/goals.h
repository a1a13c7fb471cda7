/* goals.h - what mmf's channels are to reach, and whether they do. */
#ifndef MMF_BENCH_CHANNELS_REPORT_GOALS_H
#define MMF_BENCH_CHANNELS_REPORT_GOALS_H

/* Print the table and note each figure. */
void channel_goals(void);

#endif
