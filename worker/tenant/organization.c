#include "tenant/organization.h"

#include "core/arena.h"
#include "core/visible.h"
#include "protocol/limits.h"
#include "tenant/keys.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PAGE_KEY   "Website"
#define SERVER_KEY "Server"

static const struct db_statement new_id = {"organization_new_id", "SELECT gen_random_uuid()", 0};
static const struct db_statement insert = {
    "organization_insert",
    "INSERT INTO organizations (id, name, domain, plan_type) VALUES ($1, $2, $3, $4)", 4};
static const struct db_statement insert_settings = {
    "organization_settings",
    "INSERT INTO org_ai_settings (org_id, languages) VALUES ($1, ARRAY[coalesce($2, 'en')])", 2};
static const struct db_statement find_plan = {"organization_plan",
                                              "SELECT FROM plans WHERE plan_type = $1", 1};
/* Keys and limits have the number of the state that they are of: nginx asks anew. */
static const struct db_statement update = {
    "organization_update",
    "UPDATE organizations SET name = coalesce($2, name),"
    "       domain = CASE WHEN $3::text IS NULL THEN domain ELSE nullif($3::text, '') END,"
    "       plan_type = coalesce($4, plan_type), status = coalesce($5, status),"
    "       generation = generation + CASE WHEN plan_type IS DISTINCT FROM coalesce($4, plan_type)"
    "         OR status IS DISTINCT FROM coalesce($5, status) THEN 1 ELSE 0 END"
    " WHERE id = $1 RETURNING id",
    5};
static const struct db_statement end_sessions = {
    "organization_end_sessions",
    "UPDATE user_sessions SET ended_at = now(), ended_why = 'organization disabled'"
    " WHERE org_id = $1 AND ended_at IS NULL",
    1};

static const struct db_statement get = {
    "organization_get",
    "SELECT o.id, o.name, o.domain, o.plan_type, o.status,"
    "       to_char(o.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), f.*,"
    "       coalesce((o.limits->>'requests_per_minute')::int, p.requests_per_minute),"
    "       coalesce((o.limits->>'concurrent_chats')::int, p.concurrent_chats),"
    "       coalesce((o.limits->>'messages_per_month')::int, p.messages_per_month),"
    "       coalesce(o.limits->>'at_limit', p.at_limit)"
    "  FROM organizations o JOIN plans p USING (plan_type), organization_figures(o.id) f"
    " WHERE o.id = $1",
    1};
static const struct db_statement list = {
    "organization_list",
    "SELECT org_id, name, domain, plan_type, status,"
    "       to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
    "       conversations_30d, cost_micro_month"
    "  FROM platform_organization_list($1, $2, $3, $4, $5)",
    5};

static enum db_status refuse(struct db *db, const char *field, const char *why)
{
    db_explain(db, "%s: %s", field, why);
    return DB_FAILED;
}

/* -- rules ----------------------------------------------------------------------------- */

/* A name is read by people, in lists and in prompts: what it says is what it is. */
const char *organization_name_fault(const char *name)
{
    struct arena a;

    arena_init(&a);
    const char *seen = visible_line(&a, name, ORGANIZATION_NAME_MAX + 1);
    bool same = seen != NULL && strcmp(seen, name) == 0 && strlen(name) <= ORGANIZATION_NAME_MAX;
    arena_free(&a);
    return same ? NULL
                : "one line of 1 to 200 bytes would be right, without blanks at its ends or in a "
                  "row, and nothing invisible";
}

const char *organization_domain_fault(const char *domain)
{
    char origin[ORGANIZATION_DOMAIN_MAX + sizeof("https://")], why[128];
    static const char wrong[] = "the name of a site would be right, such as shop.example: in lower "
                                "case, without https:// and without a path";

    if (strlen(domain) > ORGANIZATION_DOMAIN_MAX || strpbrk(domain, ":*[") != NULL)
        return wrong;
    snprintf(origin, sizeof(origin), "https://%s", domain);
    return key_origin_valid(origin, why) ? NULL : wrong;
}

static bool language_valid(const char *language)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    size_t first = strspn(language, letters);

    return strlen(language) <= FD_LANGUAGE_MAX && first >= 2 && first <= 3 &&
           (language[first] == '\0' || language[first] == '-') &&
           strspn(language + first, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789-") == strlen(language + first);
}

static enum db_status check_plan(struct db *db, const char *plan)
{
    PGresult *row;

    if (plan == NULL)
        return DB_OK;
    enum db_status status = db_query(db, NULL, &find_plan, &plan, &row);
    if (status != DB_OK)
        return status;
    bool found = PQntuples(row) == 1;
    PQclear(row);
    return found ? DB_OK : refuse(db, "plan", "there is no such plan");
}

static enum db_status check_texts(struct db *db, const char *name, const char *domain)
{
    const char *why = name != NULL ? organization_name_fault(name) : NULL;

    if (why != NULL)
        return refuse(db, "name", why);
    why = domain != NULL && domain[0] != '\0' ? organization_domain_fault(domain) : NULL;
    return why != NULL ? refuse(db, "domain", why) : DB_OK;
}

static enum db_status check_new(struct db *db, const struct organization_new *made)
{
    char why[128];

    enum db_status status = check_texts(db, made->name, made->domain);
    if (status != DB_OK)
        return status;
    if (made->language != NULL && !language_valid(made->language))
        return refuse(db, "language", "a language tag would be right, such as en or pt-BR");
    if (made->origin_count > ORGANIZATION_ORIGINS_MAX)
        return refuse(db, "origins", "at most 50 would be right");
    for (size_t i = 0; i < made->origin_count; i++) {
        if (!key_origin_valid(made->origins[i], why))
            return refuse(db, "origins", why);
    }
    return check_plan(db, made->plan);
}

