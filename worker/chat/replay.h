/*
 * Replay: a finished job's events, written anew from PostgreSQL (handoff: "Replay"):
 * reset, the answer, the terminal event. Deterministic: whoever replays the same
 * job writes the same events under the same ids, so that two at once do no harm and
 * one that died half-way is completed by the next.
 */
#ifndef FD_CHAT_REPLAY_H
#define FD_CHAT_REPLAY_H

#include "chat/outbox.h"
#include "chat/store.h"

/* Into an outbox of mode REPLAY, opened with outcome->epoch. */
void replay_write(struct outbox *outbox, const struct store_outcome *outcome);

#endif
