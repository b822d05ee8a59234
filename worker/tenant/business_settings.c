#include "tenant/business_settings.h"

#include "tenant/business_info.h"
#include "tenant/opening.h"

#include <string.h>

#define TEXT_MAX  BUSINESS_LINE_MAX
#define ITEMS_MAX 50
#define ITEM_MAX  200
#define KEY_MAX   40

static const struct db_statement read_row = {
    "business_read", "SELECT business_info::text FROM organizations WHERE id = $1", 1};
static const struct db_statement zone_row = {"business_zone", "SELECT utc_offset_s($1) IS NOT NULL",
                                             1};
static const struct db_statement change_row = {
    "business_change",
    "UPDATE organizations SET business_info = jsonb_strip_nulls(business_info || $2::jsonb)"
    " WHERE id = $1 RETURNING business_info::text",
    2};

/* -- checks ------------------------------------------------------------------------ */

static bool is_line(const struct fd_json *value, size_t max)
{
    if (value->type != FD_JSON_STRING || value->text_len == 0 || value->text_len > max)
        return false;
    for (size_t i = 0; i < value->text_len; i++) {
        if ((unsigned char)value->text[i] < ' ' || value->text[i] == 0x7F)
            return false;
    }
    return true;
}

static bool check_line(const struct fd_json *value, struct ai_fault *fault)
{
    return is_line(value, TEXT_MAX) ||
           ai_refuse(fault, value->key, "must be a line of 1 to %d bytes", TEXT_MAX);
}

/* Of a list, or of an object, whose keys are read as well. */
static bool check_items(const struct fd_json *value, struct ai_fault *fault)
{
    size_t bytes = 0;

    if (value->count == 0 || value->count > ITEMS_MAX)
        return ai_refuse(fault, value->key, "must have 1 to %d entries", ITEMS_MAX);
    for (const struct fd_json *item = value->child; item != NULL; item = item->next) {
        if (!is_line(item, ITEM_MAX) || item->key_len > KEY_MAX)
            return ai_refuse(fault, value->key, "each entry must be a line of 1 to %d bytes",
                             ITEM_MAX);
        bytes += item->text_len + item->key_len + 3;
    }
    return bytes <= TEXT_MAX ||
           ai_refuse(fault, value->key, "must have at most %d bytes together", TEXT_MAX);
}

static bool check_zones(const struct fd_json *value, struct ai_fault *fault)
{
    return value->type == FD_JSON_ARRAY ? check_items(value, fault) : check_line(value, fault);
}

static bool check_contact(const struct fd_json *value, struct ai_fault *fault)
{
    return value->type == FD_JSON_OBJECT ? check_items(value, fault) : check_line(value, fault);
}

static bool check_currency(const struct fd_json *value, struct ai_fault *fault)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    bool good =
        value->type == FD_JSON_STRING && value->text_len == 3 && strspn(value->text, letters) == 3;

    return good || ai_refuse(fault, value->key, "must be three letters of ISO 4217, such as EUR");
}

/* PostgreSQL would take "X+3" as well, which has no summer. */
static bool check_timezone(const struct fd_json *value, struct ai_fault *fault)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    bool good = is_line(value, 64) && strspn(value->text, allowed) == value->text_len &&
                (strchr(value->text, '/') != NULL || strcmp(value->text, "UTC") == 0);

    return good || ai_refuse(fault, value->key,
                             "must be a name of the IANA data base, such as Europe/Berlin");
}

static const struct {
    const char *name;
    bool (*check)(const struct fd_json *value, struct ai_fault *fault);
} members[] = {
    {"hours", check_line},           {"timezone", check_timezone}, {"currency", check_currency},
    {"shipping_zones", check_zones}, {"contact", check_contact},   {"tone", check_line},
};

static bool check_member(const struct fd_json *value, struct ai_fault *fault)
{
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (strcmp(members[i].name, value->key) == 0)
            return value->type == FD_JSON_NULL || members[i].check(value, fault);
    }
    return ai_refuse(fault, value->key, "there is no such member");
}

bool business_settings_check(const struct fd_json *patch, struct ai_fault *fault)
{
    *fault = (struct ai_fault){0};
    if (patch == NULL || patch->type != FD_JSON_OBJECT)
        return ai_refuse(fault, "", "must be an object");
    for (const struct fd_json *value = patch->child; value != NULL; value = value->next) {
        if (!check_member(value, fault))
            return false;
    }
    return true;
}

/* -- the row ----------------------------------------------------------------------- */

static bool understands(struct arena *a, const struct fd_json *json)
{
    struct business_info info;
    struct opening week;

    business_info_read(a, json, &info);
    return opening_read(info.hours, &week);
}

static bool write_row(const char *text, struct buf *out)
{
    struct fd_json_fault fault;
    struct fd_json_writer w;
    struct arena a;

    arena_init(&a);
    const struct fd_json *json =
        fd_json_parse(text, strlen(text), (struct fd_json_limits){0}, arena_allocator(&a), &fault);
    buf_json(out, &w);
    fd_jw_object(&w);
    for (const struct fd_json *m = json != NULL ? json->child : NULL; m != NULL; m = m->next) {
        fd_jw_key(&w, m->key);
        fd_jw_json(&w, m);
    }
    fd_jw_member_bool(&w, "hours_understood", understands(&a, json));
    fd_jw_end_object(&w);
    arena_free(&a);
    return buf_json_end(out, &w) && json != NULL;
}

static enum db_status answer(struct db *db, const PGresult *row, struct buf *out)
{
    if (PQntuples(row) == 0) {
        db_explain(db, "there is no such organisation");
        return DB_FAILED;
    }
    if (!write_row(db_text(row, 0, 0), out)) {
        db_explain(db, "what is stored cannot be read");
        return DB_FAILED;
    }
    return DB_OK;
}

enum db_status business_settings_read(struct db *db, const char *org, struct buf *out)
{
    PGresult *row;

    enum db_status status = db_query(db, org, &read_row, &org, &row);
    if (status != DB_OK)
        return status;
    status = answer(db, row, out);
    PQclear(row);
    return status;
}

static enum db_status check_zone_exists(struct db *db, const char *org, const struct fd_json *patch,
                                        struct ai_fault *fault)
{
    const char *zone = fd_json_string(patch, "timezone");
    PGresult *row;

    if (zone == NULL)
        return DB_OK;
    enum db_status status = db_query(db, org, &zone_row, &zone, &row);
    if (status != DB_OK)
        return status;
    if (!db_true(row, 0, 0))
        ai_refuse(fault, "timezone", "%.60s is not known", zone);
    PQclear(row);
    return DB_OK;
}

enum db_status business_settings_change(struct db *db, const char *org, const struct fd_json *patch,
                                        struct ai_fault *fault, struct buf *out)
{
    struct fd_json_writer w;
    struct buf text;
    PGresult *row;

    if (!business_settings_check(patch, fault))
        return DB_OK;
    enum db_status status = check_zone_exists(db, org, patch, fault);
    if (status != DB_OK || fault->detail[0] != '\0')
        return status;
    buf_init(&text, BUSINESS_JSON_MAX);
    buf_json(&text, &w);
    fd_jw_json(&w, patch);
    if (!buf_json_end(&text, &w)) {
        ai_refuse(fault, "", "the change is too long");
    } else {
        const char *params[] = {org, text.data};
        status = db_query(db, org, &change_row, params, &row);
        if (status == DB_OK) {
            status = answer(db, row, out);
            PQclear(row);
        }
    }
    buf_free(&text);
    return status;
}
