/*
 * A problem as OpenAI's clients want it: {"error": {message, type, param, code}} and the
 * status by which their SDKs choose a class of exception.
 */
#ifndef FD_PROTOCOL_OPENAI_ERROR_H
#define FD_PROTOCOL_OPENAI_ERROR_H

#include "protocol/problem.h"

/* Money that is spent is 429 there, as a limit of rate is. */
int fd_openai_status(enum fd_problem_type type);
/* What their SDKs try again by themselves, although it will not help. */
bool fd_openai_never_retry(enum fd_problem_type type);

void fd_openai_error_write(struct fd_json_writer *w, const struct fd_problem *problem);

#endif
