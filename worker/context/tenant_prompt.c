#include "context/tenant_prompt.h"

#include "core/buf.h"

#define TOOL_NAMES_MAX 4096

static const char *tool_names(struct arena *a, const struct llm_tool *tools, size_t count)
{
    struct buf names;

    if (count == 0)
        return NULL;
    buf_init(&names, TOOL_NAMES_MAX);
    for (size_t i = 0; i < count; i++)
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", tools[i].name);
    const char *text = arena_strdup(a, names.data);
    buf_free(&names);
    return text;
}

struct prompt_values tenant_prompt(struct arena *a, const struct tenant *tenant,
                                   const struct llm_tool *tools, size_t tool_count,
                                   const char *language, int64_t now_ms)
{
    const struct business_info *business = &tenant->business;

    return (struct prompt_values){.org_name = tenant->name,
                                  .language = language,
                                  .tone = business->tone,
                                  .hours = business->hours,
                                  .timezone = business->timezone,
                                  .currency = business->currency,
                                  .contact = business->contact,
                                  .shipping_zones = business->shipping_zones,
                                  .own_text = tenant->own_prompt,
                                  .tools = tool_names(a, tools, tool_count),
                                  .now_ms = now_ms,
                                  .utc_offset_s = business->utc_offset_s};
}
