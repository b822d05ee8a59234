#include "chat/replay.h"

#include "chat/completion_replay.h"

#include <stdio.h>
#include <string.h>

void replay_write(struct outbox *outbox, const struct store_outcome *outcome)
{
    char reset[32];
    int len = snprintf(reset, sizeof(reset), "{\"attempt\":%d}", outcome->epoch);
    outbox_event(outbox, FD_EVENT_RESET, reset, (size_t)len);
    bool done = outcome->event == FD_EVENT_DONE;
    if (outcome->door && outcome->stream && done)
        completion_replay(outbox, outcome->data, outcome->usage);
    else if (outcome->stream && outcome->text != NULL)
        outbox_text(outbox, outcome->text, strlen(outcome->text));
    const char *data = outcome->door && done ? "{}" : outcome->data;
    outbox_event(outbox, outcome->event, data, strlen(data));
}
