/*
 * Alerts: the worker's part in tenant/alert.h - with every synchronisation it looks what
 * the month's usage has reached, and delivers what is due. It waits for no job, and no
 * job for it; several workers share the deliveries.
 */
#ifndef FD_CHAT_ALERTS_H
#define FD_CHAT_ALERTS_H

struct alerts;
struct engine;

struct alerts *alerts_new(struct engine *engine);
/* Something was raised that should not wait for the next synchronisation. */
void alerts_soon(struct alerts *alerts);
void alerts_free(struct alerts *alerts); /* after the pool, before engine->outbound */

#endif
