/* core/log.h and core/metrics.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/arena.h"
#include "core/log.h"
#include "core/metrics.h"
#include "protocol/json.h"

#include <limits.h>
#include <math.h>
#include <unistd.h>

static struct arena arena;

/* What one call writes to stderr. */
static size_t capture(char *out, size_t size, void (*fn)(void))
{
    int pipe_fds[2], saved = dup(STDERR_FILENO);
    ssize_t len;

    assert_int_equal(pipe(pipe_fds), 0);
    dup2(pipe_fds[1], STDERR_FILENO);
    fn();
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(pipe_fds[1]);
    len = read(pipe_fds[0], out, size - 1);
    assert_true(len >= 0);
    out[len] = '\0';
    assert_int_equal(read(pipe_fds[0], out + len, 1), 0); /* one write, no more */
    close(pipe_fds[0]);
    return (size_t)len;
}

static const struct fd_json *line_of(void (*fn)(void))
{
    static char line[65536];
    size_t len = capture(line, sizeof(line), fn);
    struct fd_json_fault fault;
    const struct fd_json *json;

    assert_in_range(len, 1, PIPE_BUF); /* so that a pipe keeps lines apart */
    assert_int_equal(line[len - 1], '\n');
    assert_ptr_equal(strchr(line, '\n'), line + len - 1);
    json = fd_json_parse(line, len, (struct fd_json_limits){0}, arena_allocator(&arena), &fault);
    assert_non_null(json);
    return json;
}

static void write_usual(void)
{
    struct log_context ctx = {.request_id = "r1", .job_id = "0-1", .org_id = "o1"};

    log_info(&ctx, "job.done", LOG_INT("tokens", 12), LOG_STR("model", "a\"b\nc"),
             LOG_DOUBLE("cost", 0.5), LOG_DOUBLE("ratio", NAN), LOG_STR("none", NULL));
}

/* OPS-3 */
static void test_line(void **state)
{
    const struct fd_json *json = line_of(write_usual);

    (void)state;
    assert_int_equal(strlen(fd_json_string(json, "ts")), strlen("2026-01-01T00:00:00.000Z"));
    assert_string_equal(fd_json_string(json, "level"), "info");
    assert_string_equal(fd_json_string(json, "role"), "test");
    assert_string_equal(fd_json_string(json, "event"), "job.done");
    assert_string_equal(fd_json_string(json, "request_id"), "r1");
    assert_string_equal(fd_json_string(json, "job_id"), "0-1");
    assert_null(fd_json_get(json, "conversation_id"));
    assert_string_equal(fd_json_string(json, "org_id"), "o1");
    assert_int_equal(fd_json_int(json, "tokens", 0), 12);
    assert_string_equal(fd_json_string(json, "model"), "a\"b\nc");
    assert_int_equal(fd_json_get(json, "ratio")->type, FD_JSON_NULL);
    assert_null(fd_json_get(json, "none"));
}

static char huge[100000];

static void write_long_value(void)
{
    log_warn(NULL, "x", LOG_STR("a", huge));
}

static void write_too_much(void)
{
    struct log_context ctx = {.job_id = "0-1"};

    log_error(&ctx, "x", LOG_STR("a", huge), LOG_STR("b", huge), LOG_STR("c", huge),
              LOG_STR("d", huge), LOG_STR("e", huge));
}

static void test_long_values_are_cut(void **state)
{
    const struct fd_json *json;

    (void)state;
    memset(huge, 'x', sizeof(huge) - 1);
    memcpy(huge + 1023, "\xd7\xa9", 2); /* the cut falls into a character */
    json = line_of(write_long_value);
    assert_in_range(strlen(fd_json_string(json, "a")), 1023, 1026);
    json = line_of(write_too_much);
    assert_true(fd_json_bool(json, "cut", false));
    assert_string_equal(fd_json_string(json, "job_id"), "0-1");
}

static void write_debug(void)
{
    log_debug(NULL, "quiet");
}

static void test_level(void **state)
{
    char line[100];

    (void)state;
    assert_int_equal(capture(line, sizeof(line), write_debug), 0);
}

static void test_metrics(void **state)
{
    struct metric *jobs =
        metric_register(METRIC_COUNTER, "t_jobs_total", "Jobs\\done\n.", "result");
    struct metric *slots = metric_register(METRIC_GAUGE, "t_slots", "Slots.", NULL);
    struct buf out;

    (void)state;
    assert_ptr_equal(metric_register(METRIC_COUNTER, "t_jobs_total", "", "result"), jobs);
    metric_add(jobs, "ok", 1);
    metric_add(jobs, "ok", 2);
    metric_add(jobs, "a\"b\\c\n", 1);
    metric_set(slots, NULL, 7.5);
    buf_init(&out, 65536);
    metrics_print(&out);
    assert_string_equal(out.data, "# HELP t_jobs_total Jobs\\\\done\\n.\n"
                                  "# TYPE t_jobs_total counter\n"
                                  "t_jobs_total{result=\"ok\"} 3\n"
                                  "t_jobs_total{result=\"a\\\"b\\\\c\\n\"} 1\n"
                                  "# HELP t_slots Slots.\n"
                                  "# TYPE t_slots gauge\n"
                                  "t_slots 7.5\n");
    buf_free(&out);
}

static void test_histogram(void **state)
{
    struct metric *h = metric_register(METRIC_HISTOGRAM, "t_seconds", "Time.", "op");
    struct buf out;

    (void)state;
    metric_observe(h, "x", 0.0005); /* on a bound: it belongs to it */
    metric_observe(h, "x", 0.3);
    metric_observe(h, "x", 61);
    buf_init(&out, 65536);
    metrics_print(&out);
    assert_non_null(strstr(out.data, "t_seconds_bucket{op=\"x\",le=\"0.0005\"} 1\n"));
    assert_non_null(strstr(out.data, "t_seconds_bucket{op=\"x\",le=\"0.25\"} 1\n"));
    assert_non_null(strstr(out.data, "t_seconds_bucket{op=\"x\",le=\"0.5\"} 2\n"));
    assert_non_null(strstr(out.data, "t_seconds_bucket{op=\"x\",le=\"60\"} 2\n"));
    assert_non_null(strstr(out.data, "t_seconds_bucket{op=\"x\",le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(out.data, "t_seconds_sum{op=\"x\"} 61.3005\n"));
    assert_non_null(strstr(out.data, "t_seconds_count{op=\"x\"} 3\n"));
    buf_free(&out);
}

static void test_labels_are_bounded(void **state)
{
    struct metric *m = metric_register(METRIC_COUNTER, "t_many", "Many.", "who");
    struct buf out;
    int lines = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        char label[16];

        snprintf(label, sizeof(label), "w%d", i);
        metric_add(m, label, 1);
    }
    buf_init(&out, 1 << 20);
    metrics_print(&out);
    for (const char *at = out.data; (at = strstr(at, "t_many{")) != NULL; at++)
        lines++;
    assert_int_equal(lines, 33);
    assert_non_null(strstr(out.data, "t_many{who=\"other\"} 968\n"));
    buf_free(&out);
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),      cmocka_unit_test(test_long_values_are_cut),
        cmocka_unit_test(test_level),     cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_histogram), cmocka_unit_test(test_labels_are_bounded),
    };

    log_open("test", LOG_INFO);
    return cmocka_run_group_tests_name("observe", tests, NULL, teardown);
}
