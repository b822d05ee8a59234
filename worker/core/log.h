/*
 * Log: one JSON object a line on stderr. Never a message text, never a secret.
 *
 *     log_info(&job->log, "job.done", LOG_INT("tokens", n), LOG_STR("model", m));
 *
 * The context's ids go on every line of a job, so that it can be followed from
 * nginx's access log through both halves.
 */
#ifndef FD_CORE_LOG_H
#define FD_CORE_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_context {
    const char *request_id; /* each may be NULL */
    const char *job_id;
    const char *conversation_id;
    const char *org_id;
};

struct log_field {
    enum { LOG_FIELD_END, LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_DOUBLE } kind;
    const char *name;
    const char *str;
    int64_t integer;
    double number;
};

#define LOG_STR(name_, value_)                                                                     \
    ((struct log_field){.kind = LOG_FIELD_STR, .name = name_, .str = value_})
#define LOG_INT(name_, value_)                                                                     \
    ((struct log_field){.kind = LOG_FIELD_INT, .name = name_, .integer = (int64_t)(value_)})
#define LOG_DOUBLE(name_, value_)                                                                  \
    ((struct log_field){.kind = LOG_FIELD_DOUBLE, .name = name_, .number = value_})

void log_open(const char *role, enum log_level least);
/* "debug", "info", "warn", "error"; anything else is LOG_INFO. */
enum log_level log_level_named(const char *name);
/* `event` is a stable dotted name; fields end with an END record (the macros add it). */
void log_write(enum log_level level, const struct log_context *ctx, const char *event,
               const struct log_field *fields);

/* Hears of every error that is written, on whatever thread; must not log an error itself. */
struct log_line {
    const char *role, *event;
    const char *text; /* the line, a JSON object without its line feed; no NUL at the end */
    size_t len;
};
void log_on_error(void (*listener)(void *arg, const struct log_line *line), void *arg);

#ifdef __cppcheck__ /* its preprocessor does not know __VA_OPT__ */
#define LOG_FIELDS(...) NULL
#else
#define LOG_FIELDS(...)                                                                            \
    ((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.kind = LOG_FIELD_END}})
#endif
#define log_debug(ctx, event, ...) log_write(LOG_DEBUG, ctx, event, LOG_FIELDS(__VA_ARGS__))
#define log_info(ctx, event, ...)  log_write(LOG_INFO, ctx, event, LOG_FIELDS(__VA_ARGS__))
#define log_warn(ctx, event, ...)  log_write(LOG_WARN, ctx, event, LOG_FIELDS(__VA_ARGS__))
#define log_error(ctx, event, ...) log_write(LOG_ERROR, ctx, event, LOG_FIELDS(__VA_ARGS__))

#endif
