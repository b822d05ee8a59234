#include "core/metrics.h"
#include "core/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAMILIES_MAX 128
#define LABELS_MAX   32
#define LABEL_LEN    64
#define OTHER        "other"

static const double bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                0.25,   0.5,   1,      2.5,   5,    10,    30,   60};
#define BOUNDS (sizeof(bounds) / sizeof(bounds[0]))

struct series {
    char label[LABEL_LEN];
    double value;             /* a histogram's sum */
    uint64_t count;           /* histograms only */
    uint64_t buckets[BOUNDS]; /* not cumulative */
};

struct metric {
    enum metric_kind kind;
    const char *name;
    const char *help;
    const char *label_name;
    struct series *series; /* LABELS_MAX and one for the rest */
    size_t series_count;
};

static struct metric families[FAMILIES_MAX];
static size_t family_count;

/* Registration happens at start with literals; a table that is too small or a
 * process without memory is found there. */
static struct metric *give_up(const char *name)
{
    log_error(NULL, "metrics.cannot_register", LOG_STR("name", name));
    abort();
}

struct metric *metric_register(enum metric_kind kind, const char *name, const char *help,
                               const char *label_name)
{
    struct metric *m;

    for (size_t i = 0; i < family_count; i++) {
        if (strcmp(families[i].name, name) == 0)
            return &families[i];
    }
    if (family_count == FAMILIES_MAX)
        return give_up(name);
    m = &families[family_count];
    *m = (struct metric){.kind = kind, .name = name, .help = help, .label_name = label_name};
    m->series = calloc(label_name == NULL ? 1 : LABELS_MAX + 1, sizeof(*m->series));
    if (m->series == NULL)
        return give_up(name);
    if (label_name == NULL)
        m->series_count = 1; /* shown as 0 before anything happened */
    family_count++;
    return m;
}

static struct series *find_series(struct metric *m, const char *label)
{
    size_t i;

    if (m->label_name == NULL)
        return &m->series[0];
    if (label == NULL)
        label = OTHER;
    for (i = 0; i < m->series_count; i++) {
        if (strncmp(m->series[i].label, label, LABEL_LEN - 1) == 0)
            return &m->series[i];
    }
    if (i >= LABELS_MAX && strcmp(label, OTHER) != 0)
        return find_series(m, OTHER);
    m->series_count++;
    strncpy(m->series[i].label, label, LABEL_LEN - 1);
    return &m->series[i];
}

void metric_add(struct metric *m, const char *label_value, double by)
{
    find_series(m, label_value)->value += by;
}

void metric_set(struct metric *m, const char *label_value, double value)
{
    find_series(m, label_value)->value = value;
}

void metric_observe(struct metric *m, const char *label_value, double value)
{
    struct series *series = find_series(m, label_value);
    size_t i = 0;

    while (i < BOUNDS && value > bounds[i])
        i++;
    if (i < BOUNDS)
        series->buckets[i]++;
    series->count++;
    series->value += value;
}

/* Help and label values: backslash, line feed and (in a label) quotes are escaped. */
static void put_escaped(struct buf *out, const char *s, bool quotes)
{
    for (; *s != '\0'; s++) {
        if (*s == '\n')
            buf_puts(out, "\\n");
        else if (*s == '\\' || (quotes && *s == '"'))
            buf_printf(out, "\\%c", *s);
        else
            buf_append(out, s, 1);
    }
}

/* `le` NULL: not a bucket. */
static void put_sample(struct buf *out, const struct metric *m, const struct series *series,
                       const char *suffix, const char *le, double value)
{
    buf_printf(out, "%s%s", m->name, suffix);
    if (m->label_name != NULL || le != NULL) {
        buf_puts(out, "{");
        if (m->label_name != NULL) {
            buf_printf(out, "%s=\"", m->label_name);
            put_escaped(out, series->label, true);
            buf_puts(out, le != NULL ? "\"," : "\"");
        }
        if (le != NULL)
            buf_printf(out, "le=\"%s\"", le);
        buf_puts(out, "}");
    }
    if (isfinite(value))
        buf_printf(out, " %.15g\n", value);
    else
        buf_puts(out, isnan(value) ? " NaN\n" : value > 0 ? " +Inf\n" : " -Inf\n");
}

static void put_histogram(struct buf *out, const struct metric *m, const struct series *series)
{
    uint64_t below = 0;
    char le[32];

    for (size_t i = 0; i < BOUNDS; i++) {
        below += series->buckets[i];
        snprintf(le, sizeof(le), "%g", bounds[i]);
        put_sample(out, m, series, "_bucket", le, (double)below);
    }
    put_sample(out, m, series, "_bucket", "+Inf", (double)series->count);
    put_sample(out, m, series, "_sum", NULL, series->value);
    put_sample(out, m, series, "_count", NULL, (double)series->count);
}

void metrics_print(struct buf *out)
{
    static const char *const types[] = {
        [METRIC_COUNTER] = "counter",
        [METRIC_GAUGE] = "gauge",
        [METRIC_HISTOGRAM] = "histogram",
    };

    for (size_t i = 0; i < family_count; i++) {
        const struct metric *m = &families[i];

        buf_printf(out, "# HELP %s ", m->name);
        put_escaped(out, m->help, false);
        buf_printf(out, "\n# TYPE %s %s\n", m->name, types[m->kind]);
        for (size_t s = 0; s < m->series_count; s++) {
            if (m->kind == METRIC_HISTOGRAM)
                put_histogram(out, m, &m->series[s]);
            else
                put_sample(out, m, &m->series[s], "", NULL, m->series[s].value);
        }
    }
}
