#include "tenant/business_info.h"

#include "core/buf.h"
#include "core/visible.h"

#define RAW_MAX 4096 /* bytes of a value before it is made one line */

/* A list's values behind one another; an object's with their names before them. */
static void add_value(struct buf *out, const struct fd_json *value)
{
    if (value->type == FD_JSON_STRING)
        buf_puts(out, value->text);
    else if (value->type == FD_JSON_NUMBER && value->is_integer)
        buf_printf(out, "%lld", (long long)value->integer);
    if (value->type != FD_JSON_ARRAY && value->type != FD_JSON_OBJECT)
        return;
    for (const struct fd_json *item = value->child; item != NULL; item = item->next) {
        if (item != value->child)
            buf_puts(out, ", ");
        if (value->type == FD_JSON_OBJECT)
            buf_printf(out, "%s ", item->key);
        add_value(out, item);
    }
}

static const char *line(struct arena *a, const struct fd_json *json, const char *key)
{
    const struct fd_json *value = fd_json_get(json, key);
    struct buf raw;

    if (value == NULL)
        return NULL;
    buf_init(&raw, RAW_MAX);
    add_value(&raw, value);
    const char *text = raw.data != NULL ? visible_line(a, raw.data, BUSINESS_LINE_MAX) : NULL;
    buf_free(&raw);
    return text;
}

void business_info_read(struct arena *a, const struct fd_json *json, struct business_info *info)
{
    *info = (struct business_info){0};
    if (json == NULL || json->type != FD_JSON_OBJECT)
        return;
    info->hours = line(a, json, "hours");
    info->timezone = line(a, json, "timezone");
    info->currency = line(a, json, "currency");
    info->shipping_zones = line(a, json, "shipping_zones");
    info->contact = line(a, json, "contact");
    info->tone = line(a, json, "tone");
}
