/*
 * Channels: the worker's part in tenant/channel_queue.h - what came in by WhatsApp and the like is
 * asked, and what was answered is posted to the organisation's webhook, signed, until it is taken.
 * It waits for no job, and no job for it; several workers share the work.
 */
#ifndef FD_CHAT_CHANNELS_H
#define FD_CHAT_CHANNELS_H

struct channels;
struct engine;

struct channels *channels_new(struct engine *engine);
/* Something came in, was answered or said. */
void channels_soon(struct channels *channels);
void channels_free(struct channels *channels); /* after the pool, before engine->outbound */

#endif
