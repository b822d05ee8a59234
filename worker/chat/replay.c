#include "chat/replay.h"

#include <stdio.h>
#include <string.h>

void replay_write(struct outbox *outbox, const struct store_outcome *outcome)
{
    char reset[32];
    int len = snprintf(reset, sizeof(reset), "{\"attempt\":%d}", outcome->epoch);
    outbox_event(outbox, FD_EVENT_RESET, reset, (size_t)len);
    if (outcome->stream && outcome->text != NULL)
        outbox_text(outbox, outcome->text, strlen(outcome->text));
    outbox_event(outbox, outcome->event, outcome->data, strlen(outcome->data));
}
