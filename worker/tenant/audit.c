#include "tenant/audit.h"

#include "core/arena.h"

#include <string.h>
#include <strings.h>

#define DEPTH 24
#define NODES 65536

/* Rows that are looked through for what no index finds. */
#define LOOKED_THROUGH 10000

/* An integration goes by its id or its name, and its history by its id. */
static const struct db_statement insert = {
    "audit_insert",
    "INSERT INTO audit_log (org_id, actor, action, target, address, request_id, before, after,"
    "                       kind, verb, thing)"
    " VALUES ($1, $2, $3, coalesce($4, ''), $5, $6, $7::jsonb, $8::jsonb, coalesce($9, ''),"
    "         coalesce($10, ''),"
    "         coalesce((SELECT 'integrations/' || i.id FROM client_integrations i"
    "                    WHERE i.org_id = $1::uuid AND $11::text LIKE 'integrations/%'"
    "                      AND (i.name = substr($11, 14) OR i.id::text = lower(substr($11, 14)))"
    "                    LIMIT 1), $11))",
    11};

/* `leads`: what an index finds. The other conditions are of the rows that are looked through, so
 * that whatever is asked, no more than these are read. */
#define LIST(leads)                                                                                \
    "WITH seen AS MATERIALIZED ("                                                                  \
    "  SELECT at, id, actor, action, target, kind, verb, thing FROM audit_log"                     \
    "   WHERE org_id = $1 AND " leads                                                              \
    "     AND (at, id) < (coalesce($2::timestamptz, $5, 'infinity'),"                              \
    "                     coalesce($3::bigint, CASE WHEN $5 IS NULL THEN 9223372036854775807"      \
    "                                               ELSE 0 END))"                                  \
    "     AND at >= coalesce($4::timestamptz, '-infinity')"                                        \
    "   ORDER BY at DESC, id DESC LIMIT $6::int),"                                                 \
    " found AS ("                                                                                  \
    "  SELECT at, id FROM seen s"                                                                  \
    "   WHERE ($8::text IS NULL OR s.actor = $8 OR split_part(s.actor, ':', 1) = $8)"              \
    "     AND ($9::text IS NULL OR s.kind = $9) AND ($10::text IS NULL OR s.thing = $10)"          \
    "     AND ($11::text IS NULL OR s.action = $11) AND ($12::text IS NULL OR s.verb = $12)"       \
    "     AND ($13::text IS NULL"                                                                  \
    "          OR strpos(lower(concat_ws(' ', s.action, s.target, s.thing, s.actor)),"             \
    "                    lower($13)) > 0"                                                          \
    "          OR s.actor IN (SELECT n.actor FROM audit_named($1, $13) n)"                         \
    "          OR s.thing IN (SELECT n.thing FROM audit_named($1, $13) n))"                        \
    "   ORDER BY at DESC, id DESC LIMIT $7::int)"                                                  \
    " SELECT a.id, to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"         \
    "        a.actor, a.action, a.target, a.kind, a.verb, a.thing, a.address, a.request_id,"       \
    "        a.before, a.after,"                                                                   \
    "        coalesce(nullif(u.name, ''), u.email, k.name,"                                        \
    "                 CASE WHEN a.actor LIKE 'user:%' THEN platform_person(who.id) END),"          \
    "        a.actor LIKE 'user:%' AND u.id IS NULL, audit_thing_name($1, a.thing), a.at, a.id,"   \
    "        to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), e.id"          \
    "   FROM (SELECT 1) one"                                                                       \
    "   LEFT JOIN (SELECT at, id FROM seen WHERE (SELECT count(*) FROM seen) >= $6::int"           \
    "               ORDER BY at, id LIMIT 1) e ON true"                                            \
    "   LEFT JOIN (found JOIN audit_log a USING (at, id)) ON a.org_id = $1"                        \
    "   LEFT JOIN LATERAL ("                                                                       \
    "          SELECT CASE WHEN a.actor ~ '^(user|key):[0-9a-f-]{36}$'"                            \
    "                      THEN split_part(a.actor, ':', 2)::uuid END AS id) who ON true"          \
    "   LEFT JOIN users u ON u.org_id = $1 AND u.id = who.id AND a.actor LIKE 'user:%'"            \
    "   LEFT JOIN api_keys k ON k.org_id = $1 AND k.id = who.id AND a.actor LIKE 'key:%'"          \
    "  ORDER BY a.at DESC, a.id DESC"

