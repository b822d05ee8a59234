#include "tool/wire.h"

#include "core/buf.h"
#include "core/utf8.h"

#include <string.h>
#include <strings.h>

#define HEADERS_MAX 16
#define QUERY_MAX   65536

static bool is_named(const char *header, size_t name, const char *other)
{
    return other != NULL && strlen(other) == name && strncasecmp(other, header, name) == 0;
}

/* Of any other header the value may be a credential; of these, where it is sent in one. */
static bool is_plain(const char *header, size_t name, const char *secret_header)
{
    static const char *const plain[] = {"Accept", "Content-Type", "Idempotency-Key",
                                        "X-Frontdesk-Timestamp"};

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (is_named(header, name, plain[i]))
            return !is_named(header, name, secret_header);
    }
    return false;
}

static struct wire_text text_of(struct arena *a, const char *bytes, size_t len)
{
    if (bytes == NULL)
        return (struct wire_text){0};
    const char *at = bytes, *end = bytes + len;
    char *text = arena_alloc(a, WIRE_TEXT_MAX + 4);
    size_t used = 0;
    while (at < end && used < WIRE_TEXT_MAX)
        used += utf8_put(text + used, utf8_next(&at, end));
    text[used] = '\0';
    return (struct wire_text){text, at < end};
}

void wire_sent(struct wire *wire, struct arena *a, const struct outbound_options *options,
               const char *secret_header)
{
    struct wire_header *headers = arena_zalloc(a, HEADERS_MAX * sizeof(*headers));
    size_t count = 0;

    for (; count < HEADERS_MAX && options->headers[count] != NULL; count++) {
        const char *header = options->headers[count];
        size_t name = strcspn(header, ":");
        const char *value = header + name + strspn(header + name, ": ");
        bool plain = is_plain(header, name, secret_header);
        headers[count] = (struct wire_header){arena_strndup(a, header, name),
                                              plain ? arena_strdup(a, value) : "***"};
    }
    *wire = (struct wire){.method = options->method,
                          .url = arena_strdup(a, options->url),
                          .headers = headers,
                          .header_count = count,
                          .body = text_of(a, options->body, options->body_len)};
}

void wire_came(struct wire *wire, struct arena *a, const struct outbound_response *response)
{
    wire->came = response->status != 0;
    wire->status = response->status;
    wire->content_type = arena_strdup(a, response->content_type);
    wire->answer = text_of(a, response->body, response->body_len);
}

void wire_asked(struct wire *wire, struct arena *a, const char *database, const char *sql,
                const char *const *values, size_t count)
{
    struct fd_json_writer w;
    struct buf out;

    buf_init(&out, QUERY_MAX);
    buf_json(&out, &w);
    fd_jw_object(&w);
    fd_jw_member(&w, "query", sql);
    fd_jw_key(&w, "values");
    fd_jw_array(&w);
    for (size_t i = 0; i < count; i++)
        values[i] != NULL ? fd_jw_cstring(&w, values[i]) : fd_jw_null(&w);
    fd_jw_end_array(&w);
    fd_jw_end_object(&w);
    bool fits = buf_json_end(&out, &w);
    *wire =
        (struct wire){.method = "QUERY",
                      .url = arena_strdup(a, database),
                      .body = fits ? text_of(a, out.data, out.len) : text_of(a, sql, strlen(sql))};
    wire->body.cut = wire->body.cut || !fits;
    buf_free(&out);
}

void wire_rows(struct wire *wire, struct arena *a, const char *json, size_t len)
{
    wire->came = true;
    wire->content_type = "application/json";
    wire->answer = text_of(a, json, len);
}

static void write_text(struct fd_json_writer *w, const struct wire_text *body)
{
    fd_jw_member(w, "body", body->text);
    fd_jw_member_bool(w, "cut", body->cut);
}

static void write_headers(struct fd_json_writer *w, const struct wire *wire)
{
    fd_jw_key(w, "headers");
    fd_jw_object(w);
    for (size_t i = 0; i < wire->header_count; i++)
        fd_jw_member(w, wire->headers[i].name, wire->headers[i].value);
    fd_jw_end_object(w);
}

void wire_write(struct fd_json_writer *w, const struct wire *wire)
{
    fd_jw_key(w, "request");
    if (wire->method == NULL) {
        fd_jw_null(w);
    } else {
        fd_jw_object(w);
        fd_jw_member(w, "method", wire->method);
        fd_jw_member(w, "url", wire->url);
        write_headers(w, wire);
        write_text(w, &wire->body);
        fd_jw_end_object(w);
    }
    fd_jw_key(w, "answer");
    if (!wire->came) {
        fd_jw_null(w);
        return;
    }
    fd_jw_object(w);
    fd_jw_member_int(w, "status", wire->status);
    fd_jw_key(w, "headers");
    fd_jw_object(w);
    fd_jw_member(w, "Content-Type", wire->content_type);
    fd_jw_end_object(w);
    write_text(w, &wire->answer);
    fd_jw_end_object(w);
}
