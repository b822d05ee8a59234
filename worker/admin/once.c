#include "admin/once.h"

#include "core/log.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define HEADER     "Idempotency-Key"
#define ANSWER_MAX 1048576
#define HOLD_MS    2000  /* until once_hold() */
#define GRACE_MS   60000 /* beyond a request's own time: its thread may go on */
#define FULL_PAUSE 60    /* seconds */
#define LOCK       "hashtextextended('once|' || $1 || '|' || $2 || '|' || $3, 0)"

/* Taken over are a key that is older than a day, and a claim whose time is over and that
 * nobody holds, unless what it did may be there without an answer. */
static const struct db_statement claim_statement = {
    "once_claim",
    "WITH old AS (DELETE FROM idempotency_keys k USING ("
    "    SELECT actor, key_sha256 FROM idempotency_keys WHERE org_id = $1"
    "       AND created_at < now() - interval '24 hours'"
    "       AND (actor, key_sha256) <> ($2, $3) LIMIT 20 FOR UPDATE SKIP LOCKED) o"
    "  WHERE k.org_id = $1 AND k.actor = o.actor AND k.key_sha256 = o.key_sha256),"
    " room AS (SELECT count(*) < $8::int AS free FROM (SELECT FROM idempotency_keys"
    "  WHERE org_id = $1 AND created_at >= now() - interval '24 hours' LIMIT $8::int) live),"
    " mine AS (INSERT INTO idempotency_keys AS k"
    "   (org_id, actor, key_sha256, request_sha256, claim, claimed_until, steps)"
    "  SELECT $1, $2, $3, $4::text, $5::text, now() + $6::bigint * interval '1 millisecond',"
    "         $7::boolean FROM room"
    "   WHERE free OR EXISTS (SELECT FROM idempotency_keys"
    "                          WHERE org_id = $1 AND actor = $2 AND key_sha256 = $3)"
    "  ON CONFLICT (org_id, actor, key_sha256) DO UPDATE"
    "    SET request_sha256 = EXCLUDED.request_sha256, claim = EXCLUDED.claim,"
    "        claimed_until = EXCLUDED.claimed_until, steps = EXCLUDED.steps, created_at = now(),"
    "        status = NULL, content_type = NULL, answer = NULL"
    "  WHERE (k.status IS NULL AND NOT k.steps AND k.claimed_until < now()"
    "         AND pg_try_advisory_xact_lock(" LOCK "))"
    "     OR k.created_at < now() - interval '24 hours'"
    "  RETURNING 1)"
    " SELECT EXISTS (SELECT FROM mine), free FROM room",
    8};
static const struct db_statement hold_statement = {"once_hold",
                                                   "SELECT pg_advisory_xact_lock(" LOCK ")", 3};
static const struct db_statement read_statement = {
    "once_read",
    "SELECT request_sha256, status, content_type, encode(answer, 'hex'),"
    "       status IS NULL AND steps AND claimed_until <= now() FROM idempotency_keys"
    " WHERE org_id = $1 AND actor = $2 AND key_sha256 = $3",
    3};
static const struct db_statement keep_statement = {
    "once_keep",
    "UPDATE idempotency_keys SET status = $5, content_type = $6, answer = decode($7, 'hex')"
    " WHERE org_id = $1 AND actor = $2 AND key_sha256 = $3 AND claim = $4 RETURNING 1",
    7};
static const struct db_statement forget_statement = {
    "once_forget_answer",
    "UPDATE idempotency_keys SET claimed_until = now()"
    " WHERE org_id = $1 AND actor = $2 AND key_sha256 = $3 AND claim = $4 AND status IS NULL",
    4};
static const struct db_statement release_statement = {
    "once_release",
    "DELETE FROM idempotency_keys"
    " WHERE org_id = $1 AND actor = $2 AND key_sha256 = $3 AND claim = $4 AND status IS NULL",
    4};

/* -- names and seals ------------------------------------------------------------------------ */

static bool key_is_valid(const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < len; i++) {
        if (key[i] <= ' ' || key[i] > '~')
            return false;
    }
    return len <= ONCE_KEY_MAX;
}

