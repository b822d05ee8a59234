/* frontdesk user: the people who sign in (ADM-1). No password is ever an argument. */
#include "cmd/cmd.h"
#include "cmd/trace.h"
#include "cmd/org.h"
#include "core/arena.h"
#include "core/buf.h"
#include "tenant/audit.h"
#include "tenant/password.h"
#include "tenant/publish_sessions.h"
#include "tenant/sign_in.h"
#include "tenant/user_sessions.h"
#include "tenant/users.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RANK_ALL 4 /* whoever runs commands is above every role */

struct user_command {
    const struct config *config;
    struct db *db;
    const char *verb;
    const char *words[2];
    const char *given_org;
    char org[37];
    const char *email;
    const char *name;
    const char *role;
    bool generate;
    bool json;
};

static bool parse(int argc, char **argv, struct user_command *c)
{
    static const struct option known[] = {{"org", required_argument, NULL, 'o'},
                                          {"email", required_argument, NULL, 'e'},
                                          {"name", required_argument, NULL, 'n'},
                                          {"role", required_argument, NULL, 'r'},
                                          {"generate", no_argument, NULL, 'g'},
                                          {"json", no_argument, NULL, 'j'},
                                          {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'o': c->given_org = optarg; break;
        case 'e': c->email = optarg; break;
        case 'n': c->name = optarg; break;
        case 'r': c->role = optarg; break;
        case 'g': c->generate = true; break;
        case 'j': c->json = true; break;
        default: return false;
        }
    }
    c->verb = optind < argc ? argv[optind++] : "";
    for (size_t i = 0; i < 2 && optind < argc; i++)
        c->words[i] = argv[optind++];
    return optind == argc;
}

/* Of stdin, or made and shown. */
static bool take_password(const struct user_command *c, char password[PASSWORD_MAX + 2])
{
    if (c->generate) {
        password_generate(password);
        fprintf(stderr, "the password, not shown again:\n");
        printf("%s\n", password);
        return true;
    }
    if (isatty(STDIN_FILENO))
        fprintf(stderr, "password (it is shown as you type; --generate makes one): ");
    if (fgets(password, PASSWORD_MAX + 2, stdin) == NULL) {
        fprintf(stderr, "frontdesk user: there is no password on stdin\n");
        return false;
    }
    password[strcspn(password, "\r\n")] = '\0';
    return true;
}

static void note(const struct user_command *c, const char *action, const char *verb, const char *id)
{
    char thing[sizeof("users/") + 37];
    const struct audit_entry entry = {.org = c->org,
                                      .actor = trace_actor(),
                                      .action = action,
                                      .target = id,
                                      .deed = {"users", verb},
                                      .thing = thing};

    snprintf(thing, sizeof(thing), "users/%s", id);

    if (audit_write(c->db, &entry) != DB_OK)
        fprintf(stderr, "warning: no audit row was written: %s\n", db_error(c->db));
}

static void tell_ended(const struct user_command *c, PGresult *ended)
{
    struct arena a;
    char error[256] = "";

    arena_init(&a);
    if (!publish_sessions(c->config, ended_sessions_copy(&a, ended), error))
        fprintf(stderr,
                "warning: the user's sessions have ended, but nginx does not know yet (%s); it\n"
                "learns of it when a worker synchronises\n",
                error);
    arena_free(&a);
    PQclear(ended);
}

static int create(struct user_command *c)
{
    char password[PASSWORD_MAX + 2], id[37];

    if (c->email == NULL || c->role == NULL || c->words[0] != NULL)
        return cmd_usage("user");
    if (!take_password(c, password))
        return 1;
    const struct user_new user = {
        .org = c->org, .email = c->email, .name = c->name, .role = c->role, .password = password};
    enum db_status status = users_create(c->db, &user, RANK_ALL, id);
    sodium_memzero(password, sizeof(password));
    if (status == DB_CONFLICT && db_sqlstate(c->db)[0] != '\0') {
        fprintf(stderr, "frontdesk user: there is a user with this e-mail address\n");
        return 1;
    }
    if (status != DB_OK)
        return cmd_complain("user", c->db);
    note(c, "user create", "create", id);
    fprintf(stderr, "user %s\n", id);
    return 0;
}

static int list(struct user_command *c)
{
    static const char *const members[] = {"id", "email", "name", "role", "status"};
    struct fd_json_writer w;
    struct buf json;
    PGresult *users;

    if (c->words[0] != NULL)
        return cmd_usage("user");
    if (users_list(c->db, c->org, NULL, INT_MAX, &users) != DB_OK)
        return cmd_complain("user", c->db);
    buf_init(&json, 64u << 20);
    buf_json(&json, &w);
    fd_jw_array(&w);
    for (int row = 0; row < PQntuples(users); row++) {
        fd_jw_object(&w);
        for (int i = USER_ID; i <= USER_STATUS; i++)
            fd_jw_member(&w, members[i], db_text(users, row, i));
        fd_jw_member_bool(&w, "superadmin", db_true(users, row, USER_SUPERADMIN));
        fd_jw_member(&w, "last_sign_in_at", db_text(users, row, USER_LAST_SIGN_IN_AT));
        fd_jw_end_object(&w);
        if (!c->json)
            printf("%-40s  %-6s  %-8s  %s\n", db_text(users, row, USER_EMAIL),
                   db_text(users, row, USER_ROLE), db_text(users, row, USER_STATUS),
                   db_text(users, row, USER_ID));
    }
    fd_jw_end_array(&w);
    if (c->json && buf_json_end(&json, &w))
        printf("%s\n", json.data);
    buf_free(&json);
    PQclear(users);
    return 0;
}

