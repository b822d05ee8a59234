/*
 * Reply: what a webhook's response means. {ok, data | error, say?, pending?} is
 * understood, and whatever n8n and others answer instead: items, wrapped arrays, HTML;
 * a 2xx without what the tool was asked for is a failure. Pure.
 */
#ifndef FD_TOOL_REPLY_H
#define FD_TOOL_REPLY_H

#include "net/outbound.h"
#include "tool/tool.h"

/* The model is told nothing of addresses; the operator, in result->operator_detail,
 * what to look at. */
void reply_read(struct arena *a, const struct tool *tool, const struct outbound_response *response,
                struct tool_result *result);

#endif
