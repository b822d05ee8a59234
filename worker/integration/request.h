/* Request: the HTTP request of an endpoint's call. Pure. */
#ifndef FD_INTEGRATION_REQUEST_H
#define FD_INTEGRATION_REQUEST_H

#include "integration/integration.h"
#include "net/outbound.h"

#define ENDPOINT_MS       20000
#define ENDPOINT_BODY_MAX 1048576

/* What the template does not name goes into the query of a GET or DELETE, unless the
 * template has one itself, else into a JSON body. `token`: of OAuth2, else NULL; `key`: the
 * idempotency key of a write, else NULL. False: error says what is missing or wrong. Texts are in
 * the arena. */
bool endpoint_request(struct arena *a, const struct integration *integration,
                      const struct endpoint *endpoint, const struct fd_json *arguments,
                      const char *token, const char *key, struct outbound_options *options,
                      char error[256]);

/* GET of a path behind the base URL, with the same credentials. */
bool integration_request(struct arena *a, const struct integration *integration, const char *path,
                         const char *token, struct outbound_options *options, char error[256]);

/* Basic's credentials: "Basic dXNlcjpwdw==". */
const char *basic_credentials(struct arena *a, const char *username, const char *password);

#endif
