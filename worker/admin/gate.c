#include "admin/gate.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define STREAMS_MAX     16
#define STREAMS_EACH    4
#define LINE_MAX        24 /* of one organisation's quick ones */
#define HALF_OF(number) ((number) > 1 ? (number) / 2 : 1)

struct gate_rule {
    size_t all, each; /* at a time */
    size_t line;      /* of each; may stand behind */
};

struct gate {
    struct gate_rule rules[GATE_KINDS];
    struct gate_pass *inside; /* in no order */
    struct gate_pass *line;   /* whoever came first stands first */
};

struct gate *gate_new(int threads)
{
    struct gate *gate = calloc(1, sizeof(*gate));
    if (gate == NULL)
        abort();
    size_t half = HALF_OF((size_t)threads);
    gate->rules[GATE_QUICK] = (struct gate_rule){.all = SIZE_MAX, .each = half, .line = LINE_MAX};
    gate->rules[GATE_WAITS] = (struct gate_rule){.all = half, .each = 1};
    gate->rules[GATE_STREAM] = (struct gate_rule){.all = STREAMS_MAX, .each = STREAMS_EACH};
    return gate;
}

void gate_free(struct gate *gate)
{
    free(gate);
}

static bool is_of(const struct gate_pass *pass, const char *org)
{
    return pass->org != NULL && org != NULL && strcmp(pass->org, org) == 0;
}

/* org NULL: of all. */
static size_t count(const struct gate_pass *list, enum gate_kind kind, const char *org)
{
    size_t found = 0;

    for (; list != NULL; list = list->next)
        found += list->kind == kind && (org == NULL || is_of(list, org));
    return found;
}

static enum gate_verdict judge(const struct gate *gate, const struct gate_pass *pass)
{
    const struct gate_rule *rule = &gate->rules[pass->kind];

    if (pass->org != NULL && count(gate->inside, pass->kind, pass->org) >= rule->each)
        return GATE_FULL_OF_YOURS;
    return count(gate->inside, pass->kind, NULL) >= rule->all ? GATE_FULL : GATE_IN;
}

static void let_in(struct gate *gate, struct gate_pass *pass)
{
    pass->next = gate->inside;
    gate->inside = pass;
    pass->go(pass->arg);
}

enum gate_verdict gate_enter(struct gate *gate, struct gate_pass *pass)
{
    enum gate_verdict verdict = judge(gate, pass);

    if (verdict == GATE_IN) {
        let_in(gate, pass);
    } else if (count(gate->line, pass->kind, pass->org) < gate->rules[pass->kind].line) {
        struct gate_pass **end = &gate->line;
        while (*end != NULL)
            end = &(*end)->next;
        pass->next = NULL;
        *end = pass;
        verdict = GATE_IN;
    }
    return verdict;
}

static bool take_out(struct gate_pass **list, const struct gate_pass *pass)
{
    while (*list != NULL && *list != pass)
        list = &(*list)->next;
    if (*list == NULL)
        return false;
    *list = pass->next;
    return true;
}

void gate_leave(struct gate *gate, struct gate_pass *pass)
{
    if (!take_out(&gate->inside, pass))
        return;
    for (struct gate_pass *next = gate->line; next != NULL; next = next->next) {
        if (judge(gate, next) == GATE_IN) {
            take_out(&gate->line, next);
            let_in(gate, next);
            return;
        }
    }
}
