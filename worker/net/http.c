#include "net/http.h"
#include "net/http_multi.h"
#include "core/clock.h"
#include "core/log.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <utlist.h>

/* 5,000 streams at a time: curl's default buffer of 16 KB each would be most of
 * what they cost. */
#define READ_BUFFER      2048
#define UPLOAD_BUFFER    16384 /* the least that curl takes */
#define HEADERS_MAX      65536
#define CONNECTION_AGE_S 300

struct http_client {
    struct http_multi multi;
    struct http_request *requests;
};

struct http_request {
    struct http_client *client;
    struct http_options options; /* numbers and callbacks: the strings are gone */
    CURL *easy;
    struct curl_slist *headers;
    struct curl_slist *resolve;
    struct timer *timer;
    int64_t started_ms;
    int64_t alive_ms; /* 0 = never yet */
    size_t header_bytes;
    size_t body_bytes;
    int status;
    bool added; /* to the multi handle */
    bool connected;
    bool headers_done;
    bool over; /* ended or cancelled: no callback any more */
    bool too_large;
    char error[CURL_ERROR_SIZE];
    struct http_request *prev, *next;
};

static void begin(void *arg);
static void free_deferred(void *arg);

static void request_free(struct http_request *request)
{
    loop_undefer(request->client->multi.loop, begin, request);
    loop_undefer(request->client->multi.loop, free_deferred, request);
    DL_DELETE(request->client->requests, request);
    timer_free(request->timer);
    if (request->added)
        curl_multi_remove_handle(request->client->multi.curl, request->easy);
    curl_easy_cleanup(request->easy);
    curl_slist_free_all(request->headers);
    curl_slist_free_all(request->resolve);
    free(request);
}

static void free_deferred(void *arg)
{
    request_free(arg);
}

/* Not inside a callback of curl's. */
static void finish(struct http_request *request, enum http_failure failure)
{
    const char *text = request->error;

    request->over = true;
    timer_stop(request->timer);
    if (request->added) /* closes the connection of a response that is not whole */
        curl_multi_remove_handle(request->client->multi.curl, request->easy);
    request->added = false;
    if (failure != HTTP_OK && text[0] == '\0')
        text = http_failure_text(failure);
    request->options.on_end(request->options.arg, failure, request->status,
                            failure == HTTP_OK ? NULL : text);
    request_free(request);
}

/* -- time ---------------------------------------------------------------- */

/* The earliest of the deadlines that count now. */
static int64_t next_deadline(const struct http_request *request, enum http_failure *failure)
{
    const struct http_options *o = &request->options;
    int64_t start = request->started_ms;
    struct {
        bool counts;
        int64_t at;
        enum http_failure failure;
    } deadlines[] = {
        {!request->connected && o->connect_ms > 0, start + o->connect_ms, HTTP_CONNECT_TIMEOUT},
        {request->alive_ms == 0 && o->first_ms > 0, start + o->first_ms, HTTP_FIRST_BYTE_TIMEOUT},
        {request->alive_ms > 0 && o->idle_ms > 0, request->alive_ms + o->idle_ms,
         HTTP_IDLE_TIMEOUT},
        {o->total_ms > 0, start + o->total_ms,
         request->connected ? HTTP_TOTAL_TIMEOUT : HTTP_CONNECT_TIMEOUT},
    };
    int64_t earliest = INT64_MAX;

    for (size_t i = 0; i < sizeof(deadlines) / sizeof(deadlines[0]); i++) {
        if (deadlines[i].counts && deadlines[i].at < earliest) {
            earliest = deadlines[i].at;
            *failure = deadlines[i].failure;
        }
    }
    return earliest;
}

static void arm(struct http_request *request)
{
    enum http_failure failure;
    int64_t deadline = next_deadline(request, &failure);

    if (deadline < INT64_MAX)
        timer_set(request->timer, deadline - clock_mono_ms());
}

/* The timer is not moved with every event of a stream: it looks when it fires. */
static void on_timer(void *arg)
{
    struct http_request *request = arg;
    enum http_failure failure = HTTP_OK;

    if (next_deadline(request, &failure) <= clock_mono_ms())
        finish(request, failure);
    else
        arm(request);
}

void http_alive(struct http_request *request)
{
    bool first = request->alive_ms == 0;

    if (request->over)
        return;
    request->alive_ms = clock_mono_ms();
    if (first) /* the idle deadline may be nearer than what the timer waits for */
        arm(request);
}

/* -- curl's callbacks: record, pass on, never remove a handle ------------- */

static bool may_reach_text(const struct http_request *request, const char *ip, int port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    const struct http_options *o = &request->options;

    if (inet_pton(AF_INET, ip, &in.sin_addr) == 1)
        return o->may_reach(o->arg, (const struct sockaddr *)&in);
    return inet_pton(AF_INET6, ip, &in6.sin6_addr) == 1 &&
           o->may_reach(o->arg, (const struct sockaddr *)&in6);
}

