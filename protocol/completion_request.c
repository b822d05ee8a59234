#include "protocol/completion_check.h"
#include "protocol/limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* -- faults ---------------------------------------------------------------------------- */

/* A text that was cut to its buffer ends between characters. */
static void end_whole(char *text)
{
    size_t len = strlen(text);
    while (len > 0 && !fd_utf8_valid(text, len))
        len--;
    text[len] = '\0';
}

bool fd_completion_fault(struct fd_completion_fault *fault, const char *code, const char *path,
                         const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->at.detail, sizeof(fault->at.detail), format, args);
    va_end(args);
    (void)snprintf(fault->at.field, sizeof(fault->at.field), "%s", path);
    end_whole(fault->at.detail);
    end_whole(fault->at.field);
    fault->code = code;
    return false;
}

bool fd_completion_missing(struct fd_completion_fault *fault, const char *path)
{
    return fd_completion_fault(fault, FD_FAULT_MISSING, path,
                               "Missing required parameter: '%.96s'.", path);
}

static const char *type_name(const struct fd_json *value)
{
    switch (value->type) {
    case FD_JSON_NULL: return "null";
    case FD_JSON_BOOL: return "a boolean";
    case FD_JSON_NUMBER: return value->is_integer ? "an integer" : "a decimal number";
    case FD_JSON_STRING: return "a string";
    case FD_JSON_ARRAY: return "an array";
    case FD_JSON_OBJECT: break;
    }
    return "an object";
}

bool fd_completion_wrong_type(struct fd_completion_fault *fault, const char *path,
                              const char *expected, const struct fd_json *got)
{
    return fd_completion_fault(fault, FD_FAULT_TYPE, path,
                               "Invalid type for '%.64s': expected %s, but got %s instead.", path,
                               expected, type_name(got));
}

bool fd_completion_given(const struct fd_json *value)
{
    return value != NULL && value->type != FD_JSON_NULL;
}

/* -- members --------------------------------------------------------------------------- */

struct field;

typedef bool read_fn(const struct field *field, const struct fd_json *value,
                     struct fd_completion_request *request, struct fd_completion_fault *fault);

struct field {
    const char *name;
    read_fn *read;
    size_t offset;            /* of what it fills, where one function fills several */
    double least, most;       /* of a number */
    const char *const *words; /* that it may be; NULL at the end */
};

#define AT(member) offsetof(struct fd_completion_request, member)

static void *member_of(struct fd_completion_request *request, const struct field *field)
{
    return (char *)request + field->offset;
}

static bool read_nothing(const struct field *field, const struct fd_json *value,
                         struct fd_completion_request *request, struct fd_completion_fault *fault)
{
    (void)field, (void)value, (void)request, (void)fault;
    return true;
}

/* What asks for something that is not done here: silence would be a lie. Values that
 * ask for nothing pass. */
static bool read_refused(const struct field *field, const struct fd_json *value,
                         struct fd_completion_request *request, struct fd_completion_fault *fault)
{
    (void)request;
    bool asks_nothing = (value->type == FD_JSON_BOOL && !value->boolean) ||
                        (value->type == FD_JSON_NUMBER && value->number == 0) ||
                        (value->type == FD_JSON_OBJECT && value->count == 0 &&
                         strcmp(field->name, "logit_bias") == 0);
    return asks_nothing || fd_completion_fault(fault, FD_FAULT_REFUSED, field->name,
                                               "'%s' is not supported here.", field->name);
}

static bool read_functions(const struct field *field, const struct fd_json *value,
                           struct fd_completion_request *request, struct fd_completion_fault *fault)
{
    (void)value, (void)request;
    return fd_completion_fault(fault, FD_FAULT_REFUSED, field->name,
                               "'%s' is not supported here: use 'tools' and 'tool_choice'.",
                               field->name);
}

static bool read_model(const struct field *field, const struct fd_json *value,
                       struct fd_completion_request *request, struct fd_completion_fault *fault)
{
    if (value->type != FD_JSON_STRING)
        return fd_completion_wrong_type(fault, field->name, "a string", value);
    bool plain = true;
    for (size_t i = 0; i < value->text_len; i++)
        plain = plain && (unsigned char)value->text[i] > 0x20 && value->text[i] != 0x7f;
    if (value->text_len == 0 || value->text_len > FD_MODEL_ID_MAX || !plain)
        return fd_completion_fault(fault, FD_FAULT_VALUE, field->name,
                                   "'model' must be 1 to %d visible characters.", FD_MODEL_ID_MAX);
    request->model = (struct fd_text){value->text, value->text_len};
    return true;
}

