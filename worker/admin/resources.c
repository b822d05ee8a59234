#include "admin/resources.h"

const struct admin_resource *const admin_resources[] = {
    &admin_ai_endpoints,  &admin_ai_settings,    &admin_analytics,     &admin_approvals,
    &admin_audit,         &admin_auth,           &admin_auth_sessions, &admin_branding,
    &admin_business_info, &admin_canned_replies, &admin_channels,      &admin_conversations,
    &admin_dry_run,       &admin_events,         &admin_handoffs,      &admin_identity_secrets,
    &admin_installation,  &admin_integrations,   &admin_keys,          &admin_knowledge,
    &admin_models,        &admin_onboarding,     &admin_openapi,       &admin_organization,
    &admin_organizations, &admin_teams,          &admin_retention,     &admin_takeover,
    &admin_test_cases,    &admin_test_chat,      &admin_test_runs,     &admin_tools,
    &admin_usage,         &admin_visitors,       &admin_users,
};
const size_t admin_resource_count = sizeof(admin_resources) / sizeof(admin_resources[0]);
