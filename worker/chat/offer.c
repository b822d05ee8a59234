#include "chat/offer.h"

#include "chat/visitor.h"
#include "context/score.h"
#include "core/clock.h"
#include "tenant/identity_secret.h"

#include <stdio.h>

static const struct db_statement offer_statement = {
    "offer_make",
    "INSERT INTO conversations AS c (id, org_id, session_id, handoff_offered_at,"
    "                                handoff_offered_for)"
    " SELECT $2::uuid, $1::uuid, $3, now(), $4"
    "  WHERE $4 NOT IN ('failing', 'ungrounded')"
    "     OR ($4 = 'failing' AND 'failed' = (SELECT state FROM jobs WHERE org_id = $1::uuid"
    "          AND conversation_id = $2::uuid AND id <> $5 ORDER BY accepted_at DESC LIMIT 1))"
    "     OR ($4 = 'ungrounded' AND (SELECT (route->>'grounding')::float8 < $6::float8"
    "            AND NOT coalesce(tool_calls @> '[{\"status\": \"done\"}]', false) FROM messages"
    "          WHERE org_id = $1::uuid AND conversation_id = $2::uuid AND role = 'assistant'"
    "            AND job_id <> $5 ORDER BY created_at DESC LIMIT 1))"
    " ON CONFLICT (org_id, session_id) DO UPDATE SET handoff_offered_at = now(),"
    "   handoff_offered_for = EXCLUDED.handoff_offered_for"
    "  WHERE c.handoff_offered_at IS NULL AND c.status = 'active'"
    " RETURNING 1",
    6};

enum db_status offer_make(struct db *db, const struct store_job *job, enum offer_when when,
                          bool *first)
{
    static const char *const names[] = {
        [OFFER_ASKED] = "asked",           [OFFER_UPSET] = "upset",
        [OFFER_REPEATED] = "repeated",     [OFFER_SUGGESTED] = "suggested",
        [OFFER_UNGROUNDED] = "ungrounded", [OFFER_FAILING] = "failing"};
    char weak[32];
    snprintf(weak, sizeof(weak), "%g", GROUNDING_WEAK);
    const char *params[] = {job->entry->org, job->conversation_id, job->entry->session,
                            names[when],     job->entry->id,       weak};
    PGresult *result;
    enum db_status status = db_query(db, job->entry->org, &offer_statement, params, &result);
    if (status == DB_CONFLICT) /* the claim wrote the row at the same moment: its id was first */
        status = db_query(db, job->entry->org, &offer_statement, params, &result);
    if (status != DB_OK)
        return status;
    *first = PQntuples(result) > 0;
    PQclear(result);
    return DB_OK;
}

static enum db_status prove(struct db *db, struct arena *a, const char *vault_keys,
                            const struct store_job *job, struct offer_visitor *visitor)
{
    const struct fd_text *token = &job->request->identity;
    struct identity_secrets secrets;
    struct arena open;
    const char *why = NULL;
    bool bound = false;
    arena_init(&open);
    enum db_status status = identity_secrets_load(db, &open, vault_keys, job->entry->org, &secrets);
    if (status == DB_OK && !identity_token_check(a, &secrets, token->s, token->len,
                                                 clock_wall_ms() / 1000, &visitor->identity, &why))
        visitor->unproven = why;
    arena_wipe(&open);
    if (status != DB_OK || visitor->unproven != NULL)
        return status;
    status = visitor_bind(db, job->entry->org, job->entry->session, &visitor->identity, &bound);
    visitor->foreign = status == DB_OK && !bound;
    return status;
}

enum db_status offer_visitor(struct db *db, struct arena *a, const char *vault_keys,
                             const struct store_job *job, struct offer_visitor *visitor)
{
    *visitor = (struct offer_visitor){0};
    if (job->request->identity.s != NULL)
        return prove(db, a, vault_keys, job, visitor);
    return visitor_identity(db, a, job->entry->org, job->entry->session, &visitor->identity);
}
