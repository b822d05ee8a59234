/* Status: /metrics and /healthz of a worker, on FRONTDESK_METRICS_LISTEN. */
#ifndef FD_CHAT_STATUS_H
#define FD_CHAT_STATUS_H

#include "chat/engine.h"

struct status;

/* NULL with an error: it cannot listen. NULL without: it is switched off. */
struct status *status_new(struct engine *engine, char error[256]);
void status_free(struct status *status);

#endif
