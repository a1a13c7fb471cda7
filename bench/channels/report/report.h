/* report.h - tables of what was measured, and the plots' data. */
#ifndef MMF_BENCH_CHANNELS_REPORT_REPORT_H
#define MMF_BENCH_CHANNELS_REPORT_REPORT_H

/* Print all tables and note the figures; FILE.*.dat get what script/plot_channels
 * draws.
 */
void channel_report(const char *file);

#endif
