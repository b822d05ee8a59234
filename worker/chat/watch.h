/*
 * Watch: once a second, what no event brings: deadlines, jobs that nobody listens to
 * any more, the jobs server's clock and the live server's memory.
 */
#ifndef FD_CHAT_WATCH_H
#define FD_CHAT_WATCH_H

#include "chat/engine.h"

struct watch;

struct watch *watch_new(struct engine *engine);
void watch_free(struct watch *watch);
void watch_jobs_up(struct watch *watch); /* asks for the clock at once */

#endif
