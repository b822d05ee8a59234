#include "tenant/conversation_export.h"

#include "tenant/conversation_csv.h"

#include <stdlib.h>
#include <string.h>

#define PART     65536 /* bytes after which a part is enough */
#define HEADS    100
#define MESSAGES 200
#define AT_SIZE  64
#define ID_SIZE  37

/* A place that outlives the rows it was read from. */
struct kept_place {
    char at[AT_SIZE];
    char id[ID_SIZE];
    bool set;
};

struct conversation_export {
    char org[ID_SIZE];
    struct conversation_filter filter;
    struct arena arena;
    enum conversation_format format;
    bool one;
    bool begun, over;
    PGresult *heads; /* the conversations that are next */
    int row;         /* of heads */
    struct kept_place after;
    bool inside; /* a conversation, between two pages of its messages */
    struct kept_place after_message;
    uint64_t written; /* conversations */
};

static const struct {
    const char *name;
    const char *content_type;
} formats[] = {
    [CONVERSATION_CSV] = {"csv", "text/csv; charset=utf-8"},
    [CONVERSATION_JSON] = {"json", "application/json"},
    [CONVERSATION_JSONL] = {"jsonl", "application/x-ndjson"},
};

bool conversation_format_named(const char *name, enum conversation_format *format)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (strcmp(formats[i].name, name) == 0) {
            *format = (enum conversation_format)i;
            return true;
        }
    }
    return false;
}

const char *conversation_content_type(enum conversation_format format)
{
    return formats[format].content_type;
}

const char *conversation_extension(enum conversation_format format)
{
    return formats[format].name;
}

static struct conversation_export *export_new(const char *org, enum conversation_format format)
{
    struct conversation_export *x = calloc(1, sizeof(*x));
    if (x == NULL)
        abort();
    snprintf(x->org, sizeof(x->org), "%s", org);
    x->format = format;
    arena_init(&x->arena);
    return x;
}

struct conversation_export *conversation_export_many(const char *org,
                                                     const struct conversation_filter *filter,
                                                     enum conversation_format format)
{
    struct conversation_export *x = export_new(org, format);

    /* By when they began: a page that moves while it is read would be missed or doubled. */
    x->filter = (struct conversation_filter){.json = arena_strdup(&x->arena, filter->json)};
    return x;
}

struct conversation_export *conversation_export_one(const char *org, PGresult *row,
                                                    enum conversation_format format)
{
    struct conversation_export *x = export_new(org, format);

    x->one = true;
    x->heads = row;
    return x;
}

void conversation_export_free(struct conversation_export *x)
{
    if (x == NULL)
        return;
    PQclear(x->heads);
    arena_free(&x->arena);
    free(x);
}

static struct conversation_place place(const struct kept_place *kept)
{
    return kept->set ? (struct conversation_place){kept->at, kept->id}
                     : (struct conversation_place){0};
}

static void keep(struct kept_place *kept, const char *at, const char *id)
{
    snprintf(kept->at, sizeof(kept->at), "%s", at);
    snprintf(kept->id, sizeof(kept->id), "%s", id);
    kept->set = true;
}

static void begin(struct conversation_export *x, struct buf *out)
{
    x->begun = true;
    if (x->format == CONVERSATION_CSV)
        conversation_csv_head(out, x->one);
    else if (x->format == CONVERSATION_JSON && !x->one)
        buf_puts(out, "[");
}

static void finish(const struct conversation_export *x, struct buf *out)
{
    if (x->format == CONVERSATION_JSON)
        buf_puts(out, x->one ? "\n" : "]\n");
}

/* -- a step ------------------------------------------------------------------------------- */

static enum db_status next_heads(struct conversation_export *x, struct db *db)
{
    if (x->one || (x->heads != NULL && PQntuples(x->heads) < HEADS)) {
        x->over = true;
        return DB_OK;
    }
    PQclear(x->heads);
    x->heads = NULL;
    x->row = 0;
    enum db_status status =
        conversation_list(db, x->org, &x->filter, place(&x->after), HEADS, &x->heads);
    int rows = status == DB_OK ? PQntuples(x->heads) : 0;
    if (rows > 0)
        keep(&x->after, db_text(x->heads, rows - 1, CONVERSATION_AT),
             db_text(x->heads, rows - 1, CONVERSATION_ID));
    return status;
}

/* The conversation's object, left open for its messages. */
static void open_conversation(struct conversation_export *x, struct buf *out)
{
    struct fd_json_writer w;

    if (x->format == CONVERSATION_JSON && x->written > 0)
        buf_puts(out, ",\n");
    buf_json(out, &w);
    fd_jw_object(&w);
    conversation_write_members(&w, x->heads, x->row);
    fd_jw_end_object(&w);
    if (buf_json_end(out, &w)) {
        out->len--;
        buf_puts(out, ",\"messages\":[");
    }
}

static void close_conversation(struct conversation_export *x, struct buf *out)
{
    x->inside = false;
    x->after_message.set = false;
    x->row++;
    x->written++;
    if (x->format != CONVERSATION_CSV)
        buf_puts(out, x->format == CONVERSATION_JSONL ? "]}\n" : "]}");
}

static void write_message(const struct conversation_export *x, const PGresult *messages, int row,
                          struct buf *out)
{
    struct fd_json_writer w;

    if (x->format == CONVERSATION_CSV) {
        conversation_csv_message(out, messages, row);
        return;
    }
    if (x->after_message.set || row > 0)
        buf_puts(out, ",");
    buf_json(out, &w);
    conversation_write_message(&w, messages, row);
    buf_json_end(out, &w);
}

static enum db_status next_messages(struct conversation_export *x, struct db *db, struct buf *out)
{
    PGresult *messages;

    enum db_status status =
        conversation_messages(db, x->org, db_text(x->heads, x->row, CONVERSATION_ID),
                              place(&x->after_message), MESSAGES, &messages);
    if (status != DB_OK)
        return status;
    int rows = PQntuples(messages);
    for (int row = 0; row < rows; row++)
        write_message(x, messages, row, out);
    if (rows < MESSAGES)
        close_conversation(x, out);
    else
        keep(&x->after_message, db_text(messages, rows - 1, MESSAGE_AT),
             db_text(messages, rows - 1, MESSAGE_ID));
    PQclear(messages);
    return DB_OK;
}

int64_t conversation_export_count(const struct conversation_export *x)
{
    return (int64_t)x->written;
}

static enum db_status step(struct conversation_export *x, struct db *db, struct buf *out)
{
    if (x->inside)
        return next_messages(x, db, out);
    if (x->heads == NULL || x->row == PQntuples(x->heads))
        return next_heads(x, db);
    if (x->format == CONVERSATION_CSV && !x->one) {
        conversation_csv_row(out, x->heads, x->row++);
        x->written++;
        return DB_OK;
    }
    if (x->format != CONVERSATION_CSV)
        open_conversation(x, out);
    x->inside = true;
    return DB_OK;
}

enum db_status conversation_export_next(struct conversation_export *x, struct db *db,
                                        struct buf *out, bool *more)
{
    size_t enough = out->len + PART;

    if (!x->begun)
        begin(x, out);
    while (!x->over && !out->over && out->len < enough) {
        enum db_status status = step(x, db, out);
        if (status != DB_OK)
            return status;
    }
    if (x->over)
        finish(x, out);
    if (out->over) {
        db_explain(db, "a part of the export is too long");
        return DB_FAILED;
    }
    *more = !x->over;
    return DB_OK;
}