/* -- making one ------------------------------------------------------------------------- */

static enum db_status put_settings(struct db *db, const char *org, const char *language)
{
    const char *params[] = {org, language};

    return db_exec(db, &insert_settings, params, NULL);
}

static enum db_status put_page_key(struct db *db, const char *org, const char *const *origins,
                                   size_t count, char key[FD_API_KEY_SIZE])
{
    const struct key_new spec = {.org = org,
                                 .name = PAGE_KEY,
                                 .kind = FD_KEY_PUBLISHABLE,
                                 .origins = origins,
                                 .origin_count = count};
    char id[37];

    return keys_insert(db, &spec, key, id);
}

enum db_status organization_equip(struct db *db, const char *org, char key[FD_API_KEY_SIZE])
{
    enum db_status status = put_settings(db, org, NULL);
    return status == DB_OK ? put_page_key(db, org, NULL, 0, key) : status;
}

/* The site with and without "www.". */
static size_t origins_of(const char *domain, char text[2][ORGANIZATION_DOMAIN_MAX + 16],
                         const char *origins[2])
{
    bool www = domain != NULL && strncmp(domain, "www.", 4) == 0;

    if (domain == NULL)
        return 0;
    snprintf(text[0], sizeof(text[0]), "https://%s", domain);
    snprintf(text[1], sizeof(text[1]), "https://%s%s", www ? "" : "www.", domain + (www ? 4 : 0));
    origins[0] = text[0];
    origins[1] = text[1];
    return 2;
}

static enum db_status put_keys(struct db *db, const char *org, const struct organization_new *made,
                               struct organization_keys *keys)
{
    const struct key_new server = {.org = org, .name = SERVER_KEY, .kind = FD_KEY_SECRET};
    char text[2][ORGANIZATION_DOMAIN_MAX + 16], id[37];
    const char *own[2];
    size_t count =
        made->origin_count > 0 ? made->origin_count : origins_of(made->domain, text, own);

    enum db_status status = put_page_key(db, org, made->origin_count > 0 ? made->origins : own,
                                         count, keys->publishable);
    return status == DB_OK ? keys_insert(db, &server, keys->secret, id) : status;
}

/* In the open transaction, which is the new organisation's from then on. */
static enum db_status put_organization(struct db *db, const struct organization_new *made,
                                       char id[37])
{
    const char *params[] = {id, made->name, made->domain, made->plan != NULL ? made->plan : "free"};
    PGresult *row;

    enum db_status status = db_exec(db, &new_id, NULL, &row);
    if (status != DB_OK)
        return status;
    snprintf(id, 37, "%s", db_text(row, 0, 0));
    PQclear(row);
    status = db_enter(db, id);
    return status == DB_OK ? db_exec(db, &insert, params, NULL) : status;
}

enum db_status organization_create(struct db *db, const struct organization_new *made, char id[37],
                                   struct organization_keys *keys)
{
    enum db_status status = check_new(db, made);
    if (status != DB_OK)
        return status;
    status = db_begin(db, NULL);
    if (status == DB_OK)
        status = put_organization(db, made, id);
    if (status == DB_OK)
        status = put_settings(db, id, made->language);
    if (status == DB_OK)
        status = put_keys(db, id, made, keys);
    status = db_end(db, status);
    if (status != DB_OK)
        sodium_memzero(keys, sizeof(*keys));
    return status;
}

/* -- and changing it -------------------------------------------------------------------- */

static enum db_status check_change(struct db *db, const struct organization_change *change)
{
    const char *status = change->status;

    if (status != NULL && strcmp(status, "active") != 0 && strcmp(status, "disabled") != 0)
        return refuse(db, "status", "active or disabled would be right");
    enum db_status checked = check_texts(db, change->name, change->domain);
    return checked == DB_OK ? check_plan(db, change->plan) : checked;
}

static enum db_status update_in(struct db *db, const char *org,
                                const struct organization_change *change, bool *found)
{
    const char *params[] = {org, change->name, change->domain, change->plan, change->status};
    PGresult *row;

    enum db_status status = db_exec(db, &update, params, &row);
    if (status != DB_OK)
        return status;
    *found = PQntuples(row) == 1;
    PQclear(row);
    if (*found && change->status != NULL && strcmp(change->status, "disabled") == 0)
        status = db_exec(db, &end_sessions, &org, NULL);
    return status;
}

enum db_status organization_change(struct db *db, const char *org,
                                   const struct organization_change *change, bool *found)
{
    *found = false;
    if (!fd_uuid_valid(org, strlen(org)))
        return DB_OK;
    enum db_status status = check_change(db, change);
    if (status != DB_OK)
        return status;
    status = db_begin(db, org);
    if (status == DB_OK)
        status = update_in(db, org, change, found);
    return db_end(db, status);
}

/* -- reading ----------------------------------------------------------------------------- */

enum db_status organization_get(struct db *db, const char *org, PGresult **row)
{
    *row = NULL;
    if (!fd_uuid_valid(org, strlen(org))) {
        db_explain(db, "there is no such organisation");
        return DB_FAILED;
    }
    return db_query(db, org, &get, &org, row);
}

enum db_status organization_list(struct db *db, const struct organization_query *query, int most,
                                 PGresult **rows)
{
    char limit[DB_NUMBER_SIZE];
    const char *params[] = {query->words, query->status, query->after_name, query->after_id,
                            db_number(limit, most)};

    return db_query(db, NULL, &list, params, rows);
}
