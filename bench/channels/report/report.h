/* report.h - tables of what was measured. */
#ifndef MMF_BENCH_CHANNELS_REPORT_REPORT_H
#define MMF_BENCH_CHANNELS_REPORT_REPORT_H

/* Print all tables and note the figures. */
void channel_report(void);

#endif
