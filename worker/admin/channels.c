/* Channels (ENG-15): WhatsApp and the like, by webhooks: which are on, where answers are posted,
 * what comes in, and how its delivery went. */
#include "admin/list.h"
#include "admin/resources.h"
#include "admin/schema.h"

#include "chat/news.h"
#include "core/log.h"
#include "core/reason.h"
#include "net/target.h"
#include "protocol/limits.h"
#include "tenant/channels.h"

#include <sodium.h>
#include <string.h>

#define NAME_RULE                                                                                  \
    "1 to 32 of a-z, 0-9, - and _, the first a letter, and not widget, api or test, would be "     \
    "right"

/* -- settings ------------------------------------------------------------------------------- */

static void write_one(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_member(w, "channel", db_text(rows, row, CHANNEL_NAME));
    fd_jw_member_bool(w, "enabled", db_true(rows, row, CHANNEL_ENABLED));
    fd_jw_member(w, "outbound_url", db_text(rows, row, CHANNEL_URL));
    fd_jw_key(w, "secret");
    fd_jw_object(w);
    fd_jw_member_bool(w, "set", true);
    fd_jw_member(w, "ends_with", db_text(rows, row, CHANNEL_LAST4));
    fd_jw_end_object(w);
    fd_jw_member_int(w, "waiting", db_int(rows, row, CHANNEL_WAITING, 0));
    fd_jw_member_int(w, "pending", db_int(rows, row, CHANNEL_PENDING, 0));
    fd_jw_member_int(w, "failed", db_int(rows, row, CHANNEL_FAILED, 0));
    reason_member(w, "last_error", db_text(rows, row, CHANNEL_LAST_ERROR));
    fd_jw_member(w, "updated_at", db_text(rows, row, CHANNEL_UPDATED));
}

static const struct list channels = {.name = "channels", .write = write_one};

static void list(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *rows;

    enum db_status status = channels_list(request->db, request->org, NULL, &rows);
    list_reply(request, reply, &channels, NULL, status, rows);
}

/* `secret` is told where it was just made. */
static void answer(const struct admin_request *request, struct admin_reply *reply,
                   const char *channel, const char *secret)
{
    struct fd_json_writer w;
    PGresult *row;

    enum db_status status = channels_list(request->db, request->org, channel, &row);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    if (PQntuples(row) == 0) {
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    } else {
        buf_json(&reply->body, &w);
        fd_jw_object(&w);
        write_one(&w, row, 0);
        if (secret != NULL)
            fd_jw_member(&w, "signing_secret", secret);
        fd_jw_end_object(&w);
        buf_json_end(&reply->body, &w);
    }
    PQclear(row);
}

static void show(const struct admin_request *request, struct admin_reply *reply)
{
    answer(request, reply, request->ids[0], NULL);
}

/* Whether the address may be reached, is judged each time that it is. */
static bool read_url(const struct admin_request *request, struct admin_reply *reply,
                     const char *url)
{
    struct target target;
    char error[256];

    if (url == NULL)
        return true;
    if (target_parse(&target, url, error)) {
        target_free(&target);
        return true;
    }
    admin_problem(reply, request, FD_PROBLEM_FIELD, "outbound_url",
                  arena_strdup(request->arena, error));
    return false;
}

static void save(const struct admin_request *request, struct admin_reply *reply,
                 const char *channel, bool makes)
{
    const struct fd_json *body = request->body;
    const struct channel_settings settings = {.channel = channel,
                                              .makes = makes,
                                              .has_enabled = fd_json_get(body, "enabled") != NULL,
                                              .enabled = fd_json_bool(body, "enabled", false),
                                              .has_url = fd_json_get(body, "outbound_url") != NULL,
                                              .url = fd_json_string(body, "outbound_url"),
                                              .rotate_secret =
                                                  fd_json_bool(body, "rotate_secret", false)};
    char made[CHANNEL_SECRET_SIZE];
    enum channel_saved saved;

    if (!read_url(request, reply, settings.url))
        return;
    enum db_status status = channel_save(request->db, request->config->vault_keys, request->org,
                                         &settings, &saved, made);
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    else if (saved == CHANNEL_UNKNOWN)
        admin_problem(reply, request, FD_PROBLEM_NOT_FOUND, NULL, NULL);
    else if (saved == CHANNEL_EXISTS)
        admin_problem(reply, request, FD_PROBLEM_CONFLICT, "channel", "it is there already");
    else
        answer(request, reply, channel,
               made[0] != '\0' ? arena_strdup(request->arena, made) : NULL);
    sodium_memzero(made, sizeof(made));
}

