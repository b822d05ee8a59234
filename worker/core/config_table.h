/* Config table: every setting, once. What config.c loads and the example shows. */
#ifndef FD_CORE_CONFIG_TABLE_H
#define FD_CORE_CONFIG_TABLE_H

#include <stddef.h>
#include <stdio.h>

enum config_type {
    CONFIG_STRING,
    CONFIG_SECRET,  /* never shown */
    CONFIG_NAME,    /* goes into Redis keys and logs */
    CONFIG_CHOICE,  /* one of `rule` */
    CONFIG_ADDRESS, /* unix:/path or IP:port */
    CONFIG_URL,     /* http or https */
    CONFIG_HOST,    /* the same, http:// may be left out */
    CONFIG_HOSTS,   /* host:port,... */
    CONFIG_SERVERS, /* IP[:port],... */
    CONFIG_INT,
    CONFIG_DOUBLE
};

struct config_setting {
    const char *name;
    enum config_type type;
    size_t offset;         /* in struct config */
    const char *otherwise; /* the default, NULL = unset */
    const char *help;
    double min, max;  /* of a number */
    const char *rule; /* of a choice: "debug|info" */
};

extern const struct config_setting config_settings[];
extern const size_t config_setting_count;

/* "a whole number from 1 to 64" */
void config_print_rule(const struct config_setting *setting, FILE *out);

#endif
