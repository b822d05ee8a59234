/*
 * Insights (ADM-6): the few things of a period that a person should look at first, by fixed rules.
 * Their text is the reader's to make, of a key and values.
 */
#ifndef FD_TENANT_INSIGHTS_H
#define FD_TENANT_INSIGHTS_H

#include "tenant/figures.h"
#include "tenant/knowledge_gaps.h"

/* What a tool did in the period. */
struct insight_tool {
    const char *name;
    int64_t calls;
    int64_t succeeded;
};

/* What a model cost in it. */
struct insight_model {
    const char *id;
    const char *name;
    int64_t cost_micro;
};

struct insight_facts {
    const struct figures *figures;
    const struct knowledge_gaps *gaps;
    const struct insight_tool *tools;
    size_t tool_count;
    const struct insight_model *models;
    size_t model_count;
};

/* The member "insights": [{kind, text_key, values, filter}] */
void insights_write(struct fd_json_writer *w, const struct insight_facts *facts);

#endif
