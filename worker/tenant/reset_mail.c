#include "tenant/reset_mail.h"

#include "tenant/audit.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PAGE "/dashboard/reset#token=" /* behind the #, which no server sees */

static const struct db_statement ask = {
    "reset_mail_ask",
    "INSERT INTO reset_requests (email, language, address, request_id) VALUES ($1, $2, $3, $4)", 4};
static const struct db_statement take = {
    "reset_mail_take",
    "UPDATE reset_requests SET held_until = now() + $1 * interval '1 second'"
    " WHERE id = (SELECT id FROM reset_requests"
    "              WHERE held_until <= now() AND asked_at > now() - interval '1 hour'"
    "              ORDER BY asked_at LIMIT 1 FOR UPDATE SKIP LOCKED)"
    " RETURNING id, email, language, address, request_id,"
    "           to_char((now() + $2 * interval '1 second') AT TIME ZONE 'UTC',"
    "                   'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
    2};
static const struct db_statement find_users = {
    "reset_mail_users",
    "SELECT org_id, org_name, user_id, email, name FROM platform_reset_users($1)", 1};
static const struct db_statement end = {"reset_mail_end",
                                        "DELETE FROM reset_requests WHERE id = $1", 1};
static const struct db_statement forget = {
    "reset_mail_forget", "DELETE FROM reset_requests WHERE asked_at < now() - interval '1 hour'",
    0};

enum db_status reset_mail_ask(struct db *db, const struct reset_asked *asked)
{
    const char *params[] = {asked->email, asked->language, asked->address, asked->request_id};

    return db_query(db, NULL, &ask, params, NULL);
}

static enum db_status note(struct db *db, struct arena *a, const struct reset_mail *mail,
                           const PGresult *request)
{
    const struct audit_entry entry = {.org = mail->org,
                                      .actor = "anyone",
                                      .action = "password-reset-mail",
                                      .target = mail->user,
                                      .deed = {"sessions", "password-reset-mail"},
                                      .thing = arena_printf(a, "users/%s", mail->user),
                                      .address = db_text(request, 0, 3),
                                      .request_id = db_text(request, 0, 4)};

    return audit_write(db, &entry);
}

/* DB_FAILED without a SQLSTATE: this user gets none. */
static enum db_status make_mail(struct db *db, struct arena *a, const PGresult *request,
                                const PGresult *users, int row, struct reset_mail *mail)
{
    unsigned char random[(RESET_MAIL_ID_SIZE - 1) / 2];

    *mail = (struct reset_mail){.org = arena_strdup(a, db_text(users, row, 0)),
                                .organization = arena_strdup(a, db_text(users, row, 1)),
                                .user = arena_strdup(a, db_text(users, row, 2)),
                                .email = arena_strdup(a, db_text(users, row, 3)),
                                .name = arena_strdup(a, db_text(users, row, 4)),
                                .language = arena_strdup(a, db_text(request, 0, 2)),
                                .expires_at = arena_strdup(a, db_text(request, 0, 5))};
    fd_random(random, sizeof(random));
    sodium_bin2hex(mail->id, sizeof(mail->id), random, sizeof(random));
    enum db_status status = reset_token_mail(db, mail->org, mail->user, mail->token);
    return status == DB_OK ? note(db, a, mail, request) : status;
}

static enum db_status make_mails(struct db *db, struct arena *a, const PGresult *request,
                                 struct reset_taken *taken)
{
    const char *email = db_text(request, 0, 1);
    PGresult *users;

    enum db_status status = db_query(db, NULL, &find_users, &email, &users);
    if (status != DB_OK)
        return status;
    for (int row = 0; status == DB_OK && row < PQntuples(users) && row < RESET_MEANT_MAX; row++) {
        status = make_mail(db, a, request, users, row, &taken->mails[taken->count]);
        if (status == DB_OK)
            taken->count++;
        else if (status == DB_FAILED && db_sqlstate(db)[0] == '\0')
            status = DB_OK;
    }
    PQclear(users);
    return status;
}

enum db_status reset_mail_take(struct db *db, struct arena *a, int hold_s,
                               struct reset_taken *taken)
{
    char hold[DB_NUMBER_SIZE], life[DB_NUMBER_SIZE];
    const char *params[] = {db_number(hold, hold_s), db_number(life, RESET_LIFE_S)};
    PGresult *request;

    taken->request = NULL;
    taken->count = 0;
    enum db_status status = db_query(db, NULL, &take, params, &request);
    if (status != DB_OK)
        return status;
    if (PQntuples(request) == 1) {
        taken->request = arena_strdup(a, db_text(request, 0, 0));
        status = make_mails(db, a, request, taken);
    }
    PQclear(request);
    return status;
}

enum db_status reset_mail_end(struct db *db, const char *request)
{
    return db_query(db, NULL, &end, &request, NULL);
}

enum db_status reset_mail_forget(struct db *db)
{
    return db_query(db, NULL, &forget, NULL, NULL);
}

bool reset_mail_body(const struct reset_mail *mail, const char *public_url, struct buf *out)
{
    struct fd_json_writer w;
    struct buf url;

    buf_init(&url, RESET_MAIL_BODY_MAX);
    buf_printf(&url, "%s" PAGE "%s", public_url, mail->token);
    buf_json(out, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "type", "password_reset");
    fd_jw_member(&w, "email", mail->email);
    fd_jw_member(&w, "name", mail->name);
    fd_jw_member(&w, "organization", mail->organization);
    if (mail->language != NULL)
        fd_jw_member(&w, "language", mail->language);
    fd_jw_member(&w, "url", url.data);
    fd_jw_member(&w, "expires_at", mail->expires_at);
    fd_jw_end_object(&w);
    bool fits = !url.over;
    buf_wipe(&url);
    return buf_json_end(out, &w) && fits;
}
