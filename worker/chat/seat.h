/*
 * Seat: what a pool thread works with: its database connection and its slot in the
 * crumb file, so that a job which kills a pool thread is charged as well.
 */
#ifndef FD_CHAT_SEAT_H
#define FD_CHAT_SEAT_H

struct crumb;
struct db;

struct pool_seat {
    struct db *db;
    struct crumb *crumb;
    int slot;
};

#endif
