/*
 * Shape: what the model is shown of an endpoint's answer, and what the operator reads in
 * the log of calls when there is nothing to show. Pure.
 *
 * An endpoint's config:
 *   list           where in the answer the list is ("orders"; "" = the answer itself)
 *   match          [{"field": "billing.email", "argument": "email"}]: elements of the list,
 *                  or answers, whose field is not the argument are left out. So that whose
 *                  order it is does not hang on how a shop understands a search.
 *   wrap           the member that a JSON body is put into
 *   cache_seconds  how long a read may be answered from the cache
 */
#ifndef FD_INTEGRATION_SHAPE_H
#define FD_INTEGRATION_SHAPE_H

#include "integration/integration.h"
#include "net/outbound.h"
#include "tool/tool.h"

#define SHAPE_CACHE_S     300
#define SHAPE_CACHE_S_MAX 600

/* result's texts are in the arena. */
void shape_response(struct arena *a, const struct integration *integration,
                    const struct endpoint *endpoint, const struct fd_json *arguments,
                    const struct outbound_response *response, struct tool_result *result);

/* The same of a query's rows. */
void shape_rows(struct arena *a, const char *json, size_t len, struct tool_result *result);

/* What to do about a status, for the operator; NULL: nothing is known. */
const char *shape_hint(enum integration_type type, int status);

/* False: error says what of the config is wrong. */
bool shape_config_check(const struct fd_json *config, char error[256]);
/* Seconds that this endpoint's answers may be kept; 0 = not at all. */
int64_t shape_cache_seconds(const struct endpoint *endpoint);

#endif
