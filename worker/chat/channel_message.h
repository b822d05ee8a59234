/* Channel_message: what a delivery posts to a channel's webhook (docs/channels.md). Pure. */
#ifndef FD_CHAT_CHANNEL_MESSAGE_H
#define FD_CHAT_CHANNEL_MESSAGE_H

#include "core/buf.h"
#include "db/db.h"

#define CHANNEL_MESSAGE_MAX 1048576

/* Of a row of channel_claim_deliveries(). */
bool channel_message_write(struct buf *out, const PGresult *rows, int row);

#endif
