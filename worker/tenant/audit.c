#include "tenant/audit.h"

#include "core/arena.h"

#include <string.h>
#include <strings.h>

#define DEPTH 24
#define NODES 65536

/* Rows that a search for a part of a text looks through, each time: no index has those. */
#define LOOKED_THROUGH "100000"

static const struct db_statement insert = {
    "audit_insert",
    "INSERT INTO audit_log (org_id, actor, action, target, address, request_id, before, after)"
    " VALUES ($1, $2, $3, coalesce($4, ''), $5, $6, $7::jsonb, $8::jsonb)",
    8};
static const struct db_statement list = {
    "audit_list",
    "SELECT a.id, to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"
    "       a.actor, a.action, a.target, a.address, a.request_id, a.before, a.after,"
    "       coalesce((SELECT u.email FROM users u WHERE u.org_id = a.org_id"
    "                    AND a.actor = 'user:' || u.id),"
    "                (SELECT k.name FROM api_keys k WHERE k.org_id = a.org_id"
    "                    AND a.actor = 'key:' || k.id),"
    "                CASE WHEN a.actor LIKE 'user:%' THEN platform_person(substr(a.actor, 6)::uuid)"
    "                END)"
    "  FROM (SELECT * FROM audit_log WHERE org_id = $1 AND ($4::bigint IS NULL OR id < $4::bigint)"
    "         ORDER BY id DESC LIMIT CASE WHEN $6::text IS NOT NULL THEN " LOOKED_THROUGH " END) a"
    " WHERE ($2::text IS NULL OR a.actor = $2) AND ($3::text IS NULL OR a.action = $3)"
    "   AND ($6::text IS NULL OR strpos(lower(a.action), lower($6)) > 0"
    "        OR strpos(lower(a.target), lower($6)) > 0 OR strpos(lower(a.actor), lower($6)) > 0"
    "        OR a.actor = ANY (SELECT 'user:' || u.id FROM users u WHERE u.org_id = $1"
    "                             AND strpos(lower(u.email), lower($6)) > 0"
    "                           UNION ALL"
    "                          SELECT 'key:' || k.id FROM api_keys k WHERE k.org_id = $1"
    "                             AND strpos(lower(k.name), lower($6)) > 0))"
    " ORDER BY a.id DESC LIMIT $5",
    6};

enum db_status audit_write(struct db *db, const struct audit_entry *e)
{
    const char *params[] = {e->org,     e->actor,      e->action, e->target,
                            e->address, e->request_id, e->before, e->after};

    return db_query(db, e->org, &insert, params, NULL);
}

enum db_status audit_list(struct db *db, const char *org, const struct audit_filter *filter,
                          const char *before, int most, PGresult **entries)
{
    char rows[DB_NUMBER_SIZE];
    const char *params[] = {org,    filter->actor,         filter->action,
                            before, db_number(rows, most), filter->part};

    return db_query(db, org, &list, params, entries);
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

static void write_masked(struct fd_json_writer *w, const struct fd_json *value)
{
    if (value->type == FD_JSON_OBJECT) {
        fd_jw_object(w);
        for (const struct fd_json *m = value->child; m != NULL; m = m->next) {
            fd_jw_key(w, m->key);
            if (m->type != FD_JSON_NULL && is_secret(m->key))
                fd_jw_cstring(w, "***");
            else
                write_masked(w, m);
        }
        fd_jw_end_object(w);
    } else if (value->type == FD_JSON_ARRAY) {
        fd_jw_array(w);
        for (const struct fd_json *item = value->child; item != NULL; item = item->next)
            write_masked(w, item);
        fd_jw_end_array(w);
    } else {
        fd_jw_json(w, value);
    }
}

bool audit_mask(const char *json, size_t len, struct buf *out)
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
        write_masked(&w, value);
        ok = buf_json_end(out, &w);
    }
    arena_wipe(&a);
    return ok;
}
