/*
 * Crumb: which job this process is working on right now, in a file that survives
 * its death (handoff: "Poison"). One slot for the loop and one for each pool
 * thread. The file is locked, so that a second worker of the same name on this
 * host is refused instead of taking the first one's jobs.
 */
#ifndef FD_CHAT_CRUMB_H
#define FD_CHAT_CRUMB_H

#include "protocol/ids.h"

#define CRUMB_SLOTS 65 /* the loop's is 0 */

struct crumb;

/* Jobs that an earlier life died with. */
struct crumb_left {
    char jobs[CRUMB_SLOTS][FD_JOB_ID_SIZE];
    int count;
};

/* NULL: the file cannot be had; error says why. */
struct crumb *crumb_open(const char *dir, const char *name, struct crumb_left *left,
                         char error[256]);
void crumb_close(struct crumb *crumb);
/* Slots of pool threads; -1 when all are taken (that thread leaves no crumb). */
int crumb_slot(struct crumb *crumb);
void crumb_set(struct crumb *crumb, int slot, const char *job);
void crumb_clear(struct crumb *crumb, int slot);

#endif
