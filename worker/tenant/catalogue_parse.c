#include "tenant/catalogue.h"

#include "protocol/json.h"
#include "protocol/limits.h"

#include <stdio.h>
#include <string.h>

#define NODES_MAX      400000
#define NAME_MAX_LEN   200
#define WORD_MAX_LEN   64
#define MODALITIES_MAX 16
#define CONTEXT_MAX    1000000000
#define PRICE_MAX      1000000000000 /* a million dollars a million tokens: not a price */
#define EXPONENT_MAX   40

/* A list being read. */
struct reader {
    struct arena *arena;
    const struct catalogue_defaults *defaults;
    const char *member; /* "models" or "data" */
    size_t index;       /* of the entry */
    char *error;
};

static bool refuse(const struct reader *r, const char *field, const char *why)
{
    snprintf(r->error, 256, "%s[%zu]%s%s: %s", r->member, r->index, *field != '\0' ? "." : "",
             field, why);
    return false;
}

/* -- values ------------------------------------------------------------------------ */

/* Shown on terminals and in pages: no control characters. */
static bool is_printable(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < ' ' || c == 0x7F || (c == 0xC2 && (unsigned char)text[i + 1] < 0xA0)) {
            return false;
        }
    }
    return true;
}

/* A text member; NULL in *out where it is absent or null. */
static bool read_text(const struct reader *r, const struct fd_json *entry, const char *field,
                      size_t max, const char **out)
{
    const struct fd_json *value = fd_json_get(entry, field);

    *out = NULL;
    if (value == NULL || value->type == FD_JSON_NULL) {
        return true;
    }
    if (value->type != FD_JSON_STRING) {
        return refuse(r, field, "must be a string");
    }
    if (value->text_len == 0 || value->text_len > max ||
        !is_printable(value->text, value->text_len)) {
        return refuse(r, field, "is empty, too long or has control characters");
    }
    *out = value->text;
    return true;
}

static bool read_id(const struct reader *r, const struct fd_json *entry, const char *field,
                    const char **id)
{
    if (!read_text(r, entry, field, FD_MODEL_ID_MAX, id)) {
        return false;
    }
    if (*id == NULL) {
        return refuse(r, field, "is missing");
    }
    return strchr(*id, ' ') == NULL ? true : refuse(r, field, "must have no blanks");
}

static bool read_context(const struct reader *r, const struct fd_json *entry, int64_t *length)
{
    const struct fd_json *value = fd_json_get(entry, "context_length");

    *length = -1;
    if (value == NULL || value->type == FD_JSON_NULL) {
        return true;
    }
    if (value->type != FD_JSON_NUMBER || !value->is_integer || value->integer < 0 ||
        value->integer > CONTEXT_MAX) {
        return refuse(r, "context_length", "must be a number of tokens");
    }
    *length = value->integer > 0 ? value->integer : -1;
    return true;
}

static bool read_modalities(const struct reader *r, const struct fd_json *list,
                            struct catalogue_model *model)
{
    if (list == NULL || list->type == FD_JSON_NULL) {
        return true;
    }
    if (list->type != FD_JSON_ARRAY || list->count > MODALITIES_MAX) {
        return refuse(r, "modalities", "must be a short list of words");
    }
    const char **words = arena_alloc(r->arena, (list->count + 1) * sizeof(*words));
    for (const struct fd_json *word = list->child; word != NULL; word = word->next) {
        if (word->type != FD_JSON_STRING || word->text_len == 0 || word->text_len > WORD_MAX_LEN ||
            !is_printable(word->text, word->text_len)) {
            return refuse(r, "modalities", "must be a short list of words");
        }
        words[model->modality_count++] = word->text;
    }
    model->modalities = words;
    return true;
}

static bool read_own_tools(const struct reader *r, const struct fd_json *entry,
                           struct catalogue_model *model)
{
    const struct fd_json *value = fd_json_get(entry, "supports_tools");

    if (value == NULL || value->type == FD_JSON_NULL) {
        return true;
    }
    if (value->type != FD_JSON_BOOL) {
        return refuse(r, "supports_tools", "must be true or false");
    }
    model->tools = value->boolean;
    return true;
}

/* A list of what may be asked of it: "tools", or not. Anything else says nothing. */
static void read_listed_tools(const struct fd_json *list, struct catalogue_model *model)
{
    if (list == NULL || list->type != FD_JSON_ARRAY || list->count == 0) {
        return;
    }
    model->tools = 0;
    for (const struct fd_json *word = list->child; word != NULL; word = word->next) {
        if (word->type == FD_JSON_STRING && strcmp(word->text, "tools") == 0) {
            model->tools = 1;
        }
    }
}

