/* A tenant's URL: what is judged must be what curl makes of it. */
#include "net/guard.h"
#include "net/outbound_check.h"
#include "net/target.h"

#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* curl, on the URL that it will be given, sees the same host and port. */
static void check_agreement(const struct target *target)
{
    CURLU *parsed = curl_url();
    char *host = NULL, *port = NULL;
    size_t len = strlen(target->host);

    if (parsed == NULL || curl_url_set(parsed, CURLUPART_URL, target->url, 0) != CURLUE_OK ||
        curl_url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
        abort();
    if (atoi(port) != target->port ||
        (host[0] == '[' ? strncmp(host + 1, target->host, len) != 0 || host[len + 1] != ']'
                        : strcmp(host, target->host) != 0))
        abort();
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parsed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *headers[] = {NULL, NULL};
    struct target target;
    char error[256] = "";
    char *text = malloc(size + 1);

    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (target_parse(&target, text, error)) {
        check_agreement(&target);
        target_free(&target);
    } else if (error[0] == '\0') {
        abort();
    }
    headers[0] = text;
    if (outbound_check_headers(headers, error) && strpbrk(text, "\r\n") != NULL)
        abort();
    guard_exempts_name(text, "a.example", 80);
    free(text);
    return 0;
}
