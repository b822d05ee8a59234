/*
 * Commands: `frontdesk [--config FILE] COMMAND ...`. Each takes its own arguments,
 * argv[0] being the command's name, and returns the exit status: 0, 1 for what went
 * wrong, CMD_USAGE for how it was called.
 */
#ifndef FD_CMD_CMD_H
#define FD_CMD_CMD_H

#include "core/config.h"

#define CMD_USAGE 2

int cmd_worker(int argc, char **argv, const struct config *config);
int cmd_admin(int argc, char **argv, const struct config *config);
int cmd_migrate(int argc, char **argv, const struct config *config);
int cmd_seed(int argc, char **argv, const struct config *config);
int cmd_key(int argc, char **argv, const struct config *config);
int cmd_identity(int argc, char **argv, const struct config *config);
int cmd_integration(int argc, char **argv, const struct config *config);
int cmd_vault(int argc, char **argv, const struct config *config);
int cmd_plan(int argc, char **argv, const struct config *config);
int cmd_budget(int argc, char **argv, const struct config *config);
int cmd_usage_report(int argc, char **argv, const struct config *config);
int cmd_dry_run(int argc, char **argv, const struct config *config);
int cmd_prompt(int argc, char **argv, const struct config *config);
int cmd_knowledge(int argc, char **argv, const struct config *config);
int cmd_models(int argc, char **argv, const struct config *config);
int cmd_settings(int argc, char **argv, const struct config *config);
int cmd_route(int argc, char **argv, const struct config *config);
int cmd_doctor(int argc, char **argv, const struct config *config);
int cmd_approvals(int argc, char **argv, const struct config *config);
int cmd_jobs(int argc, char **argv, const struct config *config);
int cmd_visitor(int argc, char **argv, const struct config *config);
int cmd_retention(int argc, char **argv, const struct config *config);
int cmd_conversations(int argc, char **argv, const struct config *config);
int cmd_org(int argc, char **argv, const struct config *config);
int cmd_user(int argc, char **argv, const struct config *config);
int cmd_test_cases(int argc, char **argv, const struct config *config);
int cmd_tool(int argc, char **argv, const struct config *config);

/* Prints how the command is used, to stderr; returns CMD_USAGE. */
int cmd_usage(const char *command);

#endif
