#include "cmd/settings.h"

#include "cmd/cmd.h"
#include "cmd/org.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#define KEY_FILE_MAX 1024

static int refused(const struct ai_fault *fault)
{
    fprintf(stderr, "frontdesk settings: %s%s%s\n", fault->field,
            fault->field[0] != '\0' ? ": " : "", fault->detail);
    return 1;
}

/* The first line of the file. False: it cannot be read. */
static bool read_key(const char *path, char key[KEY_FILE_MAX])
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "re");

    if (file == NULL || fgets(key, KEY_FILE_MAX, file) == NULL) {
        fprintf(stderr, "frontdesk settings: cannot read a key from %s\n",
                is_stdin ? "stdin" : path);
        if (file != NULL && !is_stdin)
            fclose(file);
        return false;
    }
    key[strcspn(key, "\r\n")] = '\0';
    if (!is_stdin)
        fclose(file);
    return true;
}

/* "name=value": numbers and null as JSON has them, all else as text. A key among them would
 * be seen by everybody who lists processes. */
static bool assign(struct fd_json_writer *w, const char *assignment, struct ai_fault *fault)
{
    const char *equals = strchr(assignment, '=');
    char name[40];

    if (equals == NULL || (size_t)(equals - assignment) >= sizeof(name))
        return ai_refuse(fault, "", "%.60s must be written as name=value", assignment);
    snprintf(name, sizeof(name), "%.*s", (int)(equals - assignment), assignment);
    if (strcmp(name, "api_key") == 0 && strcmp(equals + 1, "null") != 0)
        return ai_refuse(fault, name, "is given with --key FILE; - reads it from stdin");
    fd_jw_key(w, name);
    bool number = equals[1] != '\0' && strspn(equals + 1, "0123456789") == strlen(equals + 1);
    if (strcmp(equals + 1, "null") == 0)
        fd_jw_null(w);
    else if (number && strlen(equals + 1) < 10 && strcmp(name, "dimensions") == 0)
        fd_jw_raw(w, equals + 1, strlen(equals + 1));
    else
        fd_jw_cstring(w, equals + 1);
    return true;
}

static bool make_patch(const struct settings_endpoint *c, struct buf *text, struct ai_fault *fault)
{
    char key[KEY_FILE_MAX] = "";
    struct fd_json_writer w;
    bool ok = true;

    if (c->key_file != NULL && !read_key(c->key_file, key))
        return false;
    buf_json(text, &w);
    fd_jw_object(&w);
    if (c->key_file != NULL)
        fd_jw_member(&w, "api_key", key);
    for (int i = 0; i < c->count && ok; i++)
        ok = assign(&w, c->assignments[i], fault);
    fd_jw_end_object(&w);
    sodium_memzero(key, sizeof(key));
    if (!ok || !buf_json_end(text, &w)) {
        refused(fault);
        return false;
    }
    return true;
}

static int set(const struct settings_endpoint *c, const char *org, struct buf *out)
{
    struct ai_fault fault = {0};
    struct fd_json_fault json_fault;
    struct buf text;
    struct arena a;
    int rc = 1;

    arena_init(&a);
    buf_init(&text, AI_ENDPOINT_JSON_MAX);
    if (make_patch(c, &text, &fault)) {
        const struct fd_json *patch = fd_json_parse(text.data, text.len, (struct fd_json_limits){0},
                                                    arena_allocator(&a), &json_fault);
        if (patch == NULL)
            ai_refuse(&fault, json_fault.where, "%s", fd_json_error_text(json_fault.error));
        else if (ai_endpoint_change(c->db, c->config, org, c->kind, patch, &fault, out) != DB_OK)
            rc = cmd_complain("settings", c->db);
        else
            rc = 0;
        if (fault.detail[0] != '\0')
            rc = refused(&fault);
    }
    if (text.data != NULL)
        sodium_memzero(text.data, text.cap);
    buf_free(&text);
    arena_wipe(&a);
    if (rc == 0) {
        cmd_publish_org(c->db, c->config, org);
        puts(out->data);
    }
    return rc;
}

static int print_found(const struct settings_endpoint *c, enum db_status status, bool found,
                       const struct buf *out)
{
    if (status != DB_OK)
        return cmd_complain("settings", c->db);
    if (!found) {
        fputs("frontdesk settings: none is set\n", stderr);
        return 1;
    }
    if (out->len > 0)
        puts(out->data);
    return 0;
}

int settings_endpoint_run(const struct settings_endpoint *c, const char *org)
{
    enum db_status status;
    bool found = true;
    struct buf out;
    int rc = CMD_USAGE;

    buf_init(&out, AI_ENDPOINT_JSON_MAX);
    if (strcmp(c->verb, "set") == 0 && (c->count > 0 || c->key_file != NULL)) {
        rc = set(c, org, &out);
    } else if (strcmp(c->verb, "show") == 0 && c->count == 0) {
        status = ai_endpoint_show(c->db, org, c->kind, &out);
        rc = print_found(c, status, true, &out);
    } else if (strcmp(c->verb, "test") == 0 && c->count == 0) {
        status = ai_endpoint_test(c->db, c->config, org, c->kind, &found, &out);
        rc = print_found(c, status, found, &out);
    } else if (strcmp(c->verb, "remove") == 0 && c->count == 0) {
        status = ai_endpoint_remove(c->db, org, c->kind, &found);
        rc = print_found(c, status, found, &out);
        if (rc == 0)
            cmd_publish_org(c->db, c->config, org);
    }
    buf_free(&out);
    return rc == CMD_USAGE ? cmd_usage("settings") : rc;
}
