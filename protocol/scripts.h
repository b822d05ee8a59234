/*
 * The Lua scripts of protocol/scripts, embedded at build time. KEYS, ARGV and
 * replies are described at the top of each. Loaded with SCRIPT LOAD when a
 * connection opens and called by EVALSHA; NOSCRIPT loads anew.
 */
#ifndef FD_PROTOCOL_SCRIPTS_H
#define FD_PROTOCOL_SCRIPTS_H

#include <stddef.h>

enum fd_script {
    FD_SCRIPT_ADMIT,
    FD_SCRIPT_START,
    FD_SCRIPT_CANCEL,
    FD_SCRIPT_CLAIM,
    FD_SCRIPT_HEARTBEAT,
    FD_SCRIPT_FINISH,
    FD_SCRIPT_CHARGE,
    FD_SCRIPT_ASK,
    FD_SCRIPT_CONFIRM,
    FD_SCRIPT_HAPPEN, /* on live, unlike the others */
    FD_SCRIPTS
};

struct fd_script_source {
    const char *name;
    const char *text;
    size_t len;
};

extern const struct fd_script_source fd_script_sources[FD_SCRIPTS];

#endif
