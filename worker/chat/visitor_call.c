#include "chat/visitor_call.h"

#include "chat/handoff.h"
#include "chat/store.h"
#include "chat/visitor.h"
#include "core/clock.h"
#include "protocol/call.h"
#include "protocol/ids.h"
#include "tenant/identity_secret.h"

#include <string.h>

static enum db_status refuse(struct visitor_reply *reply, enum fd_problem_type problem,
                             const char *field, const char *detail)
{
    reply->refused = true;
    reply->problem = problem;
    reply->field = field;
    reply->detail = detail;
    return DB_OK;
}

/* nginx has checked it by the same code: another nginx may be older. */
static enum db_status refuse_field(const struct visitor_call *call, struct visitor_reply *reply,
                                   const struct fd_field_fault *fault)
{
    return refuse(reply, FD_PROBLEM_FIELD, arena_strdup(call->arena, fault->field),
                  arena_strdup(call->arena, fault->detail));
}

static const struct fd_json *body_of(const struct visitor_call *call)
{
    return fd_json_get(call->args, "body");
}

static enum db_status feedback(struct db *db, const struct visitor_call *call,
                               struct visitor_reply *reply)
{
    const char *message = fd_json_string(call->args, "message_id");
    struct fd_feedback_request request;
    struct fd_field_fault fault;
    struct fd_json_writer w;
    bool found = false;
    if (!fd_feedback_request_read(body_of(call), &request, &fault))
        return refuse_field(call, reply, &fault);
    if (message == NULL || !fd_uuid_valid(message, strlen(message)))
        return refuse(reply, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    enum db_status status =
        visitor_feedback(db, call->org, call->session, message, &request, &found);
    if (status == DB_OK && !found)
        return refuse(reply, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    buf_json(reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "message_id", message);
    fd_jw_member(&w, "rating", request.rating);
    fd_jw_end_object(&w);
    buf_json_end(reply->body, &w);
    return status;
}

static enum db_status rating(struct db *db, const struct visitor_call *call,
                             struct visitor_reply *reply)
{
    struct fd_rating_request request;
    struct fd_field_fault fault;
    struct fd_json_writer w;
    bool found = false;
    if (!fd_rating_request_read(body_of(call), &request, &fault))
        return refuse_field(call, reply, &fault);
    enum db_status status = visitor_rate(db, call->org, call->session, &request, &found);
    if (status == DB_OK && !found)
        return refuse(reply, FD_PROBLEM_NOT_FOUND, NULL, "Nothing was said in this session yet.");
    buf_json(reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member_int(&w, "score", request.score);
    fd_jw_end_object(&w);
    buf_json_end(reply->body, &w);
    return status;
}

static void write_handoff(const struct visitor_call *call, const struct handoff *handoff,
                          struct visitor_reply *reply)
{
    struct fd_json_writer w;
    buf_json(reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "status", "waiting_human");
    fd_jw_member_bool(&w, "open", handoff->hours.open);
    fd_jw_member(&w, "opens_at", handoff->hours.opens_at);
    fd_jw_member(&w, "text", handoff_text(call->arena, handoff->language, &handoff->hours));
    fd_jw_end_object(&w);
    buf_json_end(reply->body, &w);
}

static enum db_status handoff(struct db *db, const struct visitor_call *call,
                              struct visitor_reply *reply)
{
    struct fd_handoff_request request;
    struct fd_field_fault fault;
    struct handoff answer;
    if (!fd_handoff_request_read(body_of(call), &request, &fault))
        return refuse_field(call, reply, &fault);
    enum db_status status =
        handoff_ask(db, call->arena, call->org, call->session, &request, &answer, &reply->news);
    if (status != DB_OK)
        return status;
    reply->alert = answer.fresh;
    switch (answer.verdict) {
    case HANDOFF_ENDED: return refuse(reply, FD_PROBLEM_SESSION_ENDED, NULL, NULL);
    case HANDOFF_NEVER:
        return refuse(reply, FD_PROBLEM_CONFLICT, NULL,
                      "This organisation hands no conversation over to a person.");
    case HANDOFF_WAITS: write_handoff(call, &answer, reply); break;
    }
    return DB_OK;
}

/* Seen by those who listen, where a person has the conversation or is waited for. */
static enum db_status typing(struct db *db, const struct visitor_call *call,
                             struct visitor_reply *reply)
{
    static const struct db_statement find = {
        "visitor_typing",
        "SELECT id, status, coalesce(verified_name, contact->>'name') FROM conversations"
        " WHERE org_id = $1::uuid AND session_id = $2",
        2};
    const char *params[] = {call->org, call->session}, *status_text = "active";
    struct fd_json_writer w;
    PGresult *row;
    enum db_status status = db_query(db, call->org, &find, params, &row);
    if (status != DB_OK)
        return status;
    if (PQntuples(row) == 1)
        status_text = arena_strdup(call->arena, db_text(row, 0, 1));
    if (store_is_human(status_text))
        news_org_typing(&reply->news, call->org, db_text(row, 0, 0), db_text(row, 0, 2), "visitor");
    PQclear(row);
    buf_json(reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "status", status_text);
    fd_jw_end_object(&w);
    buf_json_end(reply->body, &w);
    return DB_OK;
}

/* -- identity -----------------------------------------------------------------------------------
 */

/* A hash covers the user_id, a token all that it says. *proven false: the reply says why not. */
static enum db_status prove(struct db *db, const struct visitor_call *call,
                            const struct fd_identify_request *request, struct identity *identity,
                            struct visitor_reply *reply, bool *proven)
{
    struct identity_secrets secrets;
    const char *why = "is not the HMAC-SHA-256 of user_id under this organisation's secret";
    struct arena a;
    arena_init(&a);
    enum db_status status =
        identity_secrets_load(db, &a, call->config->vault_keys, call->org, &secrets);
    *proven = false;
    if (status == DB_OK && request->token.s != NULL) {
        *proven = identity_token_check(call->arena, &secrets, request->token.s, request->token.len,
                                       clock_wall_ms() / 1000, identity, &why);
    } else if (status == DB_OK) {
        *proven = identity_hash_check(&secrets, request->user_id.s, request->user_hash.s);
        *identity = (struct identity){.user_id = request->user_id.s};
    }
    if (status == DB_OK && !*proven)
        refuse(reply, FD_PROBLEM_FIELD, request->token.s != NULL ? "token" : "user_hash", why);
    arena_wipe(&a);
    return status;
}

/* What stands beside a hash is his own word, as it is without one. */
static enum db_status introduce(struct db *db, const struct visitor_call *call,
                                const struct fd_contact *contact)
{
    if (contact->name.s == NULL && contact->email.s == NULL && contact->phone.s == NULL)
        return DB_OK;
    return visitor_introduce(db, call->org, call->session, contact);
}

static enum db_status verify(struct db *db, const struct visitor_call *call,
                             const struct fd_identify_request *request, struct visitor_reply *reply)
{
    struct identity identity = {0};
    struct fd_json_writer w;
    bool proven, bound = false;
    enum db_status status = prove(db, call, request, &identity, reply, &proven);
    if (status != DB_OK || !proven)
        return status;
    status = visitor_bind(db, call->org, call->session, &identity, &bound);
    if (status == DB_OK && !bound)
        return refuse(reply, FD_PROBLEM_CONFLICT, NULL,
                      "This session belongs to another user: start a new one.");
    if (status == DB_OK)
        status = introduce(db, call, &request->contact);
    buf_json(reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "user_id", identity.user_id);
    fd_jw_member_bool(&w, "verified", true);
    fd_jw_member(&w, "name", identity.name);
    fd_jw_member(&w, "email", identity.email);
    fd_jw_end_object(&w);
    buf_json_end(reply->body, &w);
    return status;
}

static enum db_status identify(struct db *db, const struct visitor_call *call,
                               struct visitor_reply *reply)
{
    struct fd_identify_request request;
    struct fd_field_fault fault;
    if (!fd_identify_request_read(body_of(call), &request, &fault))
        return refuse_field(call, reply, &fault);
    if (!request.has_profile)
        return verify(db, call, &request, reply);
    buf_puts(reply->body, "{\"verified\":false}");
    return visitor_introduce(db, call->org, call->session, &request.contact);
}

visitor_call_fn *visitor_call_find(const char *op)
{
    static const struct {
        const char *op;
        visitor_call_fn *run;
    } calls[] = {{FD_CALL_FEEDBACK, feedback},
                 {FD_CALL_RATING, rating},
                 {FD_CALL_HANDOFF, handoff},
                 {FD_CALL_IDENTIFY, identify},
                 {FD_CALL_TYPING, typing}};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (strcmp(calls[i].op, op) == 0)
            return calls[i].run;
    }
    return NULL;
}
