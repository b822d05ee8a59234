#include "cmd/integration.h"

#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct integration_command, member)

/* Every option with a text, and where it goes. */
static const struct {
    const char *name;
    size_t offset;
} texts[] = {
    {"org", AT(given_org)},
    {"type", AT(type)},
    {"url", AT(url)},
    {"auth", AT(auth)},
    {"settings", AT(settings)},
    {"credentials", AT(credentials)},
    {"prefix", AT(prefix)},
    {"api-version", AT(api_version)},
    {"description", AT(description)},
    {"method", AT(method)},
    {"query", AT(query)},
    {"risk", AT(risk)},
    {"schema", AT(schema)},
    {"bindings", AT(bindings)},
    {"config", AT(endpoint_config)},
};

#define TEXTS (sizeof(texts) / sizeof(texts[0]))
enum { JSON = 256, LIMIT };

static void fill(struct option options[TEXTS + 3])
{
    for (size_t i = 0; i < TEXTS; i++)
        options[i] = (struct option){texts[i].name, required_argument, NULL, (int)i + 1};
    options[TEXTS] = (struct option){"json", no_argument, NULL, JSON};
    options[TEXTS + 1] = (struct option){"limit", required_argument, NULL, LIMIT};
    options[TEXTS + 2] = (struct option){0};
}

static bool take_limit(struct integration_command *c)
{
    char *end;
    long value = strtol(optarg, &end, 10);

    if (end == optarg || *end != '\0' || value < 1 || value > 1000)
        return false;
    c->lines = (int)value;
    return true;
}

bool integration_command_parse(int argc, char **argv, struct integration_command *c)
{
    struct option options[TEXTS + 3];
    int option;

    fill(options);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == JSON)
            c->json = true;
        else if (option == LIMIT && !take_limit(c))
            return false;
        else if (option >= 1 && option <= (int)TEXTS)
            *(const char **)(void *)((char *)c + texts[option - 1].offset) = optarg;
        else if (option != LIMIT)
            return false;
    }
    c->group = optind < argc && strcmp(argv[optind], "endpoint") == 0 ? argv[optind++] : "";
    c->verb = optind < argc ? argv[optind++] : "";
    c->name = optind < argc ? argv[optind++] : NULL;
    c->endpoint = optind < argc ? argv[optind++] : NULL;
    return optind == argc && c->given_org != NULL;
}
