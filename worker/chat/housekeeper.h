/*
 * Housekeeper: the worker's part in tenant/housekeeping.h. Whoever has the turn counts what
 * changed every few seconds and deletes what is old once an hour, a little at a time.
 */
#ifndef FD_CHAT_HOUSEKEEPER_H
#define FD_CHAT_HOUSEKEEPER_H

struct engine;
struct housekeeper;

struct housekeeper *housekeeper_new(struct engine *engine);
void housekeeper_free(struct housekeeper *housekeeper); /* after the pool; NULL is fine */

#endif
