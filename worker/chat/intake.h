/*
 * Intake: reads fd:jobs, as many entries as there are free slots, on a connection
 * of its own (the read blocks). First what an earlier life of this worker left
 * pending, then what is new.
 */
#ifndef FD_CHAT_INTAKE_H
#define FD_CHAT_INTAKE_H

#include "chat/engine.h"

struct intake;

/* NULL: the address is no address. `left` is charged with a crash each. */
struct intake *intake_new(struct engine *engine, const struct crumb_left *left);
void intake_free(struct intake *intake);
void intake_start(struct intake *intake); /* shards are known */
void intake_wake(struct intake *intake);  /* a slot is free */
void intake_stop(struct intake *intake);

#endif
