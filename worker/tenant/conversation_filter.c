#include "tenant/conversation_filter.h"

#include "core/buf.h"
#include "protocol/ids.h"
#include "tenant/day.h"
#include "tenant/gap.h"

#include <string.h>

#define ESCAPED_MAX 6 /* bytes that a byte of a text takes in JSON */
#define MEMBER_MORE 6 /* "":"", */

enum kind { WORD, TEXT, LINES, DAY, GAP, TEAM };

static const struct parameter {
    const char *name;
    enum kind kind;
    const char *words; /* of a WORD: between bars */
    size_t max;        /* of a TEXT or LINES, bytes */
    const char *right;
    bool of_one; /* organisation: what it names is its own, or is looked for in its own part */
} parameters[] = {
    {"q", TEXT, NULL, 200, "1 to 200 bytes to search for would be right", .of_one = true},
    {"from", DAY, NULL, 0, "a day such as 2026-11-21 would be right"},
    {"to", DAY, NULL, 0, "a day such as 2026-11-21 would be right"},
    {"status", WORD, "|active|archived|waiting_human|human|ended|", 0,
     "active, archived, waiting_human, human or ended would be right"},
    {"language", TEXT, NULL, 35, "a language such as en would be right"},
    {"team", TEAM, NULL, 0, "the id of a team, or none, would be right", .of_one = true},
    {"channel", TEXT, NULL, 32, "a channel such as widget would be right"},
    {"user", TEXT, NULL, 256, "what the site calls its visitor, 1 to 256 bytes, would be right",
     .of_one = true},
    {"rating", WORD, "|1|2|3|4|5|any|", 0, "1 to 5, or any, would be right"},
    {"feedback", WORD, "|up|down|any|none|", 0, "up, down, any or none would be right"},
    {"has_feedback", WORD, "|true|false|", 0, "true or false would be right"},
    {"handled", WORD, "|ai|human|nobody|", 0, "ai, human or nobody would be right"},
    {"handoff", WORD, "|true|false|unexplained|", 0, "true, false or unexplained would be right"},
    {"handoff_reason", LINES, NULL, 2000, "1 to 2000 bytes would be right", .of_one = true},
    {"handoff_cause", WORD, "|asked|upset|repeated|suggested|ungrounded|failing|visitor|operator|",
     0,
     "asked, upset, repeated, suggested, ungrounded, failing, visitor or operator would be right"},
    {"resolved", WORD, "|true|false|known|pending|", 0,
     "true, false, known or pending would be right"},
    {"sentiment", WORD, "|negative|neutral|positive|any|", 0,
     "negative, neutral, positive or any would be right"},
    {"has", WORD, "|first_token|response|resolution|", 0,
     "first_token, response or resolution would be right"},
    {"gap", GAP, NULL, 0, "what stands in a filter of knowledge-gaps would be right",
     .of_one = true},
    {"model", TEXT, NULL, 128, "a model's id would be right"},
    {"tool", TEXT, NULL, 64, "a tool's name would be right", .of_one = true},
    {"active_from", DAY, NULL, 0, "a day such as 2026-11-21 would be right"},
    {"active_to", DAY, NULL, 0, "a day such as 2026-11-21 would be right"},
    {"order", WORD, "|started|recent|", 0, "started or recent would be right"},
};

#define PARAMETERS (sizeof(parameters) / sizeof(parameters[0]))

const char *const conversation_parameters[] = {"q",           "from",           "to",
                                               "status",      "language",       "team",
                                               "channel",     "user",           "rating",
                                               "feedback",    "has_feedback",   "handled",
                                               "handoff",     "handoff_reason", "handoff_cause",
                                               "resolved",    "sentiment",      "has",
                                               "gap",         "model",          "tool",
                                               "active_from", "active_to",      "order",
                                               NULL};

static bool word_fits(const char *words, const char *value)
{
    size_t len = strlen(value);

    if (strchr(value, '|') != NULL)
        return false;
    for (const char *at = words; (at = strchr(at, '|')) != NULL && at[1] != '\0'; at++) {
        if (len > 0 && strncmp(at + 1, value, len) == 0 && at[1 + len] == '|')
            return true;
    }
    return false;
}

static bool text_fits(const char *value, size_t max, const char *controls)
{
    size_t len = strlen(value);

    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)value[i] < ' ' && strchr(controls, value[i]) == NULL)
            return false;
    }
    return len > 0 && len <= max && fd_utf8_valid(value, len);
}

static bool fits(const struct parameter *parameter, const char *value)
{
    struct gap gap;

    switch (parameter->kind) {
    case WORD: return word_fits(parameter->words, value);
    case DAY: return day_valid(value);
    case GAP: return gap_read(value, &gap);
    case TEAM: return strcmp(value, "none") == 0 || fd_uuid_valid(value, strlen(value));
    case LINES: return text_fits(value, parameter->max, "\t\n\r");
    default: return text_fits(value, parameter->max, "");
    }
}

static void write(struct fd_json_writer *w, const struct parameter *parameter, const char *value,
                  struct conversation_filter *filter)
{
    if (strcmp(parameter->name, "order") == 0)
        filter->by_activity = strcmp(value, "recent") == 0;
    else if (strcmp(parameter->name, "has_feedback") == 0)
        fd_jw_member(w, "feedback", strcmp(value, "true") == 0 ? "any" : "none");
    else
        fd_jw_member(w, parameter->name, value);
}

const char *conversation_filter_of_one(conversation_value_fn *value, const void *from)
{
    for (size_t i = 0; i < PARAMETERS; i++) {
        if (parameters[i].of_one && value(from, parameters[i].name) != NULL)
            return parameters[i].name;
    }
    return NULL;
}

/* However the writer escapes what is given. */
static size_t room_for(conversation_value_fn *value, const void *from)
{
    size_t room = sizeof("{}");

    for (size_t i = 0; i < PARAMETERS; i++) {
        const char *given = value(from, parameters[i].name);
        if (given != NULL)
            room += strlen(parameters[i].name) + ESCAPED_MAX * strlen(given) + MEMBER_MORE;
    }
    return room;
}

bool conversation_filter_read(struct arena *a, conversation_value_fn *value, const void *from,
                              struct conversation_filter *filter, struct conversation_fault *fault)
{
    struct fd_json_writer w;
    struct buf json;

    *filter = (struct conversation_filter){0};
    *fault = (struct conversation_fault){0};
    if (value(from, "feedback") != NULL && value(from, "has_feedback") != NULL) {
        *fault = (struct conversation_fault){"has_feedback", "feedback says it already"};
        return false;
    }
    buf_init(&json, room_for(value, from));
    buf_json(&json, &w);
    fd_jw_object(&w);
    for (size_t i = 0; i < PARAMETERS && fault->field == NULL; i++) {
        const char *given = value(from, parameters[i].name);
        if (given != NULL && !fits(&parameters[i], given))
            *fault = (struct conversation_fault){parameters[i].name, parameters[i].right};
        else if (given != NULL)
            write(&w, &parameters[i], given, filter);
    }
    fd_jw_end_object(&w);
    if (!buf_json_end(&json, &w) && fault->field == NULL)
        *fault = (struct conversation_fault){"q", "fewer and shorter filters would be right"};
    filter->json = fault->field == NULL ? arena_strndup(a, json.data, json.len) : "{}";
    buf_free(&json);
    return fault->field == NULL;
}
