/*
 * Error: what a provider's error means. Providers agree neither on the shape of an
 * error nor on its words; the retry policy needs one class. Pure.
 */
#ifndef FD_LLM_ERROR_H
#define FD_LLM_ERROR_H

#include "llm/provider.h"

void llm_error_clear(struct llm_error *error);
/* The message is cut to one line without control characters or anything like a key. */
void llm_error_set(struct llm_error *error, enum llm_error_class class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The error that a JSON body is or carries; NULL if it is none. */
const struct fd_json *llm_error_find(const struct fd_json *body);
/* From what llm_error_find() found; status 0: only what the error itself says. */
void llm_error_read(struct llm_error *error, int status, const struct fd_json *found);
/* From a response with another status than 200; every protocol's decode_error. */
void llm_error_http(int status, const char *body, size_t len, struct llm_error *error);

/* The words of an error that its class is decided on; each may be NULL. */
struct llm_error_words {
    int status;
    const char *code;
    const char *type;
    const char *detail; /* OpenRouter's error_type */
    const char *message;
    bool moderated; /* the provider says which of its rules refused the input */
};
enum llm_error_class llm_error_classify(const struct llm_error_words *words);

#endif
