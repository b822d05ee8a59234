/* Resources: every table of routes that the admin API serves. */
#ifndef FD_ADMIN_RESOURCES_H
#define FD_ADMIN_RESOURCES_H

#include "admin/admin.h"

extern const struct admin_resource admin_ai_endpoints;
extern const struct admin_resource admin_ai_settings;
extern const struct admin_resource admin_analytics;
extern const struct admin_resource admin_approvals;
extern const struct admin_resource admin_audit;
extern const struct admin_resource admin_auth;
extern const struct admin_resource admin_auth_sessions;
extern const struct admin_resource admin_branding;
extern const struct admin_resource admin_business_info;
extern const struct admin_resource admin_canned_replies;
extern const struct admin_resource admin_channels;
extern const struct admin_resource admin_conversations;
extern const struct admin_resource admin_dry_run;
extern const struct admin_resource admin_endpoints;
extern const struct admin_resource admin_events;
extern const struct admin_resource admin_handoffs;
extern const struct admin_resource admin_identity_secrets;
extern const struct admin_resource admin_installation;
extern const struct admin_resource admin_integrations;
extern const struct admin_resource admin_keys;
extern const struct admin_resource admin_knowledge;
extern const struct admin_resource admin_models;
extern const struct admin_resource admin_onboarding;
extern const struct admin_resource admin_openapi;
extern const struct admin_resource admin_organization;
extern const struct admin_resource admin_organizations;
extern const struct admin_resource admin_teams;
extern const struct admin_resource admin_retention;
extern const struct admin_resource admin_takeover;
extern const struct admin_resource admin_test_cases;
extern const struct admin_resource admin_test_chat;
extern const struct admin_resource admin_test_runs;
extern const struct admin_resource admin_tools;
extern const struct admin_resource admin_usage;
extern const struct admin_resource admin_visitors;
extern const struct admin_resource admin_users;

extern const struct admin_resource *const admin_resources[];
extern const size_t admin_resource_count;

#endif