/* A connection stands, TLS included, new or used before: on_socket_wanted() has not seen
 * the latter. */
static int on_connected(void *arg, char *remote, char *local, int remote_port, int local_port)
{
    struct http_request *request = arg;

    (void)local;
    (void)local_port;
    request->connected = true;
    if (request->options.may_reach != NULL && !may_reach_text(request, remote, remote_port))
        return CURL_PREREQFUNC_ABORT;
    return CURL_PREREQFUNC_OK;
}

static curl_socket_t on_socket_wanted(void *arg, curlsocktype purpose,
                                      struct curl_sockaddr *address)
{
    struct http_request *request = arg;

    (void)purpose;
    if (!request->options.may_reach(request->options.arg, &address->addr))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool ends_headers(const char *line, size_t len)
{
    return (len == 2 && line[0] == '\r' && line[1] == '\n') || (len == 1 && line[0] == '\n');
}

/* Once the answer begins nothing is sent again, so the body, if it is out, need not
 * wait for the end of a stream: a prompt is most of what a request weighs. */
static void drop_body(struct http_request *request)
{
    curl_off_t sent = 0;

    curl_easy_getinfo(request->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    if (sent > 0 && (size_t)sent == request->options.body_len)
        curl_easy_setopt(request->easy, CURLOPT_POSTFIELDS, NULL); /* frees the copy */
}

/* Where curl would read a body from that it has not got. */
static size_t no_more_body(char *out, size_t size, size_t count, void *arg)
{
    (void)out;
    (void)size;
    (void)count;
    (void)arg;
    return CURL_READFUNC_ABORT;
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    struct http_request *request = arg;
    size_t len = size * count;
    long status = 0;

    request->header_bytes += len;
    if (request->over)
        return 0;
    if (request->header_bytes > HEADERS_MAX) {
        request->too_large = true;
        return 0;
    }
    if (request->headers_done || !ends_headers(line, len))
        return len;
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200) /* 100 Continue, 103 Early Hints: the answer is still to come */
        return len;
    request->headers_done = true;
    request->status = (int)status;
    drop_body(request);
    if (request->options.on_headers != NULL)
        request->options.on_headers(request->options.arg, request->status);
    return len;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct http_request *request = arg;
    size_t len = size * count;

    if (request->over)
        return 0;
    if (len > request->options.max_body - request->body_bytes) {
        request->too_large = true;
        return 0;
    }
    request->body_bytes += len;
    if (len > 0 && request->options.on_data != NULL)
        request->options.on_data(request->options.arg, data, len);
    return len;
}

static enum http_failure failure_of(CURLcode code)
{
    switch ((int)code) {
    case CURLE_OK: return HTTP_OK;
    case CURLE_URL_MALFORMAT: return HTTP_BAD_URL;
    case CURLE_COULDNT_RESOLVE_HOST: return HTTP_RESOLVE;
    case CURLE_COULDNT_CONNECT:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT: return HTTP_CONNECT;
    case CURLE_OPERATION_TIMEDOUT: return HTTP_CONNECT_TIMEOUT; /* the system's own, of TCP */
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION: return HTTP_TLS;
    default: return HTTP_CUT; /* also what is no HTTP response at all */
    }
}

static void on_done(CURL *easy, CURLcode code)
{
    struct http_request *request = NULL;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&request);
    if (!request->over) /* else it waits to be freed */
        finish(request, request->too_large ? HTTP_TOO_LARGE : failure_of(code));
}

/* -- start and end --------------------------------------------------------- */

static void begin(void *arg)
{
    struct http_request *request = arg;

    if (curl_multi_add_handle(request->client->multi.curl, request->easy) != CURLM_OK) {
        finish(request, HTTP_CONNECT);
        return;
    }
    request->added = true;
    http_multi_step(&request->client->multi); /* may end the request */
}

static bool url_usable(const char *url)
{
    CURLU *parsed = curl_url();
    char *scheme = NULL;
    bool usable = parsed != NULL && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
                  curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                  (strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0);

    curl_free(scheme);
    curl_url_cleanup(parsed);
    return usable;
}

static bool add_header(struct http_request *request, const char *header)
{
    struct curl_slist *longer;

    if (strpbrk(header, "\r\n") != NULL || strchr(header, ':') == NULL)
        return false;
    longer = curl_slist_append(request->headers, header);
    if (longer == NULL)
        return false;
    request->headers = longer;
    return true;
}