static int set_password(struct user_command *c)
{
    char password[PASSWORD_MAX + 2], id[37];
    PGresult *ended;

    if (c->words[0] == NULL || c->words[1] != NULL)
        return cmd_usage("user");
    if (users_find(c->db, c->org, c->words[0], id) != DB_OK)
        return cmd_complain("user", c->db);
    if (!take_password(c, password))
        return 1;
    enum db_status status = users_set_password(c->db, c->org, id, password, NULL, &ended);
    sodium_memzero(password, sizeof(password));
    if (status != DB_OK)
        return cmd_complain("user", c->db);
    tell_ended(c, ended);
    note(c, "user password", "password", id);
    return 0;
}

static int change(struct user_command *c, const struct user_change *change)
{
    PGresult *ended;
    char id[37];

    if (users_find(c->db, c->org, c->words[0], id) != DB_OK ||
        users_change(c->db, c->org, id, change, RANK_ALL, &ended) != DB_OK)
        return cmd_complain("user", c->db);
    tell_ended(c, ended);
    note(c, change->role != NULL ? "user role" : "user status",
         change->role != NULL ? "role" : c->verb, id);
    return 0;
}

static int set_role(struct user_command *c)
{
    return c->words[1] != NULL ? change(c, &(struct user_change){.role = c->words[1]})
                               : cmd_usage("user");
}

static int disable(struct user_command *c)
{
    return c->words[0] != NULL && c->words[1] == NULL
               ? change(c, &(struct user_change){.status = "disabled"})
               : cmd_usage("user");
}

static int enable(struct user_command *c)
{
    return c->words[0] != NULL && c->words[1] == NULL
               ? change(c, &(struct user_change){.status = "active"})
               : cmd_usage("user");
}

static int reset_token(struct user_command *c)
{
    char id[37], token[SIGN_IN_TOKEN_SIZE];

    if (c->words[0] == NULL || c->words[1] != NULL)
        return cmd_usage("user");
    if (users_find(c->db, c->org, c->words[0], id) != DB_OK ||
        reset_token_make(c->db, c->org, id, RANK_ALL, token) != DB_OK)
        return cmd_complain("user", c->db);
    note(c, "user reset-token", "reset", id);
    printf("%s\n", token);
    fprintf(stderr, "good once, for an hour: POST /api/admin/auth/reset\n");
    return 0;
}

static int setup_token(struct user_command *c)
{
    char token[SIGN_IN_TOKEN_SIZE];

    if (c->words[0] != NULL)
        return cmd_usage("user");
    if (setup_token_make(c->db, token) != DB_OK)
        return cmd_complain("user", c->db);
    printf("%s\n", token);
    fprintf(stderr, "good once, for a day: POST /api/admin/auth/setup\n");
    return 0;
}

static enum db_status put_superadmin(struct db *owner, const char *org, const char *id,
                                     const char *on, PGresult **ended)
{
    static const struct db_statement set = {
        "user_superadmin",
        "UPDATE users SET superadmin = $3::boolean WHERE org_id = $1 AND id = $2", 3};
    const char *params[] = {org, id, on};

    enum db_status status = db_begin(owner, org);
    if (status == DB_OK)
        status = db_exec(owner, &set, params, NULL);
    if (status == DB_OK)
        status = users_end_access(owner, org, id, NULL, "role or status changed", ended);
    return db_end(owner, status);
}

/* The application's role may not do this, whatever goes wrong in it. */
static int superadmin(struct user_command *c)
{
    PGresult *ended = NULL;
    char id[37];

    if (c->words[1] == NULL || (strcmp(c->words[1], "on") != 0 && strcmp(c->words[1], "off") != 0))
        return cmd_usage("user");
    if (c->config->owner_database_url == NULL) {
        fprintf(stderr, "frontdesk user: FRONTDESK_OWNER_DATABASE_URL is not set\n");
        return 1;
    }
    if (users_find(c->db, c->org, c->words[0], id) != DB_OK)
        return cmd_complain("user", c->db);
    struct db *owner = db_new(c->config->owner_database_url, "frontdesk user");
    enum db_status status = put_superadmin(owner, c->org, id, c->words[1], &ended);
    int rc = status == DB_OK ? 0 : cmd_complain("user", owner);
    db_free(owner);
    if (rc == 0) {
        tell_ended(c, ended);
        note(c, "user superadmin", "superadmin", id);
    }
    return rc;
}

int cmd_user(int argc, char **argv, const struct config *config)
{
    static const struct {
        const char *verb;
        int (*run)(struct user_command *c);
        bool platform; /* of no organisation */
    } verbs[] = {{"create", create, false},           {"list", list, false},
                 {"password", set_password, false},   {"role", set_role, false},
                 {"disable", disable, false},         {"enable", enable, false},
                 {"reset-token", reset_token, false}, {"superadmin", superadmin, false},
                 {"setup-token", setup_token, true}};
    struct user_command c = {.config = config};

    if (!parse(argc, argv, &c))
        return cmd_usage("user");
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(c.verb, verbs[i].verb) != 0)
            continue;
        if (verbs[i].platform == (c.given_org != NULL))
            return cmd_usage("user");
        c.db = db_new(config->database_url, "frontdesk user");
        bool found = verbs[i].platform || cmd_find_org(c.db, "user", c.given_org, c.org);
        int rc = found ? verbs[i].run(&c) : 1;
        db_free(c.db);
        return rc;
    }
    return cmd_usage("user");
}
