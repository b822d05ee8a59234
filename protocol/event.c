#include "protocol/event.h"

#include <string.h>

struct event_kind {
    const char *name;
    size_t len;
    bool terminal;
};

#define NAME(s) s, sizeof(s) - 1

static const struct event_kind kinds[FD_EVENT_TYPES] = {
    [FD_EVENT_META] = {NAME("meta"), false},
    [FD_EVENT_DELTA] = {NAME("delta"), false},
    [FD_EVENT_TOOL] = {NAME("tool"), false},
    [FD_EVENT_CONFIRM] = {NAME("confirm"), false},
    [FD_EVENT_CITATION] = {NAME("citation"), false},
    [FD_EVENT_NOTICE] = {NAME("notice"), false},
    [FD_EVENT_RESET] = {NAME("reset"), false},
    [FD_EVENT_DONE] = {NAME("done"), true},
    [FD_EVENT_ERROR] = {NAME("error"), true},
    [FD_EVENT_CANCELLED] = {NAME("cancelled"), true},
    [FD_EVENT_ANSWER] = {NAME("answer"), true},
    [FD_EVENT_SYNC] = {NAME("sync"), false},
    [FD_EVENT_MESSAGE] = {NAME("message"), false},
    [FD_EVENT_STATUS] = {NAME("status"), false},
    [FD_EVENT_CONVERSATION] = {NAME("conversation"), false},
    [FD_EVENT_ALERT] = {NAME("alert"), false},
    [FD_EVENT_TRACE] = {NAME("trace"), false},
};

#define ID_FIELD     "id: "
#define EVENT_FIELD  "\nevent: "
#define DATA_FIELD   "\ndata: "
#define FRAME_END    "\n\n"
#define NAME_MAX_LEN 12 /* "conversation" */

const char *fd_event_name(enum fd_event_type type)
{
    return kinds[type].name;
}

bool fd_event_terminal(enum fd_event_type type)
{
    return kinds[type].terminal;
}

size_t fd_event_frame_bound(size_t data_len)
{
    return sizeof(ID_FIELD EVENT_FIELD DATA_FIELD FRAME_END) + FD_EVENT_ID_SIZE + NAME_MAX_LEN +
           data_len;
}

static char *put(char *at, const char *s, size_t len)
{
    memcpy(at, s, len);
    return at + len;
}

#define PUT_LITERAL(at, s) put(at, s, sizeof(s) - 1)

size_t fd_event_frame(char *out, struct fd_event_id id, enum fd_event_type type, const char *data,
                      size_t data_len)
{
    char *at = out;

    at = PUT_LITERAL(at, ID_FIELD);
    at += fd_event_id_format(at, id);
    at = PUT_LITERAL(at, EVENT_FIELD);
    at = put(at, kinds[type].name, kinds[type].len);
    at = PUT_LITERAL(at, DATA_FIELD);
    at = put(at, data, data_len);
    at = PUT_LITERAL(at, FRAME_END);
    return (size_t)(at - out);
}

/* What is left of a frame while it is read from the front. */
struct rest {
    const char *s;
    size_t len;
};

static bool take(struct rest *rest, const char *literal, size_t len)
{
    if (rest->len < len || memcmp(rest->s, literal, len) != 0)
        return false;
    rest->s += len;
    rest->len -= len;
    return true;
}

#define TAKE_LITERAL(rest, s) take(rest, s, sizeof(s) - 1)

static bool take_id(struct rest *rest, struct fd_event_id *id)
{
    size_t most = rest->len < FD_EVENT_ID_SIZE ? rest->len : FD_EVENT_ID_SIZE;
    const char *end = memchr(rest->s, '\n', most);
    size_t len;

    if (end == NULL)
        return false;
    len = (size_t)(end - rest->s);
    if (!fd_event_id_parse(rest->s, len, id) || id->epoch == 0)
        return false;
    rest->s += len;
    rest->len -= len;
    return true;
}

static bool take_type(struct rest *rest, enum fd_event_type *type)
{
    for (int i = 0; i < FD_EVENT_TYPES; i++) {
        const struct event_kind *kind = &kinds[i];

        if (rest->len > kind->len && rest->s[kind->len] == '\n' &&
            take(rest, kind->name, kind->len)) {
            *type = (enum fd_event_type)i;
            return true;
        }
    }
    return false;
}

/* One line to the end of the frame. */
static bool take_data(struct rest *rest, const char **data, size_t *data_len)
{
    size_t end_len = sizeof(FRAME_END) - 1;

    if (!TAKE_LITERAL(rest, DATA_FIELD) || rest->len <= end_len)
        return false;
    *data = rest->s;
    *data_len = rest->len - end_len;
    return memcmp(rest->s + *data_len, FRAME_END, end_len) == 0 &&
           memchr(*data, '\n', *data_len) == NULL && memchr(*data, '\r', *data_len) == NULL;
}

bool fd_event_parse(const char *frame, size_t len, struct fd_event *event)
{
    struct rest rest = {frame, len};

    return TAKE_LITERAL(&rest, ID_FIELD) && take_id(&rest, &event->id) &&
           TAKE_LITERAL(&rest, EVENT_FIELD) && take_type(&rest, &event->type) &&
           take_data(&rest, &event->data, &event->data_len);
}

bool fd_event_passing(const char *frame, size_t len)
{
    struct rest rest = {frame, len};
    const char *data;
    size_t data_len;

    return (TAKE_LITERAL(&rest, "event: " FD_EVENT_TYPING) ||
            TAKE_LITERAL(&rest, "event: " FD_EVENT_PRESENCE)) &&
           take_data(&rest, &data, &data_len);
}

enum fd_event_verdict fd_event_judge(struct fd_event_id last, struct fd_event_id next)
{
    if (fd_event_id_compare(next, last) <= 0)
        return FD_EVENT_IGNORE;
    if (next.epoch > last.epoch)
        return next.n == 0 ? FD_EVENT_WRITE : FD_EVENT_BEHIND;
    return next.n - last.n == 1 ? FD_EVENT_WRITE : FD_EVENT_BEHIND;
}