static void create(const struct admin_request *request, struct admin_reply *reply)
{
    const char *channel = fd_json_string(request->body, "channel");

    if (!channel_name_valid(channel)) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "channel", NAME_RULE);
        return;
    }
    save(request, reply, channel, true);
    if (reply->status == 200)
        reply->status = 201;
}

static void change(const struct admin_request *request, struct admin_reply *reply)
{
    save(request, reply, request->ids[0], false);
}

/* -- what comes in -------------------------------------------------------------------------- */

static void tell(const struct admin_request *request, void *arg)
{
    const struct log_context ctx = {.request_id = request->request_id, .org_id = request->org};
    struct news news;
    char error[256];

    (void)arg;
    news_init(&news, request->arena);
    news_channel(&news, request->org);
    if (!news_send_sync(&news, request->config->live_redis, error))
        log_warn(&ctx, "channel.not_told", LOG_STR("error", error));
}

static void answer_receipt(const struct admin_request *request, struct admin_reply *reply,
                           const char *id, enum channel_receipt receipt)
{
    struct fd_json_writer w;

    if (receipt == CHANNEL_OFF) {
        admin_problem(reply, request, FD_PROBLEM_CONFLICT, "channel",
                      "this channel is not switched on");
        return;
    }
    if (receipt == CHANNEL_CROWDED) {
        admin_problem(reply, request, FD_PROBLEM_SESSION_RATE, "from",
                      "so many messages of this sender wait for an answer");
        reply->retry_after = 10;
        return;
    }
    buf_json(&reply->body, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "id", id);
    fd_jw_member_bool(&w, "duplicate", receipt == CHANNEL_KNOWN);
    fd_jw_end_object(&w);
    buf_json_end(&reply->body, &w);
    reply->status = receipt == CHANNEL_KNOWN ? 200 : 202;
}

static bool is_something(const char *text)
{
    return text != NULL && text[strspn(text, " \t\r\n")] != '\0';
}

/* A picture without a word is a message, too: its sender is told that it cannot be read. */
static void receive(const struct admin_request *request, struct admin_reply *reply)
{
    const struct fd_json *body = request->body;
    const struct fd_json *attachments = fd_json_get(body, "attachments");
    const char *text = fd_json_string(body, "text"), *thread = fd_json_string(body, "thread");
    struct channel_message message = {.channel = fd_json_string(body, "channel"),
                                      .message_id = fd_json_string(body, "message_id"),
                                      .sender = fd_json_string(body, "from"),
                                      .thread = thread != NULL ? thread : "",
                                      .name = fd_json_string(body, "name"),
                                      .language = fd_json_string(body, "language"),
                                      .text = is_something(text) ? text : ""};
    enum channel_receipt receipt;
    const char *id;

    if (!channel_name_valid(message.channel)) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "channel", NAME_RULE);
        return;
    }
    if (message.text[0] == '\0' && (attachments == NULL || attachments->count == 0)) {
        admin_problem(reply, request, FD_PROBLEM_FIELD, "text",
                      "a text with something in it would be right");
        return;
    }
    enum db_status status =
        channel_receive(request->db, request->arena, request->org, &message, &id, &receipt);
    if (status != DB_OK) {
        admin_db_problem(reply, request, status);
        return;
    }
    if (receipt == CHANNEL_TAKEN)
        admin_after(request, tell, NULL);
    answer_receipt(request, reply, id, receipt);
}

/* -- what goes out ---------------------------------------------------------------------------- */

static void write_delivery(struct fd_json_writer *w, const PGresult *rows, int row)
{
    fd_jw_member(w, "id", db_text(rows, row, DELIVERY_ID));
    fd_jw_member(w, "created_at", db_text(rows, row, DELIVERY_CREATED));
    fd_jw_member(w, "conversation_id", db_text(rows, row, DELIVERY_CONVERSATION));
    fd_jw_member(w, "kind", db_text(rows, row, DELIVERY_KIND));
    fd_jw_member(w, "state", db_text(rows, row, DELIVERY_STATE));
    fd_jw_member_int(w, "attempts", db_int(rows, row, DELIVERY_ATTEMPTS, 0));
    fd_jw_member(w, "settled_at", db_text(rows, row, DELIVERY_SETTLED));
    reason_member(w, "last_error", db_text(rows, row, DELIVERY_ERROR));
}

static const struct list sent = {"deliveries", write_delivery, 2, {DELIVERY_AT, DELIVERY_ID}};

static bool is_there(const struct admin_request *request, struct admin_reply *reply)
{
    PGresult *row;

    enum db_status status = channels_list(request->db, request->org, request->ids[0], &row);
    bool there = status == DB_OK && PQntuples(row) == 1;
    PQclear(row);
    return admin_found(reply, request, status, there, NULL);
}

