
/*
 * healthz: this process answers.  metrics: of all processes of this host, as
 * Prometheus reads them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_frontdesk_conf.h"
#include "ngx_http_frontdesk_counter.h"
#include "ngx_http_frontdesk_respond.h"
#include "ngx_http_frontdesk_service.h"
#include "ngx_http_frontdesk_zone.h"


#define NGX_HTTP_FRONTDESK_METRICS_SIZE  16384


typedef struct {
    const char                *name;
    const char                *label;     /* NULL: the first of its name */
    const char                *help;
} ngx_http_frontdesk_metric_t;


static ngx_int_t ngx_http_frontdesk_health(ngx_http_request_t *r);
static ngx_int_t ngx_http_frontdesk_metrics(ngx_http_request_t *r);
static u_char *ngx_http_frontdesk_metrics_values(u_char *p, u_char *last,
    ngx_http_frontdesk_slot_t *total);
static u_char *ngx_http_frontdesk_metrics_value(u_char *p, u_char *last,
    const ngx_http_frontdesk_metric_t *metric, const char *type,
    ngx_atomic_int_t value);
static u_char *ngx_http_frontdesk_metrics_times(u_char *p, u_char *last,
    ngx_http_frontdesk_slot_t *total);
static u_char *ngx_http_frontdesk_metrics_zone(u_char *p, u_char *last);


/* in the order of their enumerations */

static const ngx_http_frontdesk_metric_t  ngx_http_frontdesk_counters[] = {
    { "requests_total", NULL, "Requests to the API." },
    { "admissions_total", "result=\"admitted\"",
      "Messages and session starts by what admission said." },
    { "admissions_total", "result=\"duplicate\"", NULL },
    { "admissions_total", "result=\"busy\"", NULL },
    { "admissions_total", "result=\"limited\"", NULL },
    { "admissions_total", "result=\"full\"", NULL },
    { "admissions_total", "result=\"unavailable\"", NULL },
    { "keys_total", "result=\"hit\"", "Keys by how they were known." },
    { "keys_total", "result=\"miss\"", NULL },
    { "keys_total", "result=\"denied\"", NULL },
    { "events_total", NULL, "Events written to clients." },
    { "pulls_total", NULL, "Reads of events that were missed." },
    { "blocked_total", NULL, "Times a client did not take its events." },
    { "slow_closed_total", NULL, "Streams closed for a slow client." },
    { "resumes_total", NULL, "Streams taken up again." },
    { "replays_total", NULL, "Answers replayed from the database." },
    { "redis_reconnects_total", NULL, "Connections to Redis made anew." },
    { "read_limited_total", NULL,
      "Requests refused by the read limit of an address." }
};

static const ngx_http_frontdesk_metric_t  ngx_http_frontdesk_gauges[] = {
    { "streams", NULL, "Open answers." },
    { "redis_pending", NULL, "Commands that wait for Redis." },
    { "redis_up", "role=\"jobs\"", "Processes connected to Redis." },
    { "redis_up", "role=\"live\"", NULL }
};

static const ngx_http_frontdesk_metric_t  ngx_http_frontdesk_times[] = {
    { "admission_seconds", NULL, "Round trip of an admission." },
    { "first_event_seconds", NULL, "From the request to its first event." }
};


ngx_int_t
ngx_http_frontdesk_status_handler(ngx_http_request_t *r)
{
    ngx_http_frontdesk_loc_conf_t  *lcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_frontdesk_module);

    switch (lcf->service) {

    case NGX_HTTP_FRONTDESK_HEALTHZ:
        return ngx_http_frontdesk_health(r);

    case NGX_HTTP_FRONTDESK_READYZ:
        return ngx_http_frontdesk_ready(r);

    default: /* NGX_HTTP_FRONTDESK_METRICS */
        return ngx_http_frontdesk_metrics(r);
    }
}


static ngx_int_t
ngx_http_frontdesk_health(ngx_http_request_t *r)
{
    ngx_str_t  body = ngx_string("{\"status\":\"ok\"}\n");

    return ngx_http_frontdesk_respond(r, NGX_HTTP_OK, "application/json",
                                      &body);
}


static ngx_int_t
ngx_http_frontdesk_metrics(ngx_http_request_t *r)
{
    u_char                     *p, *last;
    ngx_str_t                   body;
    ngx_http_frontdesk_slot_t   total;

    p = ngx_pnalloc(r->pool, NGX_HTTP_FRONTDESK_METRICS_SIZE);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = p;
    last = p + NGX_HTTP_FRONTDESK_METRICS_SIZE;

    ngx_http_frontdesk_counter_total(&total);

    p = ngx_http_frontdesk_metrics_values(p, last, &total);
    p = ngx_http_frontdesk_metrics_times(p, last, &total);
    p = ngx_http_frontdesk_metrics_zone(p, last);

    body.len = p - body.data;

    return ngx_http_frontdesk_respond(r, NGX_HTTP_OK,
                                      "text/plain; version=0.0.4", &body);
}


