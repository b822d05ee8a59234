/* Spec: what may be saved as an integration, made whole: the URL where its API is, how it
 * signs in, what is stored beside it. Pure. */
#ifndef FD_INTEGRATION_SPEC_H
#define FD_INTEGRATION_SPEC_H

#include "core/arena.h"
#include "integration/settings.h"

struct integration_spec {
    enum integration_type type;
    enum integration_auth auth;
    const char *base_url;
    const char *settings;    /* JSON */
    const char *credentials; /* JSON; NULL = none */
    const char *last4;       /* JSON */
};

/* `allow`: the owner's exceptions. False: the problem says which field is wrong. */
bool spec_read(struct arena *a, const char *allow, const struct integration_new *given,
               struct integration_spec *spec, struct tool_problem *problem);
/* New credentials for what is there; the same of settings. */
bool spec_read_credentials(struct arena *a, enum integration_type type, enum integration_auth auth,
                           const struct fd_json *given, struct integration_spec *spec,
                           struct tool_problem *problem);
bool spec_check_settings(const char *allow, enum integration_type type,
                         const struct fd_json *settings, struct tool_problem *problem);

#endif