/* -- prices ------------------------------------------------------------------------ */

struct decimal {
    unsigned __int128 digits;
    int exponent;
    bool negative, huge;
};

static const char *scan_digits(const char *at, struct decimal *d, int step)
{
    for (; *at >= '0' && *at <= '9'; at++) {
        if (d->digits > (unsigned __int128)1 << 100) {
            d->huge = d->huge || step == 0; /* behind the point they no longer matter */
            continue;
        }
        d->digits = d->digits * 10 + (unsigned)(*at - '0');
        d->exponent -= step;
    }
    return at;
}

static bool scan(const char *at, struct decimal *d)
{
    *d = (struct decimal){0};
    d->negative = *at == '-';
    at += d->negative;
    const char *first = at;
    at = scan_digits(at, d, 0);
    if (at == first) {
        return false;
    }
    if (*at == '.') {
        first = ++at;
        at = scan_digits(at, d, 1);
        if (at == first) {
            return false;
        }
    }
    if (*at == 'e' || *at == 'E') {
        struct decimal power = {0};
        bool below = at[1] == '-';
        at += 1 + (at[1] == '-' || at[1] == '+');
        first = at;
        at = scan_digits(at, &power, 0);
        if (at == first) {
            return false;
        }
        int most = power.digits > EXPONENT_MAX ? EXPONENT_MAX : (int)power.digits;
        d->exponent += below ? -most : most;
    }
    return *at == '\0';
}

bool catalogue_decimal(const char *text, int shift, int64_t *value)
{
    struct decimal d;

    *value = -1;
    if (!scan(text, &d)) {
        return false;
    }
    int power = d.exponent + shift;
    for (; power > 0 && d.digits <= PRICE_MAX; power--) {
        d.digits *= 10;
        if (d.digits == 0) {
            break;
        }
    }
    for (; power < -1; power++) {
        d.digits /= 10;
    }
    if (power == -1) {
        d.digits = (d.digits + 5) / 10;
    }
    bool zero = d.digits == 0 && !d.huge;
    if ((!d.negative || zero) && !d.huge && d.digits <= PRICE_MAX) {
        *value = (int64_t)d.digits;
    }
    return true;
}

/* A number or, as OpenRouter writes it, a number in a string. */
static bool read_price(const struct reader *r, const struct fd_json *prices, const char *field,
                       int shift, int64_t *price)
{
    const struct fd_json *value = fd_json_get(prices, field);

    *price = -1;
    if (value == NULL || value->type == FD_JSON_NULL) {
        return true;
    }
    if ((value->type != FD_JSON_STRING && value->type != FD_JSON_NUMBER) ||
        !catalogue_decimal(value->text, shift, price)) {
        return refuse(r, field, "must be a price");
    }
    return true;
}

static bool find_prices(const struct reader *r, const struct fd_json *entry, const char *field,
                        const struct fd_json **prices)
{
    *prices = fd_json_get(entry, field);
    if (*prices == NULL || (*prices)->type == FD_JSON_NULL) {
        *prices = NULL;
        return true;
    }
    return (*prices)->type == FD_JSON_OBJECT ? true : refuse(r, field, "must be an object");
}

/* -- entries ----------------------------------------------------------------------- */

static bool read_own(const struct reader *r, const struct fd_json *entry, struct catalogue_model *m)
{
    const struct fd_json *prices;

    if (!read_id(r, entry, "model_id", &m->id) ||
        !read_text(r, entry, "provider", WORD_MAX_LEN, &m->provider) ||
        !read_modalities(r, fd_json_get(entry, "modalities"), m) || !read_own_tools(r, entry, m) ||
        !find_prices(r, entry, "usd_per_mtok", &prices)) {
        return false;
    }
    m->price.said = true;
    return read_price(r, prices, "input", 6, &m->price.input) &&
           read_price(r, prices, "output", 6, &m->price.output) &&
           read_price(r, prices, "cache_read", 6, &m->price.cache_read) &&
           read_price(r, prices, "cache_write", 6, &m->price.cache_write);
}

/* Dollars a token. A fee for each request is beyond what tokens can tell: then the price
 * is not known. */
static bool read_listed(const struct reader *r, const struct fd_json *entry,
                        struct catalogue_model *m)
{
    const struct fd_json *prices;
    int64_t request;

