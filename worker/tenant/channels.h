/*
 * Channels: how an organisation's conversations come and go beside its own pages (ENG-15): which
 * are switched on, where answers are posted, under which sealed secret; and what came in.
 */
#ifndef FD_TENANT_CHANNELS_H
#define FD_TENANT_CHANNELS_H

#include "core/arena.h"
#include "db/db.h"

#include <stdbool.h>

#define CHANNEL_NAME_MAX    32
#define CHANNEL_ADDRESS_MAX 256 /* bytes of a sender, a thread, a message's id, a name */
#define CHANNEL_SECRET_SIZE 65  /* 64 hexadecimal digits, which are the key as they stand */
#define CHANNELS_MAX        32  /* of an organisation */

/* Lower case, and not one that has a meaning of its own. */
bool channel_name_valid(const char *name);

enum channel_column {
    CHANNEL_NAME,
    CHANNEL_ENABLED,
    CHANNEL_URL,
    CHANNEL_LAST4,
    CHANNEL_UPDATED,
    CHANNEL_WAITING, /* messages that are not answered yet */
    CHANNEL_PENDING, /* answers that are not delivered yet */
    CHANNEL_FAILED,  /* and those that were given up in the last day */
    CHANNEL_LAST_ERROR
};
/* channel NULL: all of them. */
enum db_status channels_list(struct db *db, const char *org, const char *channel, PGresult **rows);

struct channel_settings {
    const char *channel;
    bool makes; /* it is a new one; else it has to be there */
    bool has_enabled, enabled;
    bool has_url;
    const char *url;    /* NULL: nothing is posted */
    bool rotate_secret; /* as a URL on another server does by itself */
};
enum channel_saved { CHANNEL_SAVED, CHANNEL_UNKNOWN, CHANNEL_EXISTS };
/* *made: the secret, told once; "" where it stays. DB_FAILED with db_error(): not sealed, or so
 * many channels. */
enum db_status channel_save(struct db *db, const char *keys, const char *org,
                            const struct channel_settings *settings, enum channel_saved *saved,
                            char made[CHANNEL_SECRET_SIZE]);
/* Of a delivery: in the arena. NULL: error says why. */
const char *channel_secret_open(struct arena *a, const char *keys, const char *org, const char *id,
                                const char *cell, char error[256]);

struct channel_message {
    const char *channel;
    const char *message_id; /* the channel's own */
    const char *sender;
    const char *thread;          /* "" = there is but one */
    const char *name, *language; /* may be NULL */
    const char *text;            /* "" = nothing of it can be read */
};
enum channel_receipt { CHANNEL_TAKEN, CHANNEL_KNOWN, CHANNEL_OFF, CHANNEL_CROWDED };
/* *id: of the message here, in the arena. */
enum db_status channel_receive(struct db *db, struct arena *a, const char *org,
                               const struct channel_message *message, const char **id,
                               enum channel_receipt *receipt);

enum channel_delivery_column {
    DELIVERY_ID,
    DELIVERY_CREATED,
    DELIVERY_KIND,
    DELIVERY_STATE,
    DELIVERY_ATTEMPTS,
    DELIVERY_SETTLED,
    DELIVERY_ERROR,
    DELIVERY_CONVERSATION,
    DELIVERY_AT /* for the next page */
};
/* The latest first, behind that place; NULL: from the start. */
enum db_status channel_deliveries(struct db *db, const char *org, const char *channel,
                                  const char *at, const char *id, int most, PGresult **rows);

#endif
