/*
 * Consent: what a visitor or an operator is asked before a tool acts, in the server's
 * words - the operator's description of the tool and the very arguments it would get.
 * Nothing of the model's own text is in it but those. Pure.
 */
#ifndef FD_CHAT_CONSENT_H
#define FD_CHAT_CONSENT_H

#include "core/buf.h"
#include "protocol/json.h"

/* First sentence of the description (else the name), then "argument: value" lines.
 * False: it would be longer than can be read (FD_TOOL_SUMMARY_MAX); what is not shown
 * cannot be agreed to. */
bool consent_summary(struct buf *out, const char *name, const char *description,
                     const struct fd_json *arguments);

#endif
