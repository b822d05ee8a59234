#include "core/log.h"
#include "core/clock.h"
#include "protocol/json.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A write to a pipe is not mixed with another process's up to PIPE_BUF bytes. */
#define LINE_MAX_LEN  PIPE_BUF
#define VALUE_MAX_LEN 1024

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

static const char *role = "frontdesk";
static enum log_level least_level = LOG_INFO;
static pthread_mutex_t listener_lock = PTHREAD_MUTEX_INITIALIZER;
static void (*error_listener)(void *arg, const struct log_line *line);
static void *error_listener_arg;

void log_open(const char *new_role, enum log_level least)
{
    role = new_role;
    least_level = least;
}

void log_on_error(void (*listener)(void *arg, const struct log_line *line), void *arg)
{
    pthread_mutex_lock(&listener_lock);
    error_listener = listener;
    error_listener_arg = arg;
    pthread_mutex_unlock(&listener_lock);
}

/* Under the lock: who stops listening is not called any more. */
static void tell_listener(const char *event, const char *line, size_t len)
{
    struct log_line heard = {.role = role, .event = event, .text = line, .len = len};

    pthread_mutex_lock(&listener_lock);
    if (error_listener != NULL)
        error_listener(error_listener_arg, &heard);
    pthread_mutex_unlock(&listener_lock);
}

enum log_level log_level_named(const char *name)
{
    for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
        if (name != NULL && strcmp(name, level_names[level]) == 0)
            return (enum log_level)level;
    }
    return LOG_INFO;
}

static bool line_is_full(struct fd_json_writer *w, size_t more)
{
    (void)w;
    (void)more;
    return false;
}

static void begin_line(struct fd_json_writer *w, char line[LINE_MAX_LEN])
{
    *w = (struct fd_json_writer){
        .grow = line_is_full, .data = line, .cap = LINE_MAX_LEN - 1, /* and the line feed */
    };
}

static void put_time(struct fd_json_writer *w)
{
    int64_t now = clock_wall_ms();
    time_t seconds = (time_t)(now / 1000);
    struct tm utc;
    char date[32];
    char text[48];

    if (gmtime_r(&seconds, &utc) == NULL)
        return;
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, sizeof(text), "%s.%03dZ", date, (int)(now % 1000));
    fd_jw_member(w, "ts", text);
}

static void put_text(struct fd_json_writer *w, const char *name, const char *value)
{
    if (value == NULL)
        return;
    fd_jw_key(w, name);
    fd_jw_string(w, value, strnlen(value, VALUE_MAX_LEN));
}

static void put_head(struct fd_json_writer *w, enum log_level level, const struct log_context *ctx,
                     const char *event)
{
    fd_jw_object(w);
    put_time(w);
    fd_jw_member(w, "level", level_names[level]);
    fd_jw_member(w, "role", role);
    fd_jw_member_int(w, "pid", getpid());
    put_text(w, "event", event);
    if (ctx == NULL)
        return;
    put_text(w, "request_id", ctx->request_id);
    put_text(w, "job_id", ctx->job_id);
    put_text(w, "conversation_id", ctx->conversation_id);
    put_text(w, "org_id", ctx->org_id);
}

static void put_field(struct fd_json_writer *w, const struct log_field *field)
{
    switch (field->kind) {
    case LOG_FIELD_STR: put_text(w, field->name, field->str); return;
    case LOG_FIELD_INT: fd_jw_member_int(w, field->name, field->integer); return;
    case LOG_FIELD_DOUBLE:
        fd_jw_key(w, field->name);
        if (isfinite(field->number))
            fd_jw_double(w, field->number);
        else
            fd_jw_null(w);
        return;
    case LOG_FIELD_END: return;
    }
}

static void write_line(char *line, size_t len)
{
    ssize_t written;

    line[len++] = '\n';
    do
        written = write(STDERR_FILENO, line, len);
    while (written < 0 && errno == EINTR);
    /* where the log cannot be written, there is nobody to tell */
}

void log_write(enum log_level level, const struct log_context *ctx, const char *event,
               const struct log_field *fields)
{
    char line[LINE_MAX_LEN];
    struct fd_json_writer w;

    if (level < least_level)
        return;
    begin_line(&w, line);
    put_head(&w, level, ctx, event);
    for (const struct log_field *field = fields; field->kind != LOG_FIELD_END; field++)
        put_field(&w, field);
    fd_jw_end_object(&w);
    if (w.failed) {
        begin_line(&w, line);
        put_head(&w, level, ctx, event);
        fd_jw_member_bool(&w, "cut", true);
        fd_jw_end_object(&w);
    }
    if (w.failed)
        return;
    if (level == LOG_ERROR)
        tell_listener(event, line, w.len);
    write_line(line, w.len);
}
