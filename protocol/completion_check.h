/*
 * Between the files of completion_request.h: faults in OpenAI's words, and the checks
 * of what nests. Each check answers false with the fault filled.
 */
#ifndef FD_PROTOCOL_COMPLETION_CHECK_H
#define FD_PROTOCOL_COMPLETION_CHECK_H

#include "protocol/completion_request.h"

#define FD_FAULT_MISSING "missing_required_parameter"
#define FD_FAULT_TYPE    "invalid_type"
#define FD_FAULT_VALUE   "invalid_value"
#define FD_FAULT_UNKNOWN "unknown_parameter"
#define FD_FAULT_REFUSED "unsupported_parameter"

/* All return false. A path is "messages[1].content"; it may hold any bytes of the body. */
bool fd_completion_fault(struct fd_completion_fault *fault, const char *code, const char *path,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));
bool fd_completion_missing(struct fd_completion_fault *fault, const char *path);
bool fd_completion_wrong_type(struct fd_completion_fault *fault, const char *path,
                              const char *expected, const struct fd_json *got);

/* A value that is neither absent nor null. */
bool fd_completion_given(const struct fd_json *value);
/* 1 to 64 of [A-Za-z0-9_-], what every provider takes as the name of a tool. */
bool fd_completion_is_name(const struct fd_json *value);

bool fd_completion_check_messages(const struct fd_json *messages,
                                  struct fd_completion_fault *fault);
bool fd_completion_check_tools(const struct fd_json *tools, struct fd_completion_fault *fault);
/* `tools` NULL: there are none. */
bool fd_completion_check_choice(const struct fd_json *choice, const struct fd_json *tools,
                                struct fd_completion_fault *fault);
bool fd_completion_check_format(const struct fd_json *format, struct fd_completion_fault *fault);

#endif