static bool read_messages(const struct field *field, const struct fd_json *value,
                          struct fd_completion_request *request, struct fd_completion_fault *fault)
{
    (void)field;
    request->messages = value;
    return fd_completion_check_messages(value, fault);
}

static bool read_tools(const struct field *field, const struct fd_json *value,
                       struct fd_completion_request *request, struct fd_completion_fault *fault)
{
    (void)field;
    if (!fd_completion_check_tools(value, fault))
        return false;
    request->tools = value->count > 0 ? value : NULL;
    return true;
}

static bool read_choice(const struct field *field, const struct fd_json *value,
                        struct fd_completion_request *request, struct fd_completion_fault *fault)
{
    (void)field, (void)fault;
    request->tool_choice = value; /* checked once the tools are known */
    return true;
}

static bool read_format(const struct field *field, const struct fd_json *value,
                        struct fd_completion_request *request, struct fd_completion_fault *fault)
{
    (void)field;
    request->response_format = value;
    return fd_completion_check_format(value, fault);
}

static bool read_bool(const struct field *field, const struct fd_json *value,
                      struct fd_completion_request *request, struct fd_completion_fault *fault)
{
    if (value->type != FD_JSON_BOOL)
        return fd_completion_wrong_type(fault, field->name, "a boolean", value);
    *(bool *)member_of(request, field) = value->boolean;
    return true;
}

static bool read_parallel(const struct field *field, const struct fd_json *value,
                          struct fd_completion_request *request, struct fd_completion_fault *fault)
{
    if (value->type != FD_JSON_BOOL)
        return fd_completion_wrong_type(fault, field->name, "a boolean", value);
    request->parallel_tool_calls = value->boolean;
    return true;
}

static bool read_stream_options(const struct field *field, const struct fd_json *value,
                                struct fd_completion_request *request,
                                struct fd_completion_fault *fault)
{
    if (value->type != FD_JSON_OBJECT)
        return fd_completion_wrong_type(fault, field->name, "an object", value);
    const struct fd_json *usage = fd_json_get(value, "include_usage");
    if (fd_completion_given(usage) && usage->type != FD_JSON_BOOL)
        return fd_completion_wrong_type(fault, "stream_options.include_usage", "a boolean", usage);
    request->include_usage = fd_json_bool(value, "include_usage", false);
    return true;
}

static bool in_range(const struct field *field, const struct fd_json *value,
                     struct fd_completion_fault *fault)
{
    if (value->number >= field->least && value->number <= field->most)
        return true;
    bool below = value->number < field->least;
    const char *code = value->is_integer
                           ? (below ? "integer_below_min_value" : "integer_above_max_value")
                           : (below ? "decimal_below_min_value" : "decimal_above_max_value");
    return fd_completion_fault(fault, code, field->name,
                               "Invalid '%s': must be from %.10g to %.10g.", field->name,
                               field->least, field->most);
}

static bool read_number(const struct field *field, const struct fd_json *value,
                        struct fd_completion_request *request, struct fd_completion_fault *fault)
{
    if (value->type != FD_JSON_NUMBER)
        return fd_completion_wrong_type(fault, field->name, "a decimal number", value);
    if (!in_range(field, value, fault))
        return false;
    *(double *)member_of(request, field) = value->number;
    return true;
}

static bool is_integer(const struct field *field, const struct fd_json *value,
                       struct fd_completion_fault *fault)
{
    return (value->type == FD_JSON_NUMBER && value->is_integer) ||
           fd_completion_wrong_type(fault, field->name, "an integer", value);
}

static bool read_max_tokens(const struct field *field, const struct fd_json *value,
                            struct fd_completion_request *request,
                            struct fd_completion_fault *fault)
{
    if (!is_integer(field, value, fault) || !in_range(field, value, fault))
        return false;
    if (request->max_tokens != 0)
        return fd_completion_fault(fault, FD_FAULT_VALUE, field->name,
                                   "Setting 'max_tokens' and 'max_completion_tokens' at the same "
                                   "time is not supported.");
    request->max_tokens = (int)value->integer;
    return true;
}

static bool read_seed(const struct field *field, const struct fd_json *value,
                      struct fd_completion_request *request, struct fd_completion_fault *fault)
{
    if (!is_integer(field, value, fault))
        return false;
    request->has_seed = true;
    request->seed = value->integer;
    return true;
}

static bool read_one(const struct field *field, const struct fd_json *value,
                     struct fd_completion_request *request, struct fd_completion_fault *fault)
{
    (void)request;
    if (!is_integer(field, value, fault))
        return false;
    return value->integer == 1 || fd_completion_fault(fault, FD_FAULT_REFUSED, field->name,
                                                      "'%s' must be 1 here.", field->name);
}

