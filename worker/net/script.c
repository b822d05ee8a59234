#include "net/script.h"
#include "core/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHA1_HEX_LEN 40

struct script_set {
    struct redis *redis;
    char sha[FD_SCRIPTS][SHA1_HEX_LEN + 1]; /* "" = not known */
    unsigned refs;                          /* the owner, and every call on its way */
};

/* What a call needs to be sent again: Redis may forget scripts at any time. */
struct call {
    struct script_set *set;
    enum fd_script script;
    redis_reply_fn *fn;
    void *arg;
    int argc;
    const char **argv; /* [0] and [1] are the command and the script */
    size_t *argvlen;
};

struct load {
    struct script_set *set;
    enum fd_script script;
};

struct script_set *script_set_new(struct redis *redis)
{
    struct script_set *set = calloc(1, sizeof(*set));

    if (set == NULL)
        return NULL;
    set->redis = redis;
    set->refs = 1;
    return set;
}

static void unref(struct script_set *set)
{
    if (--set->refs == 0)
        free(set);
}

void script_set_free(struct script_set *set)
{
    if (set != NULL)
        unref(set);
}

static void on_loaded(void *arg, const redisReply *reply)
{
    struct load *load = arg;
    struct script_set *set = load->set;

    if (reply != NULL && reply->type == REDIS_REPLY_STRING && reply->len == SHA1_HEX_LEN)
        memcpy(set->sha[load->script], reply->str, SHA1_HEX_LEN + 1);
    else if (reply != NULL)
        log_error(NULL, "script.not_loaded",
                  LOG_STR("script", fd_script_sources[load->script].name),
                  LOG_STR("why", reply->type == REDIS_REPLY_ERROR ? reply->str : "odd reply"));
    unref(set);
    free(load);
}

static void load_one(struct script_set *set, enum fd_script script)
{
    const struct fd_script_source *source = &fd_script_sources[script];
    const char *argv[] = {"SCRIPT", "LOAD", source->text};
    const size_t argvlen[] = {6, 4, source->len};
    struct load *load = malloc(sizeof(*load));

    set->sha[script][0] = '\0';
    if (load == NULL)
        return; /* calls send the whole text until it is known */
    *load = (struct load){set, script};
    set->refs++;
    if (!redis_command(set->redis, on_loaded, load, 3, argv, argvlen)) {
        unref(set);
        free(load);
    }
}

void script_set_load(struct script_set *set)
{
    for (int script = 0; script < FD_SCRIPTS; script++)
        load_one(set, (enum fd_script)script);
}

static void call_free(struct call *call)
{
    unref(call->set);
    free(call);
}

static bool call_send(struct call *call);

static void on_answer(void *arg, const redisReply *reply)
{
    struct call *call = arg;
    bool forgotten = reply != NULL && reply->type == REDIS_REPLY_ERROR &&
                     strncmp(reply->str, "NOSCRIPT", 8) == 0;

    if (forgotten) {
        load_one(call->set, call->script);
        if (call_send(call))
            return;
        reply = NULL;
    }
    if (call->fn != NULL)
        call->fn(call->arg, reply);
    call_free(call);
}

/* By hash where it is known, else with the text, which no server can miss. */
static bool call_send(struct call *call)
{
    const struct fd_script_source *source = &fd_script_sources[call->script];
    bool known = call->set->sha[call->script][0] != '\0';

    call->argv[0] = known ? "EVALSHA" : "EVAL";
    call->argvlen[0] = known ? 7 : 4;
    call->argv[1] = known ? call->set->sha[call->script] : source->text;
    call->argvlen[1] = known ? SHA1_HEX_LEN : source->len;
    return redis_command(call->set->redis, on_answer, call, call->argc, call->argv, call->argvlen);
}

/* One block: the call, the two arrays, the number of keys, the arguments' bytes. */
static struct call *call_new(struct script_set *set, enum fd_script script, int nkeys, int argc,
                             const char **argv, const size_t *argvlen)
{
    size_t words = (size_t)argc + 3;
    char number[16];
    size_t bytes = (size_t)snprintf(number, sizeof(number), "%d", nkeys);
    size_t number_len = bytes;
    struct call *call;
    char *at;

    for (int i = 0; i < argc; i++)
        bytes += argvlen != NULL ? argvlen[i] : strlen(argv[i]);
    call = malloc(sizeof(*call) + words * (sizeof(*call->argv) + sizeof(*call->argvlen)) + bytes);
    if (call == NULL)
        return NULL;
    call->set = set;
    call->script = script;
    call->argc = (int)words;
    call->argv = (const char **)(call + 1);
    call->argvlen = (size_t *)(call->argv + words);
    at = (char *)(call->argvlen + words);
    call->argv[2] = memcpy(at, number, number_len);
    call->argvlen[2] = number_len;
    at += number_len;
    for (int i = 0; i < argc; i++) {
        size_t len = argvlen != NULL ? argvlen[i] : strlen(argv[i]);

        call->argv[i + 3] = len > 0 ? memcpy(at, argv[i], len) : at;
        call->argvlen[i + 3] = len;
        at += len;
    }
    return call;
}

bool script_call(struct script_set *set, enum fd_script script, redis_reply_fn *fn, void *arg,
                 int nkeys, int argc, const char **argv, const size_t *argvlen)
{
    struct call *call;

    if (!redis_up(set->redis))
        return false;
    call = call_new(set, script, nkeys, argc, argv, argvlen);
    if (call == NULL)
        return false;
    call->fn = fn;
    call->arg = arg;
    set->refs++;
    if (call_send(call))
        return true;
    call_free(call);
    return false;
}
