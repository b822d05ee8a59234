/*
 * Turn: work that one process at a time does. Who has the turn is a row that runs out, so
 * it passes on when its holder dies, and holds behind a proxy that deals out connections by
 * transaction. Its number grows with each holder: what is done under an old one does not
 * commit.
 */
#ifndef FD_DB_TURN_H
#define FD_DB_TURN_H

#include "db/db.h"

#define TURN_OWNER_SIZE 96
#define TURN_SECONDS    30 /* without a sign of life */

struct turn {
    const char *name;
    char owner[TURN_OWNER_SIZE]; /* one a process; empty: made when it is taken */
    int64_t number;
};

/* *mine false: another has it. */
enum db_status turn_take(struct db *db, struct turn *turn, bool *mine);
/* As the first statement of a transaction: nobody takes it over until that ends. DB_BUSY:
 * it is not ours any more; nothing may be done. */
enum db_status turn_hold(struct db *db, const struct turn *turn);
/* The same outside of a transaction: a sign of life in long work. */
enum db_status turn_renew(struct db *db, const struct turn *turn);
void turn_give(struct db *db, const struct turn *turn);

#endif
