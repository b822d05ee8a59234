/*
 * Error_reporter: tells an error tracker of the errors in this process's log: each kind
 * once a minute, a few a minute in all. What the log says is all that it says: no text of
 * anybody's, no secret. A tracker that is away loses reports and holds nothing up.
 */
#ifndef FD_NET_ERROR_REPORTER_H
#define FD_NET_ERROR_REPORTER_H

struct loop;
struct error_reporter;

/* NULL: `dsn` is none (net/error_envelope.h), error says so. One a process: it listens to
 * the log, of every thread, until it is freed. */
struct error_reporter *error_reporter_new(struct loop *loop, const char *dsn, char error[256]);
void error_reporter_free(struct error_reporter *reporter); /* NULL is fine */

#endif
