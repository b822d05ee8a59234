#include "core/config.h"
#include "core/config_table.h"
#include "core/address.h"
#include "core/arena.h"
#include "core/host_port.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define NAME_SIZE 64
#define DNS_PORT  53

static struct arena strings; /* for the life of the process */

static bool has_control(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return true;
    }
    return false;
}

static bool is_name(const char *s)
{
    return strlen(s) < NAME_SIZE &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
               strlen(s);
}

static bool is_url(const char *s)
{
    size_t scheme = strncasecmp(s, "https://", 8) == 0  ? 8
                    : strncasecmp(s, "http://", 7) == 0 ? 7
                                                        : 0;

    return scheme > 0 && s[scheme] != '\0' && strchr("/?#:", s[scheme]) == NULL &&
           strpbrk(s, " \"<>\\") == NULL;
}

/* The word of `choices` that equals s; they stand between bars. */
static bool is_choice(const char *choices, const char *s)
{
    const char *at = choices;
    size_t len = strlen(s);

    for (;;) {
        size_t word = strcspn(at, "|");

        if (word == len && memcmp(at, s, len) == 0)
            return true;
        if (at[word] == '\0')
            return false;
        at += word + 1;
    }
}

/* Where the members of struct config lie. */
static void set_string(struct config *config, const struct config_setting *setting,
                       const char *value)
{
    *(const char **)(void *)((char *)config + setting->offset) = value;
}

static bool set_int(struct config *config, const struct config_setting *setting, const char *text)
{
    char *end;
    long value;

    errno = 0;
    value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || (double)value < setting->min ||
        (double)value > setting->max)
        return false;
    *(int *)(void *)((char *)config + setting->offset) = (int)value;
    return true;
}

static bool set_double(struct config *config, const struct config_setting *setting,
                       const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !isfinite(value) || value < setting->min ||
        value > setting->max)
        return false;
    *(double *)(void *)((char *)config + setting->offset) = value;
    return true;
}

/* As Ollama itself reads OLLAMA_HOST. */
#define OLLAMA_PORT ":11434"

static bool has_port(const char *host)
{
    const char *end = strrchr(host, ']');
    return strpbrk(end != NULL ? end : host, ":/") != NULL;
}

static bool set_url(struct config *config, const struct config_setting *setting, const char *text)
{
    bool bare = setting->type == CONFIG_HOST && strstr(text, "://") == NULL;
    const char *port = bare && !has_port(text) ? OLLAMA_PORT : "";
    char *url = arena_printf(&strings, "%s%s%s", bare ? "http://" : "", text, port);
    size_t len = strlen(url);

    if (!is_url(url))
        return false;
    while (url[len - 1] == '/')
        url[--len] = '\0';
    set_string(config, setting, url);
    return true;
}

static bool set_checked(struct config *config, const struct config_setting *setting,
                        const char *text, bool ok)
{
    if (ok)
        set_string(config, setting, arena_strdup(&strings, text));
    return ok;
}

static bool set_value(struct config *config, const struct config_setting *setting, const char *text)
{
    struct address address;

    if (has_control(text))
        return false;
    switch (setting->type) {
    case CONFIG_STRING:
    case CONFIG_SECRET: return set_checked(config, setting, text, true);
    case CONFIG_NAME: return set_checked(config, setting, text, is_name(text));
    case CONFIG_CHOICE: return set_checked(config, setting, text, is_choice(setting->rule, text));
    case CONFIG_ADDRESS: return set_checked(config, setting, text, address_parse(text, &address));
    case CONFIG_URL:
    case CONFIG_HOST: return set_url(config, setting, text);
    case CONFIG_HOSTS:
        return set_checked(config, setting, text, host_port_list_valid(text, 0, false));
    case CONFIG_SERVERS:
        return set_checked(config, setting, text, host_port_list_valid(text, DNS_PORT, true));
    case CONFIG_INT: return set_int(config, setting, text);
    case CONFIG_DOUBLE: return set_double(config, setting, text);
    }
    return false;
}

/* "FRONTDESK_DB_THREADS is "x", but must be a whole number from 1 to 64" */
static void complain(const struct config_setting *setting, const char *value, FILE *out)
{
    fprintf(out, "%s ", setting->name);
    if (setting->type == CONFIG_SECRET || has_control(value))
        fputs("is not usable: it must be ", out);
    else
        fprintf(out, "is \"%s\", but must be ", value);
    config_print_rule(setting, out);
    fputc('\n', out);
}

static void set_defaults(struct config *config)
{
    char host[NAME_SIZE];

    memset(config, 0, sizeof(*config));
    for (size_t i = 0; i < config_setting_count; i++) {
        if (config_settings[i].otherwise != NULL)
            set_value(config, &config_settings[i], config_settings[i].otherwise);
    }
    if (gethostname(host, sizeof(host)) != 0 || host[0] == '\0' || !is_name(host))
        snprintf(host, sizeof(host), "worker");
    host[sizeof(host) - 1] = '\0';
    config->worker_name = arena_strdup(&strings, host);
}

static char *trim(char *s)
{
    size_t len;

    s += strspn(s, " \t");
    len = strlen(s);
    while (len > 0 && strchr(" \t\r\n", s[len - 1]) != NULL)
        s[--len] = '\0';
    return s;
}

static char *unquote(char *s)
{
    size_t len = strlen(s);

    if (len >= 2 && (s[0] == '"' || s[0] == '\'') && s[len - 1] == s[0]) {
        s[len - 1] = '\0';
        s++;
    }
    return s;
}

/* One line of the file into from_file[]; NULL, or what is wrong with it. */
static const char *read_line(char *line, const char **from_file)
{
    char *name = trim(line);
    char *equals = strchr(name, '=');
    size_t i = 0;

    if (*name == '\0' || *name == '#' || *name == ';')
        return NULL;
    if (equals == NULL)
        return "expected NAME=value";
    *equals = '\0';
    name = trim(name);
    while (i < config_setting_count && strcmp(config_settings[i].name, name) != 0)
        i++;
    if (i == config_setting_count)
        return "there is no variable of this name";
    from_file[i] = arena_strdup(&strings, unquote(trim(equals + 1)));
    return NULL;
}

static bool read_file(const char *path, const char **from_file, FILE *complaints)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    bool ok = true;

    if (file == NULL) {
        fprintf(complaints, "cannot read %s: %s\n", path, strerror(errno));
        return false;
    }
    for (int number = 1; getline(&line, &size, file) >= 0; number++) {
        const char *wrong = read_line(line, from_file);

        if (wrong != NULL) {
            fprintf(complaints, "%s:%d: %s\n", path, number, wrong);
            ok = false;
        }
    }
    if (ferror(file)) {
        fprintf(complaints, "cannot read %s: %s\n", path, strerror(errno));
        ok = false;
    }
    free(line);
    fclose(file);
    return ok;
}

bool config_load(struct config *config, const char *file, FILE *complaints)
{
    const char **from_file = arena_zalloc(&strings, config_setting_count * sizeof(*from_file));
    bool ok = file == NULL || read_file(file, from_file, complaints);

    set_defaults(config);
    for (size_t i = 0; i < config_setting_count; i++) {
        const char *value = getenv(config_settings[i].name);

        if (value == NULL || *value == '\0')
            value = from_file[i];
        if (value == NULL || *value == '\0')
            continue;
        if (!set_value(config, &config_settings[i], value)) {
            complain(&config_settings[i], value, complaints);
            ok = false;
        }
    }
    if (strcmp(config->llm_provider, "claude") == 0)
        config->llm_provider = "anthropic";
    return ok;
}
