/*
 * The decision about a tool call alone: processor time from the model's arguments to the
 * bytes of the signed request (schema check, bound arguments, encoding, HMAC), beside
 * parsing and writing the same JSON, which is the least that could be done. Then what is made
 * of a reply, and whether an answer claims an action. Rounds alternate; the median counts.
 * Linked with libfrontdesk.a.
 *
 *     tools [ROUNDS]        prints one line of JSON
 */
#include "cpu_time.h"

#include "core/buf.h"
#include "tool/claims.h"
#include "tool/reply.h"
#include "tool/schema.h"
#include "tool/webhook_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define ROUNDS_MAX 101

/* -- what is measured ------------------------------------------------------------------------ */

struct subject {
    const char *name;
    const char *schema;
    const char *arguments;
    bool wrong; /* the arguments do not meet the schema */
    int times;  /* a round */
    struct tool tool;
};

static const struct tool_webhook hook = {
    .secret = "fdts_0123456789abcdef", .token = "token", .token_header = "X-Frontdesk-Token"};
static const struct tool_binding owner = {"owner", "visitor.user_id"};
static const struct tool_context context = {.org = "aaaaaaaa-0000-4000-8000-00000000000a",
                                            .session = "s",
                                            .conversation_id = "c",
                                            .job_id = "0-0123456789abcdef0123456789abcdef",
                                            .call_id = "c_0123456789abcdef01234567",
                                            .language = "en",
                                            .channel = "widget",
                                            .user_id = "user-1",
                                            .user_verified = true};

static void decide(const struct subject *s)
{
    const struct webhook_attempt attempt = {1, 1700000000000, 1700000030000};
    struct webhook_message message;
    char why[TOOL_WHY_SIZE];
    const char *complete;
    struct arena a;

    arena_init(&a);
    enum tool_failure failure =
        tool_arguments(&s->tool, s->arguments, &context, &a, &complete, why);
    if ((failure != TOOL_OK) != s->wrong ||
        (!s->wrong && !webhook_message(&a, &s->tool, complete, &context, &attempt, &message)))
        abort();
    arena_free(&a);
}

static void copy(const struct subject *s)
{
    const struct fd_json_limits limits = {TOOL_SCHEMA_DEPTH, 0};
    struct fd_json_fault fault;
    struct fd_json_writer w;
    struct arena a;
    struct buf out;

    arena_init(&a);
    buf_init(&out, 1u << 20);
    const struct fd_json *json =
        fd_json_parse(s->arguments, strlen(s->arguments), limits, arena_allocator(&a), &fault);
    if (json == NULL)
        abort();
    buf_json(&out, &w);
    fd_jw_json(&w, json);
    buf_json_end(&out, &w);
    buf_free(&out);
    arena_free(&a);
}

static double round_of(void (*work)(const struct subject *s), const struct subject *s)
{
    double start = cpu_us();

    for (int i = 0; i < s->times; i++)
        work(s);
    return (cpu_us() - start) / s->times;
}

static double compile_us(const struct subject *s)
{
    double start = cpu_us();

    for (int i = 0; i < 1000; i++) {
        struct tool_schema_fault fault;
        const struct fd_json *json;
        struct arena a;
        arena_init(&a);
        if (tool_schema_read(&a, s->schema, strlen(s->schema), &json, &fault) == NULL)
            abort();
        arena_free(&a);
    }
    return (cpu_us() - start) / 1000;
}

static double reply_us(const char *body, int times)
{
    const struct tool tool = {.name = "t", .webhook = &hook};
    const struct outbound_response response = {
        .status = 200, .content_type = "application/json", .body = body, .body_len = strlen(body)};
    double start = cpu_us();

    for (int i = 0; i < times; i++) {
        struct tool_result result;
        struct arena a;
        arena_init(&a);
        reply_read(&a, &tool, &response, &result);
        arena_free(&a);
    }
    return (cpu_us() - start) / times;
}

static double claims_us(const char *text, int times)
{
    double start = cpu_us();
    size_t len = strlen(text);

    for (int i = 0; i < times; i++) {
        if (tool_claim_of(text, len, 0) != TOOL_CLAIM_NONE)
            abort();
    }
    return (cpu_us() - start) / times;
}

/* -- subjects -------------------------------------------------------------------------------- */

static const char booking_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"date\",\"time\",\"name\"],"
    "\"properties\":{\"date\":{\"type\":\"string\",\"format\":\"date\"},\"time\":{\"type\":"
    "\"string\","
    "\"pattern\":\"^([01][0-9]|2[0-3]):[0-5][0-9]$\"},\"name\":{\"type\":\"string\",\"minLength\":"
    "1,"
    "\"maxLength\":100},\"email\":{\"type\":\"string\",\"format\":\"email\"},\"notes\":{\"type\":"
    "\"string\",\"maxLength\":500}}}";
