/*
 * Plan: what organisations of a plan may use, and the caps that hold for one of them
 * (ENG-16). What is set here an operator or the organisation's admin has set; what is
 * spent is chat/budget.h's.
 */
#ifndef FD_TENANT_PLAN_H
#define FD_TENANT_PLAN_H

#include "core/buf.h"
#include "db/db.h"
#include "tenant/alert_secret.h"

struct plan {
    char name[64];
    int requests_per_minute;
    int concurrent_chats;
    int messages_per_month; /* 0 = as many as they like */
    int64_t monthly_micro;  /* budget; -1 = none */
    bool throttles;         /* at the quota: slower; else refused */
};

#define PLANS_MAX 64

enum db_status plan_list(struct db *db, struct plan plans[PLANS_MAX], size_t *count);

/* What is NULL stays; "none" takes a budget away. DB_FAILED with db_error(): a value is
 * not possible, or there is no such plan. */
struct plan_change {
    const char *requests_per_minute;
    const char *concurrent_chats;
    const char *messages_per_month;
    const char *monthly_budget;
    const char *at_limit;
};
/* As the role that owns the tables: what workers sign in as may not change plans. */
enum db_status plan_change(struct db *db, const char *plan, const struct plan_change *change);
/* The organisation is on this plan from now on; publish_org() carries it to Redis. */
enum db_status plan_assign(struct db *db, const char *org, const char *plan);

/* -- the caps of one organisation ------------------------------------------------------- */

/* Micro-dollars; -1 = no such cap. */
struct budget_view {
    char plan[64];
    bool throttles;
    int64_t monthly_micro; /* what holds: the least of the next two */
    int64_t own_micro;     /* set by the organisation */
    int64_t allowed_micro; /* by its plan, or by the operator in the plan's place */
    int64_t session_micro;
    int64_t user_micro;
    int64_t spent_micro; /* this month */
    int64_t held_micro;  /* for answers being written */
    int percent;         /* of the budget; -1 = there is none */
    int64_t messages;    /* this month */
    int64_t quota;       /* 0 = none */
    char *webhook_url;   /* NULL = none; free with budget_view_free() */
};

/* DB_FAILED with db_error(): no such organisation. */
enum db_status budget_show(struct db *db, const char *org, struct budget_view *view);
void budget_view_free(struct budget_view *view);
bool budget_view_json(const struct budget_view *view, struct buf *out);

/* Amounts in dollars as people write them. NULL: stays; "none": taken away. */
struct budget_change {
    const char *monthly;
    const char *session;
    const char *user;
    const char *allowed;        /* the operator's: in the plan's place; "plan" gives it back */
    const char *webhook_url;    /* of alerts; "none" takes its secret away, too */
    const char *webhook_secret; /* NULL with a new URL: one is made, into made_secret */
    const char *vault_keys;     /* the file that seals it */
    char made_secret[ALERT_SECRET_SIZE];
};
/* DB_FAILED with db_error(): which value is wrong, and what would be right. */
enum db_status budget_set(struct db *db, const char *org, struct budget_change *change);

#endif
