/* Trial_reply: what the routes take and answer that try out a tool, of whatever kind it is. */
#ifndef FD_ADMIN_TRIAL_REPLY_H
#define FD_ADMIN_TRIAL_REPLY_H

#include "admin/admin.h"
#include "tool/trial.h"

extern const struct admin_body trial_body; /* arguments, language */

#define TRIAL_ANSWER                                                                               \
    "{request_id: text, ok: bool, failure: text|null, http_status: int, ms: int,"                  \
    " detail: text|null, detail_reason: " ADMIN_REASON ","                                         \
    " request: null|{method: text, url: text, headers: object, body: text|null, cut: bool},"       \
    " answer: null|{status: int, headers: object, body: text|null, cut: bool}, result: json}"

void trial_reply(const struct admin_request *request, struct admin_reply *reply,
                 enum db_status status, const struct trial *trial,
                 const struct tool_problem *problem);

#endif
