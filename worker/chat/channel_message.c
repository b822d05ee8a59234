#include "chat/channel_message.h"

#include "chat/channel_text.h"
#include "chat/phrase.h"
#include "tenant/channel_queue.h"

#include <string.h>

#define TEXT_MAX 262144

/* What is said, as it was written. */
static void compose(struct buf *out, const PGresult *rows, int row)
{
    const char *kind = db_text(rows, row, OUT_KIND), *notice = db_text(rows, row, OUT_NOTICE);
    const char *language = db_text(rows, row, OUT_LANGUAGE);

    if (strcmp(kind, "sorry") == 0)
        buf_puts(out, phrase_text(PHRASE_SORRY, language));
    else if (strcmp(kind, "unread") == 0)
        buf_puts(out, phrase_text(PHRASE_TEXT_ONLY, language));
    else
        buf_puts(out, db_text(rows, row, OUT_TEXT));
    if (notice != NULL)
        buf_printf(out, "\n\n%s", notice);
}

static const char *role_of(const char *kind)
{
    return strcmp(kind, "answer") == 0     ? "assistant"
           : strcmp(kind, "operator") == 0 ? "operator"
                                           : "notice";
}

/* What an operator wrote means what it says: it is not taken for Markdown. */
static void write_text(struct fd_json_writer *w, const char *channel, const char *kind,
                       const struct buf *written)
{
    struct channel_part parts[CHANNEL_PARTS_MAX];
    struct buf plain;

    buf_init(&plain, TEXT_MAX);
    if (strcmp(kind, "operator") == 0)
        buf_append(&plain, written->data, written->len);
    else
        channel_text_plain(&plain, written->data, written->len);
    size_t count = plain.len > 0 ? channel_text_split(plain.data, plain.len,
                                                      channel_text_limit(channel), parts)
                                 : 0;
    fd_jw_key(w, "text");
    fd_jw_string(w, plain.len > 0 ? plain.data : "", plain.len);
    fd_jw_key(w, "parts");
    fd_jw_array(w);
    for (size_t i = 0; i < count; i++)
        fd_jw_string(w, parts[i].s, parts[i].len);
    fd_jw_end_array(w);
    buf_free(&plain);
}

bool channel_message_write(struct buf *out, const PGresult *rows, int row)
{
    static const struct {
        const char *name;
        enum channel_out column;
    } facts[] = {{"delivery_id", OUT_ID},
                 {"channel", OUT_CHANNEL},
                 {"to", OUT_SENDER},
                 {"thread", OUT_THREAD},
                 {"name", OUT_NAME},
                 {"language", OUT_LANGUAGE},
                 {"conversation_id", OUT_CONVERSATION},
                 {"message_id", OUT_MESSAGE},
                 {"author", OUT_AUTHOR},
                 {"created_at", OUT_CREATED}};
    const char *kind = db_text(rows, row, OUT_KIND);
    struct fd_json_writer w;
    struct buf written;

    buf_init(&written, TEXT_MAX);
    compose(&written, rows, row);
    buf_json(out, &w);
    fd_jw_object(&w);
    fd_jw_member_int(&w, "v", 1);
    fd_jw_member(&w, "event", "message");
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
        fd_jw_member(&w, facts[i].name, db_text(rows, row, facts[i].column));
    fd_jw_member(&w, "role", role_of(kind));
    write_text(&w, db_text(rows, row, OUT_CHANNEL), kind, &written);
    fd_jw_key(&w, "markdown");
    fd_jw_string(&w, written.len > 0 ? written.data : "", written.len);
    fd_jw_end_object(&w);
    buf_free(&written);
    return buf_json_end(out, &w);
}