static bool set_headers(struct http_request *request, const char *const *headers)
{
    /* without this a body waits a second for servers that ignore "100-continue" */
    if (!add_header(request, "Expect:"))
        return false;
    for (; headers != NULL && *headers != NULL; headers++) {
        if (!add_header(request, *headers))
            return false;
    }
    return curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, request->headers) == CURLE_OK;
}

static bool set_method(CURL *easy, const struct http_options *options)
{
    const char *body = options->body != NULL ? options->body : "";

    if (strcmp(options->method, "GET") == 0)
        return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    return curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, options->method) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)options->body_len) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body) == CURLE_OK;
}

/* What is the same for every request; http.h says why. */
static bool set_policy(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_AGE_S);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)READ_BUFFER);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER);
    /* the ones that allocate, or that a libcurl without them would leave open */
    return curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "frontdesk/" FRONTDESK_VERSION) == CURLE_OK;
}

static void set_callbacks(struct http_request *request)
{
    CURL *easy = request->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->error);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, request);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, no_more_body);
}

/* A stranger's URL: the addresses that were judged, and nothing of another request. */
static bool set_guard(struct http_request *request, const struct http_options *options)
{
    CURL *easy = request->easy;

    if (options->may_reach == NULL)
        return true;
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, request);
    if (curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket_wanted) != CURLE_OK)
        return false;
    if (options->resolve == NULL)
        return true;
    request->resolve = curl_slist_append(NULL, options->resolve);
    return request->resolve != NULL &&
           curl_easy_setopt(easy, CURLOPT_RESOLVE, request->resolve) == CURLE_OK;
}

static bool set_up(struct http_request *request, const struct http_options *options)
{
    request->easy = curl_easy_init();
    if (request->easy == NULL)
        return false;
    set_callbacks(request);
    return set_policy(request->easy) && set_guard(request, options) &&
           curl_easy_setopt(request->easy, CURLOPT_URL, options->url) == CURLE_OK &&
           set_method(request->easy, options) && set_headers(request, options->headers);
}

struct http_request *http_start(struct http_client *client, const struct http_options *options)
{
    struct http_request *request;

    if (!url_usable(options->url))
        return NULL;
    request = calloc(1, sizeof(*request));
    if (request == NULL)
        return NULL;
    request->client = client;
    request->options = *options;
    request->timer = timer_new(client->multi.loop, on_timer, request);
    request->started_ms = clock_mono_ms();
    DL_APPEND(client->requests, request);
    if (!set_up(request, options)) {
        request_free(request);
        return NULL;
    }
    /* curl takes no new handle while it is calling back */
    loop_defer(client->multi.loop, begin, request);
    arm(request);
    return request;
}

void http_cancel(struct http_request *request)
{
    struct loop *loop = request->client->multi.loop;

    if (request->over)
        return;
    request->over = true;
    timer_stop(request->timer);
    loop_undefer(loop, begin, request);
    loop_defer(loop, free_deferred, request);
}

const char *http_header(const struct http_request *request, const char *name)
{
    struct curl_header *header;

    if (curl_easy_header(request->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return NULL;
    return header->value;
}

struct http_client *http_client_new(struct loop *loop)
{
    struct http_client *client = calloc(1, sizeof(*client));

    if (client == NULL)
        return NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        !http_multi_init(&client->multi, loop, on_done)) {
        log_error(NULL, "http.cannot_start");
        free(client);
        return NULL;
    }
    return client;
}

void http_client_free(struct http_client *client)
{
    struct http_request *request, *next;

    DL_FOREACH_SAFE (client->requests, request, next)
        request_free(request);
    http_multi_free(&client->multi);
    curl_global_cleanup();
    free(client);
}

bool http_was_sent(enum http_failure failure)
{
    switch (failure) {
    case HTTP_BAD_URL:
    case HTTP_RESOLVE:
    case HTTP_CONNECT:
    case HTTP_TLS:
    case HTTP_CONNECT_TIMEOUT: return false;
    default: return true;
    }
}

const char *http_failure_text(enum http_failure failure)
{
    switch (failure) {
    case HTTP_OK: return "ok";
    case HTTP_BAD_URL: return "the URL is not usable";
    case HTTP_RESOLVE: return "the host's name could not be resolved";
    case HTTP_CONNECT: return "no connection";
    case HTTP_TLS: return "TLS failed";
    case HTTP_CONNECT_TIMEOUT: return "connecting took too long";
    case HTTP_FIRST_BYTE_TIMEOUT: return "the first answer took too long";
    case HTTP_IDLE_TIMEOUT: return "the stream went silent";
    case HTTP_TOTAL_TIMEOUT: return "the request took too long";
    case HTTP_CUT: return "the connection ended inside the response";
    case HTTP_TOO_LARGE: return "the response is too large";
    }
    return "unknown";
}
