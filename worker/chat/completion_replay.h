/* Completion replay: the chunks of a stored completion, as its stream had them. Pure but
 * for the outbox they go to; the same completion always gives the same events. */
#ifndef FD_CHAT_COMPLETION_REPLAY_H
#define FD_CHAT_COMPLETION_REPLAY_H

#include "chat/outbox.h"

/* Nothing for what is no completion. `usage`: the last chunk tells it. */
void completion_replay(struct outbox *outbox, const char *json, bool usage);

#endif