static u_char *
ngx_http_frontdesk_metrics_values(u_char *p, u_char *last,
    ngx_http_frontdesk_slot_t *total)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_FRONTDESK_COUNTERS; i++) {
        p = ngx_http_frontdesk_metrics_value(p, last,
                                             &ngx_http_frontdesk_counters[i],
                                             "counter", total->counters[i]);
    }

    for (i = 0; i < NGX_HTTP_FRONTDESK_GAUGES; i++) {
        p = ngx_http_frontdesk_metrics_value(p, last,
                                             &ngx_http_frontdesk_gauges[i],
                                             "gauge", total->gauges[i]);
    }

    return ngx_slprintf(p, last,
                        "# HELP frontdesk_edge_processes Worker processes.\n"
                        "# TYPE frontdesk_edge_processes gauge\n"
                        "frontdesk_edge_processes %uA\n", total->pid);
}


static u_char *
ngx_http_frontdesk_metrics_value(u_char *p, u_char *last,
    const ngx_http_frontdesk_metric_t *metric, const char *type,
    ngx_atomic_int_t value)
{
    if (metric->help) {
        p = ngx_slprintf(p, last, "# HELP frontdesk_edge_%s %s\n"
                         "# TYPE frontdesk_edge_%s %s\n",
                         metric->name, metric->help, metric->name, type);
    }

    if (metric->label == NULL) {
        return ngx_slprintf(p, last, "frontdesk_edge_%s %A\n",
                            metric->name, value);
    }

    return ngx_slprintf(p, last, "frontdesk_edge_%s{%s} %A\n",
                        metric->name, metric->label, value);
}


static u_char *
ngx_http_frontdesk_metrics_times(u_char *p, u_char *last,
    ngx_http_frontdesk_slot_t *total)
{
    ngx_uint_t                          i, j;
    ngx_msec_t                          bound;
    ngx_atomic_uint_t                   sum;
    const ngx_http_frontdesk_metric_t  *metric;

    for (i = 0; i < NGX_HTTP_FRONTDESK_TIMES; i++) {
        metric = &ngx_http_frontdesk_times[i];

        p = ngx_slprintf(p, last, "# HELP frontdesk_edge_%s %s\n"
                         "# TYPE frontdesk_edge_%s histogram\n",
                         metric->name, metric->help, metric->name);

        sum = 0;

        for (j = 0; j < NGX_HTTP_FRONTDESK_BUCKETS; j++) {
            bound = ngx_http_frontdesk_bounds[j];
            sum += total->times[i].buckets[j];

            p = ngx_slprintf(p, last,
                             "frontdesk_edge_%s_bucket{le=\"%M.%03M\"} %uA\n",
                             metric->name, bound / 1000, bound % 1000, sum);
        }

        sum += total->times[i].buckets[NGX_HTTP_FRONTDESK_BUCKETS];

        p = ngx_slprintf(p, last,
                         "frontdesk_edge_%s_bucket{le=\"+Inf\"} %uA\n"
                         "frontdesk_edge_%s_sum %uA.%03uA\n"
                         "frontdesk_edge_%s_count %uA\n",
                         metric->name, sum,
                         metric->name, total->times[i].sum / 1000,
                         total->times[i].sum % 1000,
                         metric->name, sum);
    }

    return p;
}


static u_char *
ngx_http_frontdesk_metrics_zone(u_char *p, u_char *last)
{
    ngx_http_frontdesk_usage_t  usage;

    ngx_http_frontdesk_zone_usage(&usage);

    return ngx_slprintf(p, last,
             "# HELP frontdesk_edge_zone_entries Entries cached now.\n"
             "# TYPE frontdesk_edge_zone_entries gauge\n"
             "frontdesk_edge_zone_entries{kind=\"key\"} %ui\n"
             "frontdesk_edge_zone_entries{kind=\"config\"} %ui\n"
             "# HELP frontdesk_edge_zone_evictions_total Entries that went for "
             "want of memory.\n"
             "# TYPE frontdesk_edge_zone_evictions_total counter\n"
             "frontdesk_edge_zone_evictions_total %ui\n"
             "# HELP frontdesk_edge_zone_free_pages Free pages of the zone.\n"
             "# TYPE frontdesk_edge_zone_free_pages gauge\n"
             "frontdesk_edge_zone_free_pages %ui\n",
             usage.keys, usage.configs, usage.evictions, usage.free_pages);
}
