/*
 * Meaning once: what a chat finds by a question's meaning (chat/meaning.h), found without a
 * worker, for a dry run: the same server is asked, for the same money, and the same vectors are
 * searched. On a pool thread or in a command.
 */
#ifndef FD_CHAT_MEANING_ONCE_H
#define FD_CHAT_MEANING_ONCE_H

#include "context/fuse.h"
#include "core/config.h"
#include "db/db.h"
#include "tenant/tenant.h"

struct meaning_once {
    const char *outcome; /* as frontdesk_meaning_total counts: "found", "off", "failed", ... */
    struct ranked *found;
    size_t count;
};

enum db_status meaning_once(struct db *db, const struct config *config, struct arena *a,
                            const struct tenant *tenant, const char *question,
                            struct meaning_once *once);

#endif
