#include "cmd/cmd.h"

#include <getopt.h>
#include <signal.h>
#include <string.h>

#include <sodium.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv, const struct config *config);
    const char *summary;
    const char *usage;
};

static const struct command commands[] = {
    {"worker", cmd_worker, "answer messages until SIGTERM",
     "frontdesk worker\n"
     "    SIGTERM lets running answers end (FRONTDESK_DRAIN_MS); a second one does not.\n"},
    {"migrate", cmd_migrate, "bring the database's tables up to date",
     "frontdesk migrate [up]      apply what is missing\n"
     "frontdesk migrate status    show what is applied and what is not\n"},
    {"seed", cmd_seed, "load the models' prices, and a demo organisation",
     "frontdesk seed [--models FILE]\n"
     "frontdesk seed --demo [--origin ORIGIN]... [--keys-file FILE] [--dir DIR]\n"
     "    --origin ORIGIN     a site that may use the publishable key, such as\n"
     "                        https://shop.example\n"
     "    --keys-file FILE    write the new keys there instead of showing them\n"
     "    --dir DIR           where the demo's content is\n"
     "    --models FILE       where the models' prices are\n"},
    {"key", cmd_key, "create, list, rotate and revoke API keys",
     "frontdesk key create --org NAME --name NAME --kind pk|sk [--origin ORIGIN]... [--json]\n"
     "frontdesk key list [--org NAME] [--json]\n"
     "frontdesk key rotate KEY_ID [--overlap 24h] [--json]\n"
     "frontdesk key revoke KEY_ID\n"
     "    A key is shown once, when it is made.\n"},
    {"doctor", cmd_doctor, "check settings, PostgreSQL, Redis and the provider",
     "frontdesk doctor [--json]\n"
     "    Ends with 1 when something needs repair.\n"},
    {"jobs", cmd_jobs, "show, retry and drop jobs that failed for good",
     "frontdesk jobs list\n"
     "frontdesk jobs show JOB_ID\n"
     "frontdesk jobs retry JOB_ID\n"
     "frontdesk jobs drop JOB_ID\n"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static void print_overview(FILE *out)
{
    fputs("usage: frontdesk [--config FILE] COMMAND [ARGUMENT]...\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "    %-10s%s\n", commands[i].name, commands[i].summary);
    fputs("    help      how a command is used; `help config` lists every setting\n"
          "    version   which version this is\n"
          "\n"
          "Settings come from the environment, else from FILE.\n",
          out);
}

int cmd_usage(const char *command)
{
    const struct command *found = find_command(command);

    if (found != NULL)
        fputs(found->usage, stderr);
    else
        print_overview(stderr);
    return CMD_USAGE;
}

static int help(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2) {
        print_overview(stdout);
        return 0;
    }
    if (strcmp(argv[1], "config") == 0) {
        config_print_example(stdout);
        return 0;
    }
    command = find_command(argv[1]);
    if (command == NULL) {
        fprintf(stderr, "frontdesk: there is no command \"%s\"\n", argv[1]);
        return cmd_usage(argv[1]);
    }
    fputs(command->usage, stdout);
    return 0;
}

static int run(int argc, char **argv, const char *file)
{
    const struct command *command;
    struct config config;

    if (strcmp(argv[0], "help") == 0)
        return help(argc, argv);
    if (strcmp(argv[0], "version") == 0) {
        puts("frontdesk " FRONTDESK_VERSION);
        return 0;
    }
    command = find_command(argv[0]);
    if (command == NULL) {
        fprintf(stderr, "frontdesk: there is no command \"%s\"\n", argv[0]);
        return cmd_usage(argv[0]);
    }
    if (!config_load(&config, file, stderr))
        return 1;
    optind = 0; /* the command reads its own options from the start */
    return command->run(argc, argv, &config);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    const char *file = NULL;
    int option;

    signal(SIGPIPE, SIG_IGN);
    if (sodium_init() < 0) {
        fputs("frontdesk: libsodium cannot start\n", stderr);
        return 1;
    }
    /* "+": what stands behind the command is the command's */
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        switch (option) {
        case 'c': file = optarg; break;
        case 'h': print_overview(stdout); return 0;
        case 'v': puts("frontdesk " FRONTDESK_VERSION); return 0;
        default: return cmd_usage("");
        }
    }
    if (optind == argc) {
        print_overview(stderr);
        return CMD_USAGE;
    }
    return run(argc - optind, argv + optind, file);
}
