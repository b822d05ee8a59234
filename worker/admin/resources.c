#include "admin/resources.h"

const struct admin_resource *const admin_resources[] = {
    &admin_ai_settings, &admin_approvals, &admin_dry_run,      &admin_integrations, &admin_keys,
    &admin_knowledge,   &admin_models,    &admin_organization, &admin_tools,        &admin_usage,
};
const size_t admin_resource_count = sizeof(admin_resources) / sizeof(admin_resources[0]);
