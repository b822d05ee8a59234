/*
 * Template: the URL of an endpoint behind its integration's base URL, such as
 * "/orders/{order_id}.json?status=any&email={email}". A value can change nothing but
 * the place where it stands: in the path it is never more than a part of its segment,
 * in the query never more than its parameter. Pure.
 */
#ifndef FD_INTEGRATION_TEMPLATE_H
#define FD_INTEGRATION_TEMPLATE_H

#include "core/arena.h"
#include "protocol/json.h"

#include <stdbool.h>
#include <stddef.h>

#define TEMPLATE_URL_MAX   8000
#define TEMPLATE_VALUE_MAX 2000
#define TEMPLATE_NAMES_MAX 32

struct template_names {
    const char *list[TEMPLATE_NAMES_MAX];
    size_t count;
    size_t in_path; /* of them, the first ones: a call has to have them */
};

/* False: error says what of the template is wrong. */
bool template_check(struct arena *a, const char *text, struct template_names *names,
                    char error[256]);
bool template_has(const struct template_names *names, const char *name);

/* The URL for these arguments. A query parameter whose argument is missing is left out;
 * `rest`: arguments that the template does not name become query parameters. NULL:
 * error says which argument is missing or cannot stand where it should. */
const char *template_expand(struct arena *a, const char *base_url, const char *text,
                            const struct fd_json *arguments, bool rest, char error[256]);

#endif