static bool read_word(const struct field *field, const struct fd_json *value,
                      struct fd_completion_request *request, struct fd_completion_fault *fault)
{
    if (value->type != FD_JSON_STRING)
        return fd_completion_wrong_type(fault, field->name, "a string", value);
    for (const char *const *word = field->words; *word != NULL; word++) {
        if (strcmp(*word, value->text) == 0) {
            *(const char **)member_of(request, field) = *word;
            return true;
        }
    }
    return fd_completion_fault(fault, FD_FAULT_VALUE, field->name,
                               "'%s' is not one of the values that are taken.", field->name);
}

static bool is_stop(const struct fd_json *value)
{
    return value->type == FD_JSON_STRING && value->text_len > 0;
}

static bool read_stop(const struct field *field, const struct fd_json *value,
                      struct fd_completion_request *request, struct fd_completion_fault *fault)
{
    bool fine = is_stop(value) ||
                (value->type == FD_JSON_ARRAY && value->count >= 1 && value->count <= field->most);
    for (const struct fd_json *one = value->child; fine && one != NULL; one = one->next)
        fine = is_stop(one);
    if (!fine)
        return fd_completion_fault(fault, FD_FAULT_VALUE, field->name,
                                   "'stop' must be a string, or an array of 1 to %.0f strings, "
                                   "none of them empty.",
                                   field->most);
    request->stop = value;
    return true;
}

/* ["text"] is what everybody gets. */
static bool read_modalities(const struct field *field, const struct fd_json *value,
                            struct fd_completion_request *request,
                            struct fd_completion_fault *fault)
{
    (void)request;
    const struct fd_json *only =
        value->type == FD_JSON_ARRAY && value->count == 1 ? value->child : NULL;
    return (only != NULL && only->type == FD_JSON_STRING && strcmp(only->text, "text") == 0) ||
           fd_completion_fault(fault, FD_FAULT_REFUSED, field->name,
                               "'%s' must be [\"text\"] here.", field->name);
}

static const char *const efforts[] = {"none", "minimal", "low", "medium", "high", "xhigh", NULL};
static const char *const verbosities[] = {"low", "medium", "high", NULL};

static const struct field fields[] = {
    {"model", read_model, 0, 0, 0, NULL},
    {"messages", read_messages, 0, 0, 0, NULL},
    {"stream", read_bool, AT(stream), 0, 0, NULL},
    {"stream_options", read_stream_options, 0, 0, 0, NULL},
    {"max_tokens", read_max_tokens, 0, 1, FD_COMPLETION_TOKENS_MAX, NULL},
    {"max_completion_tokens", read_max_tokens, 0, 1, FD_COMPLETION_TOKENS_MAX, NULL},
    {"temperature", read_number, AT(temperature), 0, 2, NULL},
    {"top_p", read_number, AT(top_p), 0, 1, NULL},
    {"frequency_penalty", read_number, AT(frequency_penalty), -2, 2, NULL},
    {"presence_penalty", read_number, AT(presence_penalty), -2, 2, NULL},
    {"seed", read_seed, 0, 0, 0, NULL},
    {"stop", read_stop, 0, 1, 4, NULL},
    {"tools", read_tools, 0, 0, 0, NULL},
    {"tool_choice", read_choice, 0, 0, 0, NULL},
    {"parallel_tool_calls", read_parallel, 0, 0, 0, NULL},
    {"response_format", read_format, 0, 0, 0, NULL},
    {"reasoning_effort", read_word, AT(reasoning_effort), 0, 0, efforts},
    {"verbosity", read_word, AT(verbosity), 0, 0, verbosities},

    {"metadata", read_nothing, 0, 0, 0, NULL},
    {"prompt_cache_key", read_nothing, 0, 0, 0, NULL},
    {"prompt_cache_retention", read_nothing, 0, 0, 0, NULL},
    {"safety_identifier", read_nothing, 0, 0, 0, NULL},
    {"service_tier", read_nothing, 0, 0, 0, NULL},
    {"store", read_nothing, 0, 0, 0, NULL},
    {"user", read_nothing, 0, 0, 0, NULL},

    {"n", read_one, 0, 0, 0, NULL},
    {"modalities", read_modalities, 0, 0, 0, NULL},
    {"audio", read_refused, 0, 0, 0, NULL},
    {"logit_bias", read_refused, 0, 0, 0, NULL},
    {"logprobs", read_refused, 0, 0, 0, NULL},
    {"top_logprobs", read_refused, 0, 0, 0, NULL},
    {"prediction", read_refused, 0, 0, 0, NULL},
    {"web_search_options", read_refused, 0, 0, 0, NULL},
    {"function_call", read_functions, 0, 0, 0, NULL},
    {"functions", read_functions, 0, 0, 0, NULL},
};

