/* metrics.h - the links' counters as OpenMetrics text. */
#ifndef MMF_BRIDGE_METRICS_H
#define MMF_BRIDGE_METRICS_H

#include "link.h"

/* Replace the file in one step. A failure is said once. */
void metrics_write(struct bridge *bridge);

#endif