static void deliveries(const struct admin_request *request, struct admin_reply *reply)
{
    struct page page;
    PGresult *rows;

    if (!is_there(request, reply) || !list_page(request, reply, &sent, &page))
        return;
    enum db_status status = channel_deliveries(request->db, request->org, request->ids[0],
                                               page.after[0], page.after[1], page.limit + 1, &rows);
    list_reply(request, reply, &sent, &page, status, rows);
}

/* -- the routes ------------------------------------------------------------------------------- */

#define CHANNEL                                                                                    \
    "channel: text, enabled: bool, outbound_url: text|null, secret: {set: bool, ends_with: text}," \
    " waiting: int, pending: int, failed: int, last_error: text|null, "                            \
    "last_error_reason: " ADMIN_REASON ", updated_at: time"

static const struct admin_field create_fields[] = {
    {"channel", ADMIN_TEXT, .required = true, .max = CHANNEL_NAME_MAX,
     .note = "whatsapp, sms, ..."},
    {.name = "enabled", .kind = ADMIN_BOOL},
    {"outbound_url", ADMIN_TEXT | ADMIN_NULL, .max = 2048, .format = "uri"},
};
static const struct admin_field save_fields[] = {
    {.name = "enabled", .kind = ADMIN_BOOL},
    {"outbound_url", ADMIN_TEXT | ADMIN_NULL, .max = 2048, .format = "uri",
     .note = "where answers are posted, signed; null: nowhere"},
    {"rotate_secret", ADMIN_BOOL, .note = "true: another signing secret, from now on"},
};
static const struct admin_field inbound_fields[] = {
    {"channel", ADMIN_TEXT, .required = true, .max = CHANNEL_NAME_MAX},
    {"from", ADMIN_TEXT, .required = true, .max = CHANNEL_ADDRESS_MAX,
     .note = "the sender's address there: answers go to it"},
    {"message_id", ADMIN_TEXT, .required = true, .max = CHANNEL_ADDRESS_MAX,
     .note = "the channel's own: sent twice, it is one message"},
    {"text", ADMIN_TEXT, .empty = true, .max = FD_MESSAGE_MAX},
    {"thread", ADMIN_TEXT, .empty = true, .max = CHANNEL_ADDRESS_MAX,
     .note = "where a sender has several conversations at a time"},
    {"name", ADMIN_TEXT | ADMIN_NULL, .max = CHANNEL_ADDRESS_MAX},
    {"language", ADMIN_TEXT | ADMIN_NULL, .max = FD_LANGUAGE_MAX},
    {"attachments", ADMIN_ANY, .note = "not read; without a text the sender is told so"},
};
static const char *const computed[] = {"waiting",           "pending",    "failed", "last_error",
                                       "last_error_reason", "updated_at", NULL};

static const struct admin_route routes[] = {
    {"GET", "channels", ADMIN_STAFF, 0, list, .summary = "Channels and how they do",
     .answer = "{channels: [{" CHANNEL "}]}"},
    {"POST", "channels/inbound", ADMIN_STAFF, ADMIN_PRIVATE, receive,
     .summary = "Takes a message that came by a channel", .body = ADMIN_BODY(inbound_fields),
     .status = 202, .answer = "{id: uuid, duplicate: bool}"},
    {"POST", "channels", ADMIN_ADMIN, 0, create,
     .summary = "Sets a channel up; its signing secret is told once",
     .body = ADMIN_BODY(create_fields), .status = 201,
     .answer = "{" CHANNEL ", signing_secret: text}"},
    {"GET", "channels/:channel", ADMIN_STAFF, 0, show, .summary = "A channel",
     .answer = "{" CHANNEL "}", .computed = computed},
    {"PUT", "channels/:channel", ADMIN_ADMIN, 0, change, .summary = "Changes a channel",
     .body = ADMIN_BODY(save_fields), .answer = "{" CHANNEL ", signing_secret?: text}"},
    {"GET", "channels/:channel/deliveries", ADMIN_STAFF, 0, deliveries,
     .summary = "How answers were delivered", .query = "{" PAGE_QUERY "}",
     .answer = "{deliveries: [{id: uuid, created_at: time, conversation_id: uuid|null, kind: text,"
               " state: pending|delivered|failed, attempts: int, settled_at: time|null,"
               " last_error: text|null, last_error_reason: " ADMIN_REASON "}], " PAGE_ANSWER "}"},
};

const struct admin_resource admin_channels = {routes, sizeof(routes) / sizeof(routes[0])};