    if (!read_id(r, entry, "id", &m->id) ||
        !read_modalities(r, fd_json_get(fd_json_get(entry, "architecture"), "input_modalities"),
                         m) ||
        !find_prices(r, entry, "pricing", &prices) ||
        !read_price(r, prices, "prompt", 12, &m->price.input) ||
        !read_price(r, prices, "completion", 12, &m->price.output) ||
        !read_price(r, prices, "input_cache_read", 12, &m->price.cache_read) ||
        !read_price(r, prices, "input_cache_write", 12, &m->price.cache_write) ||
        !read_price(r, prices, "request", 12, &request)) {
        return false;
    }
    read_listed_tools(fd_json_get(entry, "supported_parameters"), m);
    m->price.said = prices != NULL;
    m->provider = prices != NULL ? "openrouter" : "openai";
    if (request > 0) {
        m->price.input = m->price.output = -1;
    }
    return true;
}

static bool read_entry(const struct reader *r, const struct fd_json *entry,
                       struct catalogue_model *m)
{
    *m = (struct catalogue_model){.context_length = -1, .tools = -1};
    if (entry->type != FD_JSON_OBJECT) {
        return refuse(r, "", "must be an object");
    }
    bool listed = strcmp(r->member, "data") == 0;
    if (!(listed ? read_listed : read_own)(r, entry, m) ||
        !read_text(r, entry, "name", NAME_MAX_LEN, &m->name) ||
        !read_text(r, entry, "region", WORD_MAX_LEN, &m->region) ||
        !read_context(r, entry, &m->context_length)) {
        return false;
    }
    if (r->defaults->provider != NULL && (listed || m->provider == NULL)) {
        m->provider = r->defaults->provider;
    }
    if (m->provider == NULL) {
        return refuse(r, "provider", "is missing");
    }
    if (m->region == NULL) {
        m->region = r->defaults->region;
    }
    if (m->price.input < 0 || m->price.output < 0) {
        m->price = (struct catalogue_price){m->price.said, -1, -1, -1, -1};
    }
    return true;
}

/* -- the list ---------------------------------------------------------------------- */

static bool is_date(const char *text)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day, end = 0;

    return strlen(text) == 10 && sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &end) == 3 &&
           end == 10 && year >= 2000 && month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] &&
           (month != 2 || day < 29 || (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)));
}

static bool is_listed_twice(const struct reader *r, const struct catalogue_model *models)
{
    for (size_t i = 0; i < r->index; i++) {
        if (strcmp(models[i].id, models[r->index].id) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_list(struct reader *r, const struct fd_json *entries, struct catalogue_list *list)
{
    struct catalogue_model *models = arena_alloc(r->arena, (entries->count + 1) * sizeof(*models));

    for (const struct fd_json *entry = entries->child; entry != NULL; entry = entry->next) {
        if (!read_entry(r, entry, &models[r->index])) {
            return false;
        }
        if (is_listed_twice(r, models)) {
            return refuse(r, "", "is listed twice");
        }
        list->unpriced += models[r->index].price.input < 0;
        r->index++;
    }
    list->models = models;
    list->count = r->index;
    return true;
}

static bool complain(char error[256], const char *why)
{
    snprintf(error, 256, "%s", why);
    return false;
}

bool catalogue_parse(struct arena *a, const char *json, size_t len,
                     const struct catalogue_defaults *defaults, struct catalogue_list *list,
                     char error[256])
{
    struct reader r = {.arena = a, .defaults = defaults, .error = error};
    struct fd_json_fault fault;

    *list = (struct catalogue_list){0};
    if (len > CATALOGUE_BYTES_MAX) {
        return complain(error, "the list is too long");
    }
    const struct fd_json *root = fd_json_parse(
        json, len, (struct fd_json_limits){.nodes = NODES_MAX}, arena_allocator(a), &fault);
    if (root == NULL) {
        snprintf(error, 256, "%s (at byte %zu%s%.100s)", fd_json_error_text(fault.error),
                 fault.offset, fault.where[0] != '\0' ? ", " : "", fault.where);
        return false;
    }
    r.member = fd_json_get(root, "data") != NULL ? "data" : "models";
    const struct fd_json *entries = fd_json_get(root, r.member);
    if (entries == NULL || entries->type != FD_JSON_ARRAY) {
        return complain(error, "it is no list of models: {\"models\": [...]} or a provider's "
                               "{\"data\": [...]} would be right");
    }
    if (entries->count == 0 || entries->count > CATALOGUE_MODELS_MAX) {
        return complain(error, "the list has no models, or too many");
    }
    list->effective_from = fd_json_string(root, "effective_from");
    if (list->effective_from != NULL && !is_date(list->effective_from)) {
        return complain(error, "effective_from: must be a date as 2025-09-01");
    }
    if (list->effective_from == NULL && strcmp(r.member, "models") == 0) {
        return complain(error, "effective_from: a list of prices must have its date");
    }
    return read_list(&r, entries, list);
}
