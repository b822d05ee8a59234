#include "tenant/deed.h"

#include "protocol/json.h"

#include <string.h>

#define DEPTH 24
#define NODES 65536

const char *const deed_kinds[] = {"ai-settings",
                                  "approvals",
                                  "articles",
                                  "audit",
                                  "branding",
                                  "budget",
                                  "business-info",
                                  "canned-replies",
                                  "channels",
                                  "conversations",
                                  "embedding",
                                  "endpoints",
                                  "identity-secrets",
                                  "integrations",
                                  "keys",
                                  "members",
                                  "models",
                                  "organization",
                                  "organizations",
                                  "plan",
                                  "prices",
                                  "provider",
                                  "retention",
                                  "sessions",
                                  "teams",
                                  "test-cases",
                                  "test-chat",
                                  "test-runs",
                                  "tools",
                                  "users",
                                  "visitors",
                                  NULL};

const char *const deed_verbs[] = {"create",
                                  "change",
                                  "remove",
                                  "act",
                                  "act-end",
                                  "approve",
                                  "cancel",
                                  "decline",
                                  "delete",
                                  "disable",
                                  "enable",
                                  "export",
                                  "inbound",
                                  "join",
                                  "read",
                                  "password",
                                  "password-change",
                                  "password-reset",
                                  "password-reset-mail",
                                  "release",
                                  "reply",
                                  "reset",
                                  "resolve",
                                  "role",
                                  "rotate",
                                  "run",
                                  "session-end",
                                  "session-end-others",
                                  "set-up",
                                  "sign-in",
                                  "sign-in-failed",
                                  "sign-out",
                                  "superadmin",
                                  "test",
                                  NULL};

/* What stands at the end of a path and is no thing. */
static const char *const path_verbs[] = {"approve", "cancel", "decline", "delete", "export",
                                         "inbound", "join",   "release", "reply",  "reset",
                                         "resolve", "rotate", "test",    NULL};

/* How what is made is called in its path; others by their id. */
static const struct {
    const char *kind, *member;
} names[] = {
    {"articles", "slug"}, {"channels", "channel"}, {"endpoints", "name"}, {"tools", "name"}};

static const char *among(const char *const *words, const char *word)
{
    while (*words != NULL && strcmp(*words, word) != 0)
        words++;
    return *words;
}

static const char *verb_of_method(const char *method)
{
    if (strcmp(method, "POST") == 0)
        return "create";
    return strcmp(method, "DELETE") == 0 ? "remove" : "change";
}

/* The next part of a path; NULL: there is none. */
static const char *next_part(struct arena *a, const char **at)
{
    size_t len = strcspn(*at, "/");

    if (len == 0)
        return NULL;
    const char *part = arena_strndup(a, *at, len);
    *at += len + ((*at)[len] == '/');
    return part;
}

struct deed deed_of_route(struct arena *a, const char *method, const char *pattern)
{
    struct deed deed = {.kind = "", .verb = verb_of_method(method)};
    const char *part, *before = "";

    for (const char *at = pattern; (part = next_part(a, &at)) != NULL;) {
        if (part[0] == ':')
            continue;
        before = deed.kind;
        deed.kind = part;
    }
    const char *verb = before[0] != '\0' ? among(path_verbs, deed.kind) : NULL;
    if (verb != NULL)
        deed = (struct deed){.kind = before, .verb = verb};
    return deed;
}

const char *deed_thing(struct arena *a, const char *pattern, const char *id)
{
    const char *part, *word = "", *at = pattern;

    while ((part = next_part(a, &at)) != NULL && part[0] != ':')
        if (among(path_verbs, part) == NULL)
            word = part;
    return id != NULL ? arena_printf(a, "%s/%s", word, id) : word;
}

const char *deed_thing_made(struct arena *a, const char *kind, const char *made)
{
    struct fd_json_limits limits = {.depth = DEPTH, .nodes = NODES};
    struct fd_json_fault fault;
    const char *member = "id";

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        member = strcmp(names[i].kind, kind) == 0 ? names[i].member : member;
    const struct fd_json *answer =
        made != NULL ? fd_json_parse(made, strlen(made), limits, arena_allocator(a), &fault) : NULL;
    const char *id = answer != NULL ? fd_json_string(answer, member) : NULL;
    return id != NULL ? arena_printf(a, "%s/%s", kind, id) : kind;
}
