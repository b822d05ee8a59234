
/*
 * Counters, gauges and histograms.  Each process writes a slot of its own in
 * the zone, whoever serves /metrics adds them up.  Slots are found by process
 * id, since worker numbers are those of two generations during a reload.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_counter.h"


static ngx_http_frontdesk_slot_t  *ngx_http_frontdesk_slot;


const ngx_msec_t  ngx_http_frontdesk_bounds[NGX_HTTP_FRONTDESK_BUCKETS] = {
    1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000
};


ngx_int_t
ngx_http_frontdesk_counter_enter(ngx_cycle_t *cycle)
{
    ngx_uint_t                  i;
    ngx_atomic_uint_t           pid;
    ngx_http_frontdesk_slot_t  *slots;

    slots = ngx_http_frontdesk_zone_slots();

    /* what a crashed process left would be counted for ever */

    for (i = 0; i < NGX_HTTP_FRONTDESK_SLOTS; i++) {
        pid = slots[i].pid;

        if (pid && kill((pid_t) pid, 0) == -1 && ngx_errno == NGX_ESRCH) {
            (void) ngx_atomic_cmp_set(&slots[i].pid, pid, 0);
        }
    }

    for (i = 0; i < NGX_HTTP_FRONTDESK_SLOTS; i++) {

        if (ngx_atomic_cmp_set(&slots[i].pid, 0, (ngx_atomic_uint_t) ngx_pid)) {
            ngx_memzero(slots[i].gauges, sizeof(slots[i].gauges));
            ngx_http_frontdesk_slot = &slots[i];
            return NGX_OK;
        }
    }

    ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                  "more than %d processes: this one is not in the metrics",
                  NGX_HTTP_FRONTDESK_SLOTS);

    return NGX_OK;
}


void
ngx_http_frontdesk_counter_leave(void)
{
    ngx_http_frontdesk_slot_t  *slot;

    slot = ngx_http_frontdesk_slot;

    if (slot) {
        ngx_http_frontdesk_slot = NULL;

        ngx_memzero(slot->gauges, sizeof(slot->gauges));
        ngx_memory_barrier();
        slot->pid = 0;
    }
}


void
ngx_http_frontdesk_count(ngx_http_frontdesk_counter_e counter)
{
    if (ngx_http_frontdesk_slot) {
        ngx_http_frontdesk_slot->counters[counter]++;
    }
}


void
ngx_http_frontdesk_gauge(ngx_http_frontdesk_gauge_e gauge,
    ngx_atomic_int_t value)
{
    if (ngx_http_frontdesk_slot) {
        ngx_http_frontdesk_slot->gauges[gauge] = value;
    }
}


void
ngx_http_frontdesk_observe(ngx_http_frontdesk_time_e time, ngx_msec_t ms)
{
    ngx_uint_t                       i;
    ngx_http_frontdesk_histogram_t  *histogram;

    if (ngx_http_frontdesk_slot == NULL) {
        return;
    }

    histogram = &ngx_http_frontdesk_slot->times[time];

    for (i = 0; i < NGX_HTTP_FRONTDESK_BUCKETS; i++) {
        if (ms <= ngx_http_frontdesk_bounds[i]) {
            break;
        }
    }

    histogram->buckets[i]++;
    histogram->sum += ms;
}


void
ngx_http_frontdesk_counter_total(ngx_http_frontdesk_slot_t *total)
{
    ngx_uint_t                  i, j, k;
    ngx_http_frontdesk_slot_t  *slot;

    ngx_memzero(total, sizeof(ngx_http_frontdesk_slot_t));

    slot = ngx_http_frontdesk_zone_slots();

    /* a free slot keeps what its processes counted, its gauges are 0 */

    for (i = 0; i < NGX_HTTP_FRONTDESK_SLOTS; i++, slot++) {

        total->pid += slot->pid ? 1 : 0;

        for (j = 0; j < NGX_HTTP_FRONTDESK_COUNTERS; j++) {
            total->counters[j] += slot->counters[j];
        }

        for (j = 0; j < NGX_HTTP_FRONTDESK_GAUGES; j++) {
            total->gauges[j] += slot->pid ? slot->gauges[j] : 0;
        }

        for (j = 0; j < NGX_HTTP_FRONTDESK_TIMES; j++) {

            for (k = 0; k <= NGX_HTTP_FRONTDESK_BUCKETS; k++) {
                total->times[j].buckets[k] += slot->times[j].buckets[k];
            }

            total->times[j].sum += slot->times[j].sum;
        }
    }
}
