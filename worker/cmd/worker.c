/* frontdesk worker: answers messages until SIGTERM. */
#include "cmd/cmd.h"

#include "chat/engine.h"
#include "core/log.h"
#include "core/loop.h"
#include "net/error_reporter.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static void on_signal(void *arg, int signo)
{
    log_info(NULL, "worker.signal", LOG_STR("signal", strsignal(signo)));
    engine_drain(arg);
}

/* The soft limit of a login is 1024, fewer than the answers of a busy worker. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            log_warn(NULL, "worker.files", LOG_STR("error", strerror(errno)));
    }
}

int cmd_worker(int argc, char **argv, const struct config *config)
{
    char error[256] = "";
    if (argc != 1)
        return cmd_usage(argv[0]);
    log_open("worker", log_level_named(config->log_level));
    raise_file_limit();
    struct loop *loop = loop_new();
    struct error_reporter *reporter = NULL;
    struct engine *engine = NULL;
    if (config->error_dsn == NULL ||
        (reporter = error_reporter_new(loop, config->error_dsn, error)) != NULL)
        engine = engine_new(config, loop, error);
    if (engine != NULL) {
        loop_on_signal(loop, SIGTERM, on_signal, engine);
        loop_on_signal(loop, SIGINT, on_signal, engine);
        loop_run(loop);
        engine_free(engine);
    } else {
        fprintf(stderr, "frontdesk worker: %s\n", error);
    }
    error_reporter_free(reporter);
    loop_free(loop);
    return engine != NULL ? 0 : 1;
}
