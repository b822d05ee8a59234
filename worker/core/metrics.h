/*
 * Metrics: counters, gauges and histograms in one static table (metrics.c),
 * printed in the Prometheus text format. Loop thread only. No label per tenant.
 */
#ifndef FD_CORE_METRICS_H
#define FD_CORE_METRICS_H

#include "core/buf.h"

#include <stdint.h>

/* A family registers itself once and is then used by pointer. */
struct metric;

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* name as Prometheus writes it; label_name NULL for a family without labels.
 * Histograms use fixed buckets from 0.5 ms to 60 s and take seconds. */
struct metric *metric_register(enum metric_kind kind, const char *name, const char *help,
                               const char *label_name);
/* label_value NULL without labels; at most 32 values a family, more fall under "other". */
void metric_add(struct metric *m, const char *label_value, double by);
void metric_set(struct metric *m, const char *label_value, double value);
void metric_observe(struct metric *m, const char *label_value, double value);
void metrics_print(struct buf *out);

#endif