static const struct field *find_field(const char *name)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    }
    return NULL;
}

/* What one member says of another. */
static bool check_together(const struct fd_completion_request *request, bool has_stream_options,
                           struct fd_completion_fault *fault)
{
    if (request->model.s == NULL)
        return fd_completion_missing(fault, "model");
    if (request->messages == NULL)
        return fd_completion_missing(fault, "messages");
    if (has_stream_options && !request->stream)
        return fd_completion_fault(fault, FD_FAULT_VALUE, "stream_options",
                                   "The 'stream_options' parameter is only allowed when 'stream' "
                                   "is enabled.");
    if (request->parallel_tool_calls >= 0 && request->tools == NULL)
        return fd_completion_fault(fault, FD_FAULT_VALUE, "parallel_tool_calls",
                                   "'parallel_tool_calls' is only allowed when 'tools' are "
                                   "specified.");
    return request->tool_choice == NULL ||
           fd_completion_check_choice(request->tool_choice, request->tools, fault);
}

bool fd_completion_request_read(const struct fd_json *body, struct fd_completion_request *request,
                                struct fd_completion_fault *fault)
{
    *request =
        (struct fd_completion_request){.temperature = -1, .top_p = -1, .parallel_tool_calls = -1};
    if (body == NULL || body->type != FD_JSON_OBJECT)
        return fd_completion_fault(fault, FD_FAULT_TYPE, "", "The body must be a JSON object.");
    for (const struct fd_json *value = body->child; value != NULL; value = value->next) {
        const struct field *field = find_field(value->key);
        if (field == NULL)
            return fd_completion_fault(fault, FD_FAULT_UNKNOWN, value->key,
                                       "Unknown parameter: '%.96s'.", value->key);
        /* null is the same as absent, as a client sends what it does not have */
        if (value->type != FD_JSON_NULL && !field->read(field, value, request, fault))
            return false;
    }
    return check_together(request, fd_completion_given(fd_json_get(body, "stream_options")), fault);
}

/* -- the canonical form ---------------------------------------------------------------- */

static void write_value(struct fd_json_writer *w, const char *key, const struct fd_json *value)
{
    if (value == NULL)
        return;
    fd_jw_key(w, key);
    fd_jw_json(w, value);
}

static void write_number(struct fd_json_writer *w, const char *key, double value, double unsaid)
{
    if (value == unsaid)
        return;
    fd_jw_key(w, key);
    fd_jw_double(w, value);
}

static void write_word(struct fd_json_writer *w, const char *key, const char *word)
{
    if (word != NULL)
        fd_jw_member(w, key, word);
}

static void write_stream(struct fd_json_writer *w, const struct fd_completion_request *request)
{
    if (!request->stream)
        return;
    fd_jw_member_bool(w, "stream", true);
    if (request->include_usage) {
        fd_jw_key(w, "stream_options");
        fd_jw_object(w);
        fd_jw_member_bool(w, "include_usage", true);
        fd_jw_end_object(w);
    }
}

void fd_completion_request_write(struct fd_json_writer *w,
                                 const struct fd_completion_request *request)
{
    fd_jw_object(w);
    fd_jw_key(w, "model");
    fd_jw_string(w, request->model.s, request->model.len);
    write_value(w, "messages", request->messages);
    write_stream(w, request);
    if (request->max_tokens > 0)
        fd_jw_member_int(w, "max_completion_tokens", request->max_tokens);
    write_number(w, "temperature", request->temperature, -1);
    write_number(w, "top_p", request->top_p, -1);
    write_number(w, "frequency_penalty", request->frequency_penalty, 0);
    write_number(w, "presence_penalty", request->presence_penalty, 0);
    if (request->has_seed)
        fd_jw_member_int(w, "seed", request->seed);
    write_value(w, "stop", request->stop);
    write_value(w, "tools", request->tools);
    write_value(w, "tool_choice", request->tool_choice);
    if (request->parallel_tool_calls >= 0)
        fd_jw_member_bool(w, "parallel_tool_calls", request->parallel_tool_calls > 0);
    write_value(w, "response_format", request->response_format);
    write_word(w, "reasoning_effort", request->reasoning_effort);
    write_word(w, "verbosity", request->verbosity);
    fd_jw_end_object(w);
}
