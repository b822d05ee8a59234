/* frontdesk settings business: what an organisation says of itself. */
#include "cmd/cmd.h"
#include "cmd/org.h"
#include "cmd/settings.h"
#include "tenant/business_settings.h"

#include <stdio.h>
#include <string.h>

static int refused(const struct ai_fault *fault)
{
    fprintf(stderr, "frontdesk settings: %s%s%s\n", fault->field,
            fault->field[0] != '\0' ? ": " : "", fault->detail);
    return 1;
}

/* "name=value": a list, an object or null as JSON has them, all else as text. */
static bool assign(struct fd_json_writer *w, struct arena *a, const char *assignment,
                   struct ai_fault *fault)
{
    const char *equals = strchr(assignment, '=');
    struct fd_json_fault json_fault;
    char name[40];

    if (equals == NULL || (size_t)(equals - assignment) >= sizeof(name))
        return ai_refuse(fault, "", "%.60s must be written as name=value", assignment);
    snprintf(name, sizeof(name), "%.*s", (int)(equals - assignment), assignment);
    const char *value = equals + 1;
    fd_jw_key(w, name);
    if (*value != '[' && *value != '{' && strcmp(value, "null") != 0) {
        fd_jw_cstring(w, value);
        return true;
    }
    const struct fd_json *json = fd_json_parse(value, strlen(value), (struct fd_json_limits){0},
                                               arena_allocator(a), &json_fault);
    if (json == NULL)
        return ai_refuse(fault, name, "%s", fd_json_error_text(json_fault.error));
    fd_jw_json(w, json);
    return true;
}

static const struct fd_json *read_patch(const struct settings_business *c, struct arena *a,
                                        struct ai_fault *fault)
{
    const struct fd_json *patch = NULL;
    struct fd_json_fault json_fault;
    struct fd_json_writer w;
    struct buf text;
    bool ok = true;

    buf_init(&text, BUSINESS_JSON_MAX);
    buf_json(&text, &w);
    fd_jw_object(&w);
    for (int i = 0; i < c->count && ok; i++)
        ok = assign(&w, a, c->assignments[i], fault);
    fd_jw_end_object(&w);
    if (!buf_json_end(&text, &w) && ok)
        ok = ai_refuse(fault, "", "the change is too long");
    if (ok) {
        patch = fd_json_parse(text.data, text.len, (struct fd_json_limits){0}, arena_allocator(a),
                              &json_fault);
        if (patch == NULL)
            ai_refuse(fault, json_fault.where, "%s", fd_json_error_text(json_fault.error));
    }
    buf_free(&text);
    return patch;
}

static int set(const struct settings_business *c, const char *org, struct buf *out)
{
    struct ai_fault fault = {0};
    struct arena a;
    int rc = 0;

    arena_init(&a);
    const struct fd_json *patch = read_patch(c, &a, &fault);
    if (patch != NULL && business_settings_change(c->db, org, patch, &fault, out) != DB_OK)
        rc = cmd_complain("settings", c->db);
    else if (fault.detail[0] != '\0')
        rc = refused(&fault);
    else
        cmd_publish_org(c->db, c->config, org);
    arena_free(&a);
    return rc;
}

int settings_business_run(const struct settings_business *c, const char *org)
{
    struct buf out;
    int rc = 0;

    buf_init(&out, BUSINESS_JSON_MAX);
    if (c->count > 0)
        rc = set(c, org, &out);
    else if (business_settings_read(c->db, org, &out) != DB_OK)
        rc = cmd_complain("settings", c->db);
    if (rc == 0)
        puts(out.data);
    buf_free(&out);
    return rc;
}
