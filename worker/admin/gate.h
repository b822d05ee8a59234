/*
 * Gate: how much of the process one organisation may have. A request that waits for other servers
 * holds a thread for as long; so do many at a time. Half of the threads is the most for requests
 * that wait, one an organisation; and for the other requests of any one organisation, of which
 * more stand in a line. Loop thread.
 */
#ifndef FD_ADMIN_GATE_H
#define FD_ADMIN_GATE_H

#include <stddef.h>

struct gate;

enum gate_kind {
    GATE_QUICK,  /* asks PostgreSQL, and is done */
    GATE_WAITS,  /* for other servers */
    GATE_STREAM, /* an answer that is made while it is sent; its parts are quick */
    GATE_KINDS
};

enum gate_verdict {
    GATE_IN, /* now, or in its turn: go() is called */
    GATE_FULL,
    GATE_FULL_OF_YOURS /* the organisation has what one may have */
};

/* One's place: the caller's, all zero at first. */
struct gate_pass {
    const char *org; /* NULL: nobody's, which is not counted */
    enum gate_kind kind;
    void (*go)(void *arg);
    void *arg;
    struct gate_pass *next;
};

struct gate *gate_new(int threads);
void gate_free(struct gate *gate);

/* GATE_IN: go() has been called, or will be from a gate_leave() of another. What the pass points
 * at lives until its own gate_leave(). */
enum gate_verdict gate_enter(struct gate *gate, struct gate_pass *pass);
/* After go(); does nothing for a pass that is not in. */
void gate_leave(struct gate *gate, struct gate_pass *pass);

#endif
