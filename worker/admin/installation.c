/* GET installation: what to paste into a site, and whether it was seen there (ADM-7). */
#include "admin/resources.h"
#include "tenant/sightings.h"

#include <string.h>

/* The newest that is meant to stay. */
static const struct db_statement find_key = {
    "installation_key",
    "SELECT id, last4, array_to_json(origins) FROM api_keys"
    " WHERE org_id = $1 AND kind = 'pk' AND revoked_at IS NULL AND expires_at IS NULL"
    " ORDER BY created_at DESC, id LIMIT 1",
    1};
enum key_column { KEY_ID, KEY_LAST4, KEY_ORIGINS };

/* The key itself was told to whoever made it, and HOST stands for what nobody told us: the page
 * that shows it may know them. */
static void write_snippet(struct fd_json_writer *w, const struct admin_request *request,
                          const PGresult *key)
{
    const char *url = request->config->public_url;

    fd_jw_key(w, "snippet");
    if (PQntuples(key) == 0)
        fd_jw_null(w);
    else
        fd_jw_cstring(w,
                      arena_printf(request->arena,
                                   "<script async src=\"%s/widget.js\" "
                                   "data-client-key=\"fd_pk_...%s\"></script>",
                                   url != NULL ? url : "https://HOST", db_text(key, 0, KEY_LAST4)));
    fd_jw_member(w, "public_url", url);
}

static void write_key(struct fd_json_writer *w, const PGresult *key)
{
    fd_jw_key(w, "key");
    if (PQntuples(key) == 0) {
        fd_jw_null(w);
        return;
    }
    fd_jw_object(w);
    fd_jw_member(w, "id", db_text(key, 0, KEY_ID));
    fd_jw_member(w, "last4", db_text(key, 0, KEY_LAST4));
    fd_jw_member_raw(w, "origins", db_text(key, 0, KEY_ORIGINS));
    fd_jw_end_object(w);
}

static void write_seen(struct fd_json_writer *w, const PGresult *sightings)
{
    fd_jw_key(w, "seen");
    fd_jw_array(w);
    for (int row = 0; row < PQntuples(sightings); row++) {
        if (db_text(sightings, row, SIGHTING_LAST_SEEN) == NULL)
            continue;
        fd_jw_object(w);
        fd_jw_member(w, "origin", db_text(sightings, row, SIGHTING_ORIGIN));
        fd_jw_member(w, "first_seen", db_text(sightings, row, SIGHTING_FIRST_SEEN));
        fd_jw_member(w, "last_seen", db_text(sightings, row, SIGHTING_LAST_SEEN));
        fd_jw_member(w, "version", db_text(sightings, row, SIGHTING_VERSION));
        fd_jw_member(w, "key_last4", db_text(sightings, row, SIGHTING_KEY));
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
}

/* A page that was opened from a file, or in a frame without an origin, is nobody's site. */
static void write_problems(struct fd_json_writer *w, const PGresult *sightings)
{
    fd_jw_key(w, "problems");
    fd_jw_array(w);
    for (int row = 0; row < PQntuples(sightings); row++) {
        const char *origin = db_text(sightings, row, SIGHTING_ORIGIN);
        if (!db_true(sightings, row, SIGHTING_REFUSED))
            continue;
        fd_jw_object(w);
        fd_jw_member(w, "origin", origin);
        fd_jw_member(w, "reason", strcmp(origin, "null") == 0 ? "no-origin" : "origin-not-allowed");
        fd_jw_member(w, "last_seen", db_text(sightings, row, SIGHTING_LAST_REFUSED));
        fd_jw_member(w, "key_last4", db_text(sightings, row, SIGHTING_KEY));
        fd_jw_end_object(w);
    }
    fd_jw_end_array(w);
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *key = NULL, *sightings = NULL;
    struct fd_json_writer w;

    sightings_collect(request->db, request->config); /* what is not here yet, comes later */
    enum db_status status = db_query(request->db, request->org, &find_key, &request->org, &key);
    if (status == DB_OK)
        status = sightings_list(request->db, request->org, &sightings);
    if (status == DB_OK) {
        buf_json(&reply->body, &w);
        fd_jw_object(&w);
        write_snippet(&w, request, key);
        write_key(&w, key);
        write_seen(&w, sightings);
        write_problems(&w, sightings);
        fd_jw_end_object(&w);
        buf_json_end(&reply->body, &w);
    } else {
        admin_db_problem(reply, request, status);
    }
    PQclear(key);
    PQclear(sightings);
}

static const struct admin_route routes[] = {
    {"GET", "installation", ADMIN_STAFF, 0, show,
     .summary = "What to paste into a site, and the sites where it was seen",
     .answer = "{snippet: text|null, public_url: text|null,"
               " key: {id: uuid, last4: text, origins: [text]}|null,"
               " seen: [{origin: text, first_seen: time, last_seen: time, version: text|null,"
               " key_last4: text}],"
               " problems: [{origin: text, reason: origin-not-allowed|no-origin, last_seen: time,"
               " key_last4: text}]}"},
};

const struct admin_resource admin_installation = {routes, sizeof(routes) / sizeof(routes[0])};