static const struct db_statement by_time = {"audit_by_time", LIST("true"), 13};
static const struct db_statement by_actor = {"audit_by_actor", LIST("actor = $8"), 13};
static const struct db_statement by_kind = {"audit_by_kind", LIST("kind = $9"), 13};
static const struct db_statement by_thing = {"audit_by_thing", LIST("thing = $10"), 13};

enum db_status audit_write(struct db *db, const struct audit_entry *e)
{
    const char *params[] = {e->org,       e->actor,      e->action, e->target,
                            e->address,   e->request_id, e->before, e->after,
                            e->deed.kind, e->deed.verb,  e->thing};

    return db_query(db, e->org, &insert, params, NULL);
}

static bool is_whole_actor(const char *actor)
{
    return strchr(actor, ':') != NULL || strcmp(actor, "anyone") == 0;
}

/* The index that leaves the fewest rows; *all: it finds all that is asked for. */
static const struct db_statement *lead(const struct audit_filter *f, bool *all)
{
    bool more = f->action != NULL || f->verb != NULL || f->part != NULL;

    *all = !more && f->actor == NULL && f->kind == NULL;
    if (f->thing != NULL)
        return &by_thing;
    if (f->actor != NULL && is_whole_actor(f->actor)) {
        *all = !more && f->kind == NULL;
        return &by_actor;
    }
    if (f->kind == NULL)
        return &by_time;
    *all = !more && f->actor == NULL;
    return &by_kind;
}

enum db_status audit_list(struct db *db, const char *org, const struct audit_filter *filter,
                          struct audit_place after, int most, PGresult **entries)
{
    char rows[DB_NUMBER_SIZE], looked[DB_NUMBER_SIZE];
    bool all;
    const struct db_statement *statement = lead(filter, &all);
    const char *params[] = {org,
                            after.at,
                            after.id,
                            filter->from,
                            filter->to,
                            db_number(looked, all ? most : LOOKED_THROUGH),
                            db_number(rows, most),
                            filter->actor,
                            filter->kind,
                            filter->thing,
                            filter->action,
                            filter->verb,
                            filter->part};

    return db_query(db, org, statement, params, entries);
}

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), tail = strlen(end);

    return len >= tail && strcasecmp(name + len - tail, end) == 0;
}

/* Members of ours, and headers that a tenant's own API is called with. */
static bool is_secret(const char *name)
{
    static const char *const endings[] = {"secret",     "secrets", "password", "token",
                                          "_key",       "-key",    "apikey",   "credentials",
                                          "passphrase", "cookie",  "csrf",     "authorization"};

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        if (ends_with(name, endings[i]))
            return true;
    }
    return strcasecmp(name, "key") == 0;
}

static bool is_among(const char *name, const char *const *names)
{
    while (names != NULL && *names != NULL && strcmp(*names, name) != 0)
        names++;
    return names != NULL && *names != NULL;
}

static void write_masked(struct fd_json_writer *w, const struct fd_json *value,
                         const char *const *without)
{
    if (value->type == FD_JSON_OBJECT) {
        fd_jw_object(w);
        for (const struct fd_json *m = value->child; m != NULL; m = m->next) {
            if (is_among(m->key, without))
                continue;
            fd_jw_key(w, m->key);
            if (m->type != FD_JSON_NULL && is_secret(m->key))
                fd_jw_cstring(w, "***");
            else
                write_masked(w, m, NULL);
        }
        fd_jw_end_object(w);
    } else if (value->type == FD_JSON_ARRAY) {
        fd_jw_array(w);
        for (const struct fd_json *item = value->child; item != NULL; item = item->next)
            write_masked(w, item, NULL);
        fd_jw_end_array(w);
    } else {
        fd_jw_json(w, value);
    }
}

bool audit_mask(const char *json, size_t len, const char *const *without, struct buf *out)
{
    struct fd_json_limits limits = {.depth = DEPTH, .nodes = NODES};
    struct fd_json_fault fault;
    struct fd_json_writer w;
    struct arena a;
    bool ok = false;

    if (len == 0 || len > AUDIT_JSON_MAX)
        return false;
    arena_init(&a);
    const struct fd_json *value = fd_json_parse(json, len, limits, arena_allocator(&a), &fault);
    if (value != NULL) {
        buf_json(out, &w);
        write_masked(&w, value, without);
        ok = buf_json_end(out, &w);
    }
    arena_wipe(&a);
    return ok;
}