static void add(crypto_generichash_state *state, const char *text)
{
    crypto_generichash_update(state, (const unsigned char *)text, strlen(text) + 1);
}

static void hex_of(char out[FD_SHA256_HEX_SIZE], crypto_generichash_state *state)
{
    unsigned char sum[32];

    crypto_generichash_final(state, sum, sizeof(sum));
    sodium_bin2hex(out, FD_SHA256_HEX_SIZE, sum, sizeof(sum));
}

static void name_request(struct once *once, const struct admin_request *request)
{
    crypto_generichash_state state;
    unsigned char random[32];

    crypto_generichash_init(&state, NULL, 0, 32);
    add(&state, request->method);
    add(&state, request->target);
    add(&state, request->content_type);
    crypto_generichash_update(&state, (const unsigned char *)request->raw, request->raw_len);
    hex_of(once->request_sha256, &state);
    fd_sha256_hex(once->key_sha256, request->once, strlen(request->once));
    randombytes_buf(random, sizeof(random));
    sodium_bin2hex(once->claim, sizeof(once->claim), random, sizeof(random));
}

static void seal_key(const struct admin_request *request,
                     unsigned char out[crypto_secretbox_KEYBYTES])
{
    const char *token = request->config->admin_token;
    size_t len = strlen(token);
    crypto_generichash_state state;

    crypto_generichash_init(&state, (const unsigned char *)token,
                            len < crypto_generichash_KEYBYTES_MAX ? len
                                                                  : crypto_generichash_KEYBYTES_MAX,
                            crypto_secretbox_KEYBYTES);
    add(&state, "idempotency");
    add(&state, request->org);
    add(&state, request->actor);
    add(&state, request->once);
    crypto_generichash_final(&state, out, crypto_secretbox_KEYBYTES);
}

/* Nonce and box, in hexadecimal. */
static const char *seal(const struct admin_request *request, const struct buf *body)
{
    size_t size = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + body->len;
    unsigned char *box = arena_alloc(request->arena, size), key[crypto_secretbox_KEYBYTES];
    char *hex = arena_alloc(request->arena, 2 * size + 1);

    seal_key(request, key);
    randombytes_buf(box, crypto_secretbox_NONCEBYTES);
    crypto_secretbox_easy(box + crypto_secretbox_NONCEBYTES,
                          (const unsigned char *)(body->data != NULL ? body->data : ""), body->len,
                          box, key);
    sodium_memzero(key, sizeof(key));
    return sodium_bin2hex(hex, 2 * size + 1, box, size);
}

static bool unseal(const struct admin_request *request, const char *hex, struct buf *body)
{
    size_t size = strlen(hex) / 2, head = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
    unsigned char *box = arena_alloc(request->arena, size + 1), key[crypto_secretbox_KEYBYTES];
    unsigned char *plain = arena_alloc(request->arena, size + 1);

    if (size < head || sodium_hex2bin(box, size, hex, 2 * size, NULL, NULL, NULL) != 0)
        return false;
    seal_key(request, key);
    bool ok = crypto_secretbox_open_easy(plain, box + crypto_secretbox_NONCEBYTES,
                                         size - crypto_secretbox_NONCEBYTES, box, key) == 0;
    sodium_memzero(key, sizeof(key));
    return ok && buf_append(body, plain, size - head);
}

/* -- the key -------------------------------------------------------------------------------- */

void once_refuse(const struct admin_request *request, struct admin_reply *reply)
{
    admin_problem(reply, request, FD_PROBLEM_RUNNING, HEADER, NULL);
    reply->retry_after = 1;
}

static void refuse_more(const struct admin_request *request, struct admin_reply *reply)
{
    admin_problem(reply, request, FD_PROBLEM_RATE, HEADER,
                  arena_printf(request->arena, "an organization has at most %d keys in 24 hours",
                               ONCE_KEYS_MAX));
    reply->retry_after = FULL_PAUSE;
}

/* `room`: there is some for another key. */
static void tell_again(const struct once *once, const struct admin_request *request,
                       struct admin_reply *reply, const PGresult *row, bool room)
{
    bool there = PQntuples(row) == 1;

