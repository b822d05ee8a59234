/* frontdesk admin: serves the admin API behind nginx until SIGTERM. */
#include "cmd/cmd.h"

#include "admin/identity.h"
#include "admin/openapi.h"
#include "admin/resources.h"
#include "admin/server.h"
#include "core/arena.h"
#include "core/file.h"
#include "core/log.h"
#include "core/yaml.h"
#include "net/error_reporter.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define TOKEN_FILE_MAX 4096

static void on_signal(void *arg, int signo)
{
    log_info(NULL, "admin.signal", LOG_STR("signal", strsignal(signo)));
    server_drain(arg);
}

/* The token of the file, if one is named, without the line's end. */
static bool read_token(struct config *config, struct arena *a, char error[256])
{
    size_t len;

    if (config->admin_token != NULL || config->admin_token_file == NULL)
        return true;
    char *token = file_read(a, config->admin_token_file, TOKEN_FILE_MAX, &len, error);
    if (token == NULL)
        return false;
    token[strcspn(token, "\r\n")] = '\0';
    config->admin_token = token;
    return true;
}

static int print_routes(void)
{
    for (size_t i = 0; i < admin_resource_count; i++) {
        for (size_t k = 0; k < admin_resources[i]->count; k++) {
            const struct admin_route *route = &admin_resources[i]->routes[k];
            printf("%-6s  %-40s  %-10s  %-4s  %s\n", route->method, route->pattern,
                   admin_role_name(route->least), (route->flags & ADMIN_RAW) ? "raw" : "json",
                   (route->flags & ADMIN_OPEN)     ? "open"
                   : (route->flags & ADMIN_USER)   ? "user"
                   : (route->flags & ADMIN_ACCESS) ? "access"
                                                   : "-");
        }
    }
    return 0;
}

/* As YAML: docs/openapi.yaml. */
static int print_openapi(void)
{
    struct fd_json_limits limits = {.depth = 32, .nodes = 200000};
    struct fd_json_fault fault;
    struct buf json, yaml;
    const char *broken;
    struct arena a;

    arena_init(&a);
    buf_init(&json, OPENAPI_MAX);
    buf_init(&yaml, OPENAPI_MAX);
    bool ok = openapi_write(&json, &broken);
    const struct fd_json *document =
        ok ? fd_json_parse(json.data, json.len, limits, arena_allocator(&a), &fault) : NULL;
    if (document != NULL) {
        yaml_write(&yaml, document);
        ok = !yaml.over && fwrite(yaml.data, 1, yaml.len, stdout) == yaml.len;
    } else {
        fprintf(stderr, "frontdesk admin: the shape of %s is not well formed\n",
                broken != NULL ? broken : fault.where);
        ok = false;
    }
    buf_free(&yaml);
    buf_free(&json);
    arena_free(&a);
    return ok ? 0 : 1;
}

static int serve(const struct config *config)
{
    struct config own = *config;
    struct error_reporter *reporter = NULL;
    struct server *server = NULL;
    char error[256] = "";
    struct arena a;

    log_open("admin", log_level_named(config->log_level));
    arena_init(&a);
    struct loop *loop = loop_new();
    if (read_token(&own, &a, error) &&
        (own.error_dsn == NULL ||
         (reporter = error_reporter_new(loop, own.error_dsn, error)) != NULL))
        server = server_new(loop, &own, error);
    if (server != NULL) {
        loop_on_signal(loop, SIGTERM, on_signal, server);
        loop_on_signal(loop, SIGINT, on_signal, server);
        log_info(NULL, "admin.ready", LOG_STR("listen", own.admin_listen),
                 LOG_INT("threads", own.admin_threads));
        loop_run(loop);
        server_free(server);
    } else {
        fprintf(stderr, "frontdesk admin: %s\n", error);
    }
    error_reporter_free(reporter);
    loop_free(loop);
    arena_free(&a);
    return server != NULL ? 0 : 1;
}

int cmd_admin(int argc, char **argv, const struct config *config)
{
    if (argc == 2 && strcmp(argv[1], "--routes") == 0)
        return print_routes();
    if (argc == 2 && strcmp(argv[1], "--openapi") == 0)
        return print_openapi();
    return argc == 1 ? serve(config) : cmd_usage(argv[0]);
}
