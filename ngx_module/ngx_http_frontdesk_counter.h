
/*
 * What /metrics shows, in the zone: ngx_http_frontdesk_counter.c.
 */


#ifndef _NGX_HTTP_FRONTDESK_COUNTER_H_INCLUDED_
#define _NGX_HTTP_FRONTDESK_COUNTER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef enum {
    NGX_HTTP_FRONTDESK_COUNT_REQUESTS = 0,
    NGX_HTTP_FRONTDESK_COUNT_ADMITTED,
    NGX_HTTP_FRONTDESK_COUNT_DUPLICATE,
    NGX_HTTP_FRONTDESK_COUNT_BUSY,
    NGX_HTTP_FRONTDESK_COUNT_LIMITED,
    NGX_HTTP_FRONTDESK_COUNT_FULL,
    NGX_HTTP_FRONTDESK_COUNT_UNAVAILABLE,
    NGX_HTTP_FRONTDESK_COUNT_KEY_HITS,
    NGX_HTTP_FRONTDESK_COUNT_KEY_MISSES,
    NGX_HTTP_FRONTDESK_COUNT_KEY_DENIED,
    NGX_HTTP_FRONTDESK_COUNT_EVENTS,
    NGX_HTTP_FRONTDESK_COUNT_PULLS,
    NGX_HTTP_FRONTDESK_COUNT_BLOCKED,
    NGX_HTTP_FRONTDESK_COUNT_SLOW_CLOSED,
    NGX_HTTP_FRONTDESK_COUNT_RESUMES,
    NGX_HTTP_FRONTDESK_COUNT_REPLAYS,
    NGX_HTTP_FRONTDESK_COUNT_REDIS_RECONNECTS,
    NGX_HTTP_FRONTDESK_COUNT_READ_LIMITED,
    NGX_HTTP_FRONTDESK_COUNTERS
} ngx_http_frontdesk_counter_e;

typedef enum {
    NGX_HTTP_FRONTDESK_GAUGE_STREAMS = 0,
    NGX_HTTP_FRONTDESK_GAUGE_PENDING,
    NGX_HTTP_FRONTDESK_GAUGE_REDIS_JOBS_UP,
    NGX_HTTP_FRONTDESK_GAUGE_REDIS_LIVE_UP,
    NGX_HTTP_FRONTDESK_GAUGES
} ngx_http_frontdesk_gauge_e;

typedef enum {
    NGX_HTTP_FRONTDESK_TIME_ADMISSION = 0,   /* Redis round trip */
    NGX_HTTP_FRONTDESK_TIME_FIRST_EVENT,
    NGX_HTTP_FRONTDESK_TIMES
} ngx_http_frontdesk_time_e;

void ngx_http_frontdesk_count(ngx_http_frontdesk_counter_e counter);
/* of this process; zeroed when a process takes its slot */
void ngx_http_frontdesk_gauge(ngx_http_frontdesk_gauge_e gauge,
    ngx_atomic_int_t value);
void ngx_http_frontdesk_observe(ngx_http_frontdesk_time_e time, ngx_msec_t ms);

/* this process's slot of them */
ngx_int_t ngx_http_frontdesk_counter_enter(ngx_cycle_t *cycle);
void ngx_http_frontdesk_counter_leave(void);

#define NGX_HTTP_FRONTDESK_BUCKETS  13      /* of a histogram, without +Inf */

typedef struct {
    ngx_atomic_t               buckets[NGX_HTTP_FRONTDESK_BUCKETS + 1];
    ngx_atomic_t               sum;         /* ms */
} ngx_http_frontdesk_histogram_t;

/* the zone has them: what changes here is another layout, see zone_layout.h */

typedef struct {
    ngx_atomic_t               pid;         /* 0 = free */
    ngx_atomic_t               counters[NGX_HTTP_FRONTDESK_COUNTERS];
    ngx_atomic_int_t           gauges[NGX_HTTP_FRONTDESK_GAUGES];
    ngx_http_frontdesk_histogram_t  times[NGX_HTTP_FRONTDESK_TIMES];
} ngx_http_frontdesk_slot_t;

/* upper bounds, ms */
extern const ngx_msec_t  ngx_http_frontdesk_bounds[NGX_HTTP_FRONTDESK_BUCKETS];

/* the sum of all slots; total->pid is how many processes there are */
void ngx_http_frontdesk_counter_total(ngx_http_frontdesk_slot_t *total);

#define NGX_HTTP_FRONTDESK_SLOTS  64

/* ngx_http_frontdesk_zone.c */

ngx_http_frontdesk_slot_t *ngx_http_frontdesk_zone_slots(void);


#endif /* _NGX_HTTP_FRONTDESK_COUNTER_H_INCLUDED_ */
