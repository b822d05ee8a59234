#include "chat/channel_inbox.h"

#include "chat/admission.h"
#include "chat/handoff.h"
#include "chat/signal.h"
#include "chat/store.h"
#include "core/log.h"
#include "protocol/limits.h"
#include "tenant/channel_queue.h"

#include <string.h>

#define BUSY_MS    1000
#define LATER_MS   60000 /* at most */
#define GIVE_UP_S  3600  /* then its sender is told that it could not be answered */
#define LOST_S     900   /* admitted, and no worker has begun it */
#define REASON_MAX 500

struct step {
    struct db *db;
    struct channel_inbox *inbox;
    const PGresult *rows;
    int row;
    const char *org, *id, *thread;
    const char *session;
    char conversation[STORE_UUID_SIZE];
    struct log_context log;
};

static const char *text_of(const struct step *s, int column)
{
    return db_text(s->rows, s->row, column);
}

/* -- its conversation ------------------------------------------------------------------------- */

static enum db_status begin_one(struct step *s, struct news *news)
{
    char *session = arena_alloc(s->inbox->arena, FD_SESSION_ID_SIZE);
    PGresult *facts;
    fd_session_id_make(session, s->inbox->session_key, s->org, strlen(s->org));
    store_uuid(s->conversation, "conversation", s->org, session);
    const struct channel_start start = {.org = s->org,
                                        .thread_id = s->thread,
                                        .channel = text_of(s, IN_CHANNEL),
                                        .sender = text_of(s, IN_SENDER),
                                        .name = text_of(s, IN_NAME),
                                        .language = text_of(s, IN_LANGUAGE),
                                        .session = session,
                                        .conversation = s->conversation};
    enum db_status status = channel_begin(s->db, &start, &facts);
    if (status != DB_OK)
        return status;
    if (PQntuples(facts) == 1)
        news_conversation(news, s->org, db_text(facts, 0, 0));
    PQclear(facts);
    s->session = session;
    return DB_OK;
}

static enum db_status find_conversation(struct step *s, struct news *news)
{
    if (text_of(s, IN_SESSION) == NULL || !db_true(s->rows, s->row, IN_GOES_ON))
        return begin_one(s, news);
    s->session = text_of(s, IN_SESSION);
    store_uuid(s->conversation, "conversation", s->org, s->session);
    return DB_OK;
}

/* -- who wants a person ------------------------------------------------------------------------ */

/* There is no button here: the words are enough. The message itself is kept for that person. */
static enum db_status ask_for_person(struct step *s, struct news *news)
{
    const char *text = text_of(s, IN_TEXT);
    struct fd_handoff_request request = {0};
    struct handoff handoff;
    if (!signal_asks_for_person(text, strlen(text)))
        return DB_OK;
    enum db_status status =
        handoff_ask(s->db, s->inbox->arena, s->org, s->session, &request, &handoff, news);
    if (status != DB_OK || handoff.verdict != HANDOFF_WAITS || !handoff.fresh)
        return status;
    s->inbox->alert = true;
    return channel_tell(s->db, s->org, s->thread, "handoff",
                        handoff_text(s->inbox->arena, handoff.language, &handoff.hours));
}

/* -- the question ------------------------------------------------------------------------------ */

static const char *body_of(struct step *s)
{
    const char *text = text_of(s, IN_TEXT), *language = text_of(s, IN_LANGUAGE);
    const char *sender = text_of(s, IN_SENDER);
    struct fd_chat_request request = {
        .message = {text, strlen(text)},
        .user_id = {sender, strlen(sender)},
        .language = {language, language != NULL ? strlen(language) : 0},
        .has_stream = true,
        .cache = true};
    struct fd_json_writer w;
    struct buf body;
    buf_init(&body, (size_t)6 * FD_BODY_MAX);
    buf_json(&body, &w);
    fd_chat_request_write(&w, &request);
    const char *json =
        buf_json_end(&body, &w) ? arena_strndup(s->inbox->arena, body.data, body.len) : NULL;
    buf_free(&body);
    return json;
}

/* Named before it is admitted, so that whoever repeats this admits it once. */
static enum db_status name_job(struct step *s, const char **job)
{
    char *name = arena_alloc(s->inbox->arena, FD_JOB_ID_SIZE);
    *job = text_of(s, IN_JOB);
    if (*job != NULL)
        return DB_OK;
    fd_job_id_make(name, 0);
    *job = name;
    return channel_name_job(s->db, s->org, s->id, name);
}

static enum db_status wait(struct step *s, int64_t ms)
{
    if (db_int(s->rows, s->row, IN_WAITS_S, 0) > GIVE_UP_S) {
        enum db_status status = channel_tell(s->db, s->org, s->thread, "sorry", "");
        return status == DB_OK ? channel_give_up(s->db, s->org, s->id) : status;
    }
    s->inbox->later = true;
    return channel_later(s->db, s->org, s->id, ms < LATER_MS ? ms : LATER_MS);
}

static enum db_status admit(struct step *s)
{
    struct admitted admitted;
    const char *job, *body = body_of(s);
    enum db_status status = name_job(s, &job);
    if (status != DB_OK)
        return status;
    const struct admission admission = {.org = s->org,
                                        .session = s->session,
                                        .job = job,
                                        .request_id = s->id,
                                        .channel = text_of(s, IN_CHANNEL),
                                        .body = body != NULL ? body : "{}"};
    admission_make(s->inbox->config, s->inbox->arena, &admission, &admitted);
    if (admitted.error[0] != '\0')
        log_warn(&s->log, "channel.not_admitted", LOG_STR("error", admitted.error));
    switch (admitted.verdict) {
    case ADMISSION_MADE: return channel_admitted(s->db, s->org, s->id, LOST_S);
    case ADMISSION_BUSY: return wait(s, BUSY_MS);
    default: return wait(s, admitted.retry_ms);
    }
}

/* What cannot be read is answered as well, and is no question. */
static enum db_status decline(struct step *s)
{
    enum db_status status = channel_tell(s->db, s->org, s->thread, "unread", "");
    return status == DB_OK ? channel_give_up(s->db, s->org, s->id) : status;
}

static enum db_status take(struct step *s)
{
    struct news *news = &s->inbox->news[s->inbox->count++];
    news_init(news, s->inbox->arena);
    enum db_status status = find_conversation(s, news);
    if (status == DB_OK && text_of(s, IN_TEXT)[0] == '\0')
        return decline(s);
    if (status == DB_OK)
        status = ask_for_person(s, news);
    return status == DB_OK ? admit(s) : status;
}

/* A row that cannot be taken waits for its lease to end; the others are taken. */
enum db_status channel_inbox_step(struct db *db, struct channel_inbox *inbox)
{
    PGresult *rows;
    enum db_status status = channel_claim_inbox(db, CHANNEL_INBOX_MAX, &rows);
    if (status != DB_OK)
        return status;
    for (int row = 0; row < PQntuples(rows) && status != DB_LOST; row++) {
        struct step s = {.db = db,
                         .inbox = inbox,
                         .rows = rows,
                         .row = row,
                         .org = db_text(rows, row, IN_ORG),
                         .id = db_text(rows, row, IN_ID),
                         .thread = db_text(rows, row, IN_THREAD_ID)};
        s.log = (struct log_context){.org_id = s.org, .request_id = s.id};
        status = take(&s);
        if (status != DB_OK)
            log_error(&s.log, "channel.not_taken", LOG_STR("error", db_error(db)));
    }
    PQclear(rows);
    return status == DB_LOST ? DB_LOST : DB_OK;
}