static const char order_schema[] =
    "{\"type\":\"object\",\"properties\":{\"items\":{\"type\":\"array\",\"items\":{\"$ref\":"
    "\"#/$defs/item\"}}},\"$defs\":{\"item\":{\"type\":\"object\",\"required\":[\"sku\",\"qty\"],"
    "\"properties\":{\"sku\":{\"type\":\"string\",\"pattern\":\"^[A-Z]+-[0-9]+$\"},\"qty\":{"
    "\"type\":"
    "\"integer\",\"minimum\":1},\"size\":{\"anyOf\":[{\"enum\":[\"s\",\"m\",\"l\"]},{\"type\":"
    "\"null\"}]}}}}}";

/* Every level asks twice for the next: what the bound on steps is for. */
static const char *hostile_schema(void)
{
    struct buf out;

    buf_init(&out, 1u << 20);
    buf_puts(&out,
             "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/l0\"}},\"$defs\":{");
    for (int i = 0; i < 40; i++)
        buf_printf(&out,
                   "\"l%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/l%d\"},{\"$ref\":\"#/$defs/l%d\"}]},",
                   i, i + 1, i + 1);
    buf_puts(&out, "\"l40\":{\"type\":\"null\"}}}");
    return out.data;
}

static const char *repeated(const char *before, const char *part, const char *after, size_t size)
{
    struct buf out;

    buf_init(&out, 4u << 20);
    buf_puts(&out, before);
    for (bool first = true; out.len + strlen(part) + 64 < size; first = false) {
        buf_puts(&out, first ? "" : ",");
        buf_puts(&out, part);
    }
    buf_puts(&out, after);
    return out.data;
}

static const char *paragraphs(size_t size)
{
    static const char text[] = "Orders are sent within two days, and a return is free for a month. "
                               "Would you like me to look one up? ";
    struct buf out;

    buf_init(&out, 1u << 20);
    while (out.len < size)
        buf_puts(&out, text);
    return out.data;
}

static void prepare(struct arena *a, struct subject *s)
{
    struct tool_schema_fault fault;
    const struct fd_json *json;

    s->tool = (struct tool){.id = "t",
                            .name = "book_appointment",
                            .url = "https://hooks.example/",
                            .webhook = &hook,
                            .bindings = &owner,
                            .binding_count = 1};
    s->tool.schema = tool_schema_read(a, s->schema, strlen(s->schema), &json, &fault);
    if (s->tool.schema == NULL)
        abort();
}

int main(int argc, char **argv)
{
    static const char item[] = "{\"sku\":\"MUG-100\",\"qty\":2,\"size\":null}";
    int rounds = argc > 1 ? atoi(argv[1]) : 11;
    struct arena a;

    if (rounds < 1 || rounds > ROUNDS_MAX || sodium_init() < 0)
        return 2;
    arena_init(&a);
    struct subject subjects[] = {
        {.name = "a booking",
         .schema = booking_schema,
         .arguments = "{\"date\":\"2026-03-14\",\"time\":\"09:30\",\"name\":\"Dana Levi\","
                      "\"email\":\"dana@example.com\"}",
         .times = 5000},
        {.name = "a booking that is wrong",
         .schema = booking_schema,
         .arguments = "{\"date\":\"14.3.2026\",\"time\":\"9\",\"name\":\"Dana\"}",
         .wrong = true,
         .times = 5000},
        {.name = "16 KB of order lines",
         .schema = order_schema,
         .arguments = repeated("{\"items\":[", item, "]}", 16384),
         .times = 100},
        {.name = "a schema made to be slow",
         .schema = hostile_schema(),
         .arguments = "{\"a\":1}",
         .wrong = true,
         .times = 5},
    };
    printf("{\"cases\":[");
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        double ours[ROUNDS_MAX], least[ROUNDS_MAX];
        prepare(&a, &subjects[i]);
        for (int k = 0; k < rounds; k++) {
            ours[k] = round_of(decide, &subjects[i]);
            least[k] = round_of(copy, &subjects[i]);
        }
        printf("%s{\"case\":\"%s\",\"us\":%.2f,\"json_us\":%.2f}", i > 0 ? "," : "",
               subjects[i].name, median(ours, rounds), median(least, rounds));
    }
    printf("],\"compile_us\":%.2f,\"reply_us\":%.2f,\"large_reply_us\":%.2f,\"claims_us\":%.2f}\n",
           compile_us(&subjects[0]),
           reply_us("{\"ok\":true,\"data\":{\"status\":\"shipped\",\"carrier\":\"DHL\"}}", 5000),
           reply_us(repeated("{\"ok\":true,\"data\":[", item, "]}", 200000), 20),
           claims_us(paragraphs(4000), 500));
    arena_free(&a);
    return 0;
}
