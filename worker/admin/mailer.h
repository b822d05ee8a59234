/*
 * Mailer: hands links to a new password (tenant/reset_mail.h) to the platform's webhook, which
 * mails them: signed as alerts are, tried again for a minute, and after a crash by the next
 * process that looks. Loop thread; several processes share the work.
 */
#ifndef FD_ADMIN_MAILER_H
#define FD_ADMIN_MAILER_H

#include "core/config.h"

struct loop;
struct mailer;
struct pool;

#define MAILER_SECRET_MIN 16 /* bytes */

/* Is there a webhook? */
bool mailer_is_set_up(const struct config *config);
/* False: a part of what it needs is missing; error says which. Without a webhook, true. */
bool mailer_is_whole(const struct config *config, char error[256]);

/* Of a pool whose threads hold a struct db. NULL: there is no webhook. */
struct mailer *mailer_new(struct loop *loop, struct pool *pool, const struct config *config);
/* Somebody has asked for a link. */
void mailer_soon(struct mailer *mailer);
/* Takes nothing more. */
void mailer_stop(struct mailer *mailer);
void mailer_free(struct mailer *mailer); /* after the pool; NULL is fine */

#endif