    if (there && strcmp(db_text(row, 0, 0), once->request_sha256) != 0) {
        admin_problem(reply, request, FD_PROBLEM_IDEMPOTENCY_MISMATCH, HEADER, NULL);
    } else if (!there && !room) {
        refuse_more(request, reply);
    } else if (there && db_true(row, 0, 4)) {
        admin_problem(reply, request, FD_PROBLEM_CONFLICT, HEADER,
                      "it was begun and may have been done; its answer was not kept");
    } else if (!there || db_text(row, 0, 1) == NULL) {
        once_refuse(request, reply);
    } else if (!unseal(request, db_text(row, 0, 3), &reply->body)) {
        admin_problem(reply, request, FD_PROBLEM_CONFLICT, HEADER,
                      "it was done; the answer cannot be read any more");
    } else {
        reply->status = (int)db_int(row, 0, 1, 200);
        reply->content_type = arena_strdup(request->arena, db_text(row, 0, 2));
        reply->replayed = true;
    }
}

bool once_claim(struct once *once, const struct admin_request *request, bool held,
                struct admin_reply *reply)
{
    int64_t ms = held ? HOLD_MS : request->config->admin_timeout_ms + GRACE_MS;
    char patience[DB_NUMBER_SIZE], most[DB_NUMBER_SIZE];
    PGresult *row;

    if (!key_is_valid(request->once)) {
        admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, HEADER,
                      "1 to 255 visible characters would be right");
        return false;
    }
    *once = (struct once){0};
    name_request(once, request);
    const char *params[] = {request->org,
                            request->actor,
                            once->key_sha256,
                            once->request_sha256,
                            once->claim,
                            db_number(patience, ms),
                            held ? "false" : "true",
                            db_number(most, ONCE_KEYS_MAX)};
    enum db_status status = db_query(request->db, request->org, &claim_statement, params, &row);
    bool mine = status == DB_OK && db_true(row, 0, 0);
    bool room = status == DB_OK && db_true(row, 0, 1);
    PQclear(row);
    if (mine)
        return true;
    if (status == DB_OK)
        status = db_query(request->db, request->org, &read_statement, params, &row);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return false;
    }
    tell_again(once, request, reply, row, room);
    PQclear(row);
    return false;
}

enum db_status once_hold(const struct once *once, const struct admin_request *request)
{
    const char *params[] = {request->org, request->actor, once->key_sha256};

    return db_query(request->db, request->org, &hold_statement, params, NULL);
}

enum db_status once_keep(struct once *once, const struct admin_request *request,
                         const struct admin_reply *reply)
{
    char number[DB_NUMBER_SIZE];
    PGresult *row;

    if (reply->body.len > ANSWER_MAX) {
        db_explain(request->db, "the answer is too long to be kept for " HEADER);
        return DB_FAILED;
    }
    const char *params[] = {request->org,
                            request->actor,
                            once->key_sha256,
                            once->claim,
                            db_number(number, reply->status),
                            reply->content_type,
                            seal(request, &reply->body)};
    enum db_status status = db_query(request->db, request->org, &keep_statement, params, &row);
    once->lost = status == DB_OK && PQntuples(row) != 1;
    PQclear(row);
    return once->lost ? DB_CONFLICT : status;
}

/* Of this try, as long as it is not answered. */
static void end_claim(const struct once *once, const struct admin_request *request,
                      const struct db_statement *statement)
{
    const struct log_context ctx = {.request_id = request->request_id, .org_id = request->org};
    const char *params[] = {request->org, request->actor, once->key_sha256, once->claim};

    if (db_query(request->db, request->org, statement, params, NULL) != DB_OK)
        log_warn(&ctx, "once.not_released", LOG_STR("error", db_error(request->db)));
}

void once_forget_answer(const struct once *once, const struct admin_request *request)
{
    end_claim(once, request, &forget_statement);
}

void once_release(const struct once *once, const struct admin_request *request)
{
    end_claim(once, request, &release_statement);
}
