#include "net/error_envelope.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT "frontdesk/" FRONTDESK_VERSION

/* A public key goes into a header: letters and digits are what trackers make them of. */
static bool key_is_plain(const char *key)
{
    return key[0] != '\0' && strlen(key) <= 128 &&
           strspn(key, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") ==
               strlen(key);
}

static bool project_is_plain(const char *project)
{
    return project[0] != '\0' &&
           strspn(project, "0123456789abcdefghijklmnopqrstuvwxyz-") == strlen(project);
}

/* The path's last part is the project, what is before it where the tracker lives. */
static bool take_project(CURLU *url, char *path)
{
    char *slash, endpoint[1024];

    for (size_t len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
        path[len - 1] = '\0';
    slash = strrchr(path, '/');
    if (slash == NULL || !project_is_plain(slash + 1))
        return false;
    *slash = '\0';
    int len = snprintf(endpoint, sizeof(endpoint), "%s/api/%s/envelope/", path, slash + 1);
    return len < (int)sizeof(endpoint) &&
           curl_url_set(url, CURLUPART_PATH, endpoint, 0) == CURLUE_OK &&
           curl_url_set(url, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
           curl_url_set(url, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
           curl_url_set(url, CURLUPART_QUERY, NULL, 0) == CURLUE_OK;
}

static bool parse(struct error_dsn *dsn, CURLU *url, const char *text)
{
    char *key = NULL, *path = NULL, *endpoint = NULL, *scheme = NULL;

    bool good = curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                (strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0) &&
                curl_url_get(url, CURLUPART_USER, &key, 0) == CURLUE_OK && key_is_plain(key) &&
                curl_url_get(url, CURLUPART_PATH, &path, 0) == CURLUE_OK &&
                take_project(url, path) &&
                curl_url_get(url, CURLUPART_URL, &endpoint, 0) == CURLUE_OK;
    if (good) {
        dsn->endpoint = strdup(endpoint);
        snprintf(dsn->auth, sizeof(dsn->auth),
                 "X-Sentry-Auth: Sentry sentry_version=7, sentry_client=" CLIENT ", sentry_key=%s",
                 key);
    }
    curl_free(key);
    curl_free(path);
    curl_free(endpoint);
    curl_free(scheme);
    return good && dsn->endpoint != NULL;
}

bool error_dsn_parse(struct error_dsn *dsn, const char *text, char error[256])
{
    CURLU *url = curl_url();

    *dsn = (struct error_dsn){0};
    bool good = url != NULL && parse(dsn, url, text);
    curl_url_cleanup(url);
    if (!good)
        snprintf(error, 256,
                 "FRONTDESK_ERROR_DSN is no DSN; https://KEY@host/PROJECT would be right");
    return good;
}

void error_dsn_free(struct error_dsn *dsn)
{
    free(dsn->endpoint);
    *dsn = (struct error_dsn){0};
}

static void write_tags(struct fd_json_writer *w, const struct error_event *event)
{
    fd_jw_key(w, "tags");
    fd_jw_object(w);
    fd_jw_member(w, "role", event->role);
    fd_jw_member(w, "event", event->name);
    fd_jw_end_object(w);
}

static void write_extra(struct fd_json_writer *w, const struct error_event *event)
{
    fd_jw_key(w, "extra");
    fd_jw_object(w);
    fd_jw_key(w, "line");
    fd_jw_raw(w, event->line, strlen(event->line));
    fd_jw_member_int(w, "unreported", event->unreported);
    fd_jw_end_object(w);
}

static void write_event(struct fd_json_writer *w, const struct error_event *event)
{
    fd_jw_object(w);
    fd_jw_member(w, "event_id", event->id);
    fd_jw_key(w, "timestamp");
    fd_jw_double(w, (double)event->at_ms / 1000.0);
    fd_jw_member(w, "platform", "native");
    fd_jw_member(w, "level", "error");
    fd_jw_member(w, "logger", "frontdesk");
    fd_jw_member(w, "release", "frontdesk@" FRONTDESK_VERSION);
    fd_jw_member(w, "server_name", event->server);
    fd_jw_member(w, "transaction", event->name);
    fd_jw_key(w, "message");
    fd_jw_object(w);
    fd_jw_member(w, "formatted", event->name);
    fd_jw_end_object(w);
    fd_jw_key(w, "fingerprint");
    fd_jw_array(w);
    fd_jw_string(w, event->role, strlen(event->role));
    fd_jw_string(w, event->name, strlen(event->name));
    fd_jw_end_array(w);
    write_tags(w, event);
    write_extra(w, event);
    fd_jw_end_object(w);
}

void error_envelope(struct buf *out, const struct error_event *event)
{
    struct fd_json_writer w;

    buf_printf(out, "{\"event_id\":\"%s\"}\n{\"type\":\"event\"}\n", event->id);
    buf_json(out, &w);
    write_event(&w, event);
    buf_json_end(out, &w);
    buf_puts(out, "\n");
}
