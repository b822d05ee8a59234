/* ENG-3: tenant/catalogue.h - lists of models, kind and hostile, and prices with dates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/buf.h"
#include "core/file.h"
#include "schema_fixture.h"
#include "tenant/catalogue.h"

static struct pg_fixture pg;
static struct arena arena;
static struct db *db;
static char error[256];

static bool read_list(const char *json, const struct catalogue_defaults *defaults,
                      struct catalogue_list *list)
{
    static const struct catalogue_defaults none = {0};
    error[0] = '\0';
    return catalogue_parse(&arena, json, strlen(json), defaults != NULL ? defaults : &none, list,
                           error);
}

static void refuse(const char *json, const char *why)
{
    struct catalogue_list list;
    if (read_list(json, NULL, &list))
        fail_msg("taken: %s", json);
    if (strstr(error, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error, why);
}

static void decimals_are_exact(void **state)
{
    static const struct {
        const char *text;
        int shift;
        int64_t value;
    } cases[] = {
        {"0.0000004", 12, 400000},
        {"0.40", 6, 400000},
        {"4e-7", 12, 400000},
        {"4.0E-07", 12, 400000},
        {"0.000003", 12, 3000000},
        {"15", 6, 15000000},
        {"0", 12, 0},
        {"-0.0", 12, 0},
        {"0.0000000000004", 12, 0}, /* below half of the least */
        {"0.0000000000005", 12, 1},
        {"0.000000000000000000000000000000000000000000000000000000001", 12, 0},
        {"-1", 12, -1},
        {"1000000", 6, 1000000000000},
        {"1000001", 6, -1},
        {"1e400", 6, -1},
        {"99999999999999999999999999999999999999999999999999999999999999", 6, -1},
        {"1e-400", 6, 0},
    };
    static const char *const nonsense[] = {"",   "x",    "1.",    ".5",    "1e",    "--1",
                                           "1 ", "0x10", "1.2.3", "1e5e5", "nan",   "inf",
                                           "+1", "1,5",  " 1",    "1e+",   "1_000", "-"};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t value = 77;
        assert_true(catalogue_decimal(cases[i].text, cases[i].shift, &value));
        if (value != cases[i].value)
            fail_msg("%s: %lld", cases[i].text, (long long)value);
    }
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++) {
        int64_t value = 77;
        if (catalogue_decimal(nonsense[i], 6, &value))
            fail_msg("\"%s\" is a number: %lld", nonsense[i], (long long)value);
    }
}

static const char openrouter[] =
    "{\"data\":[{\"id\":\"anthropic/claude-3-opus\",\"name\":\"Anthropic: Claude 3 Opus\","
    "\"created\":1709596800,\"description\":\"...\",\"context_length\":200000,"
    "\"architecture\":{\"modality\":\"text+image->text\",\"input_modalities\":[\"text\",\"image\"],"
    "\"output_modalities\":[\"text\"],\"tokenizer\":\"Claude\",\"instruct_type\":null},"
    "\"pricing\":{\"prompt\":\"0.000015\",\"completion\":\"0.000075\",\"request\":\"0\","
    "\"image\":\"0.024\",\"input_cache_read\":\"0.0000015\",\"input_cache_write\":\"0.00001875\"},"
    "\"top_provider\":{\"context_length\":200000},\"per_request_limits\":null,"
    "\"supported_parameters\":[\"tools\"]},"
    "{\"id\":\"openrouter/auto\",\"name\":\"Auto\",\"context_length\":2000000,"
    "\"pricing\":{\"prompt\":\"-1\",\"completion\":\"-1\"}},"
    "{\"id\":\"x/half\",\"pricing\":{\"prompt\":\"0.000001\"}},"
    "{\"id\":\"x/fee\",\"pricing\":{\"prompt\":\"0.000001\",\"completion\":\"0.000001\","
    "\"request\":\"0.01\"}},"
    "{\"id\":\"x/free\",\"context_length\":null,\"pricing\":{\"prompt\":\"0\",\"completion\":0}}]}";

static void a_providers_list(void **state)
{
    struct catalogue_list list;
    (void)state;
    assert_true(read_list(openrouter, NULL, &list));
    assert_int_equal(list.count, 5);
    assert_int_equal(list.unpriced, 3);
    assert_null(list.effective_from);
    const struct catalogue_model *m = list.models;
    assert_string_equal(m->id, "anthropic/claude-3-opus");
    assert_string_equal(m->provider, "openrouter");
    assert_int_equal(m->context_length, 200000);
    assert_int_equal(m->modality_count, 2);
    assert_string_equal(m->modalities[1], "image");
    assert_int_equal(m->tools, 1);              /* ENG-10 */
    assert_int_equal(list.models[1].tools, -1); /* it does not say */
    assert_int_equal(m->price.input, 15000000);
    assert_int_equal(m->price.output, 75000000);
    assert_int_equal(m->price.cache_read, 1500000);
    assert_int_equal(m->price.cache_write, 18750000);
    for (size_t i = 1; i < 4; i++) { /* negative, missing, with a fee: not known, never 0 */
        assert_true(list.models[i].price.said);
        assert_int_equal(list.models[i].price.input, -1);
        assert_int_equal(list.models[i].price.output, -1);
    }
    assert_int_equal(list.models[4].price.input, 0); /* said to be free */
    assert_int_equal(list.models[4].context_length, -1);

    /* OpenAI, vLLM: names only; nothing is said of prices */
    const struct catalogue_defaults eu = {"vllm", "eu"};
    assert_true(read_list("{\"object\":\"list\",\"data\":[{\"id\":\"llama\"},"
                          "{\"id\":\"mine\",\"region\":\"us\"}]}",
                          &eu, &list));
    assert_false(list.models[0].price.said);
    assert_string_equal(list.models[0].provider, "vllm");
    assert_string_equal(list.models[0].region, "eu");
    assert_string_equal(list.models[1].region, "us");
    assert_null(list.models[0].name);
}

static void the_shipped_list_has_its_date(void **state)
{
    struct catalogue_list list;
    size_t len;
    (void)state;
    const char *json = file_read(&arena, "conf/models.json", CATALOGUE_BYTES_MAX, &len, error);
    assert_non_null(json);
    if (!read_list(json, NULL, &list))
        fail_msg("%s", error);
    assert_non_null(list.effective_from);
    assert_int_equal(list.unpriced, 0);
    assert_true(list.count > 20);
}

static void hostile_lists_are_refused_whole(void **state)
{
    static const char *const cases[][2] = {
        {"", "at byte"},
        {"nonsense", "at byte"},
        {"[]", "no list of models"},
        {"{}", "no list of models"},
        {"null", "no list of models"},
        {"{\"data\":{}}", "no list of models"},
        {"{\"data\":[]}", "no models"},
        {"{\"data\":[5]}", "data[0]: must be an object"},
        {"{\"data\":[{}]}", "data[0].id: is missing"},
        {"{\"data\":[{\"id\":\"a\"},{\"id\":7}]}", "data[1].id: must be a string"},
        {"{\"data\":[{\"id\":\"\"}]}", "data[0].id"},
        {"{\"data\":[{\"id\":\"a b\"}]}", "blanks"},
        {"{\"data\":[{\"id\":\"a\\u001b[2J\"}]}", "control characters"},
        {"{\"data\":[{\"id\":\"a\",\"name\":\"x\\u009b\"}]}", "control characters"},
        {"{\"data\":[{\"id\":\"a\\u0000\"}]}", "at byte"},
        {"{\"data\":[{\"id\":\"a\"},{\"id\":\"a\"}]}", "data[1]: is listed twice"},
        {"{\"data\":[{\"id\":\"a\",\"id\":\"b\"}]}", "at byte"},
        {"{\"data\":[{\"id\":\"a\",\"context_length\":-5}]}", "context_length"},
        {"{\"data\":[{\"id\":\"a\",\"context_length\":1.5}]}", "context_length"},
        {"{\"data\":[{\"id\":\"a\",\"context_length\":\"many\"}]}", "context_length"},
        {"{\"data\":[{\"id\":\"a\",\"context_length\":99999999999}]}", "context_length"},
        {"{\"data\":[{\"id\":\"a\",\"pricing\":[]}]}", "pricing: must be an object"},
        {"{\"data\":[{\"id\":\"a\",\"pricing\":{\"prompt\":{}}}]}", "prompt: must be a price"},
        {"{\"data\":[{\"id\":\"a\",\"pricing\":{\"prompt\":\"cheap\"}}]}", "prompt"},
        {"{\"data\":[{\"id\":\"a\",\"architecture\":{\"input_modalities\":\"text\"}}]}",
         "modalities"},
        {"{\"data\":[{\"id\":\"a\",\"region\":{}}]}", "region"},
        {"{\"effective_from\":\"2025-01-01\",\"models\":[{\"model_id\":\"a\",\"provider\":\"p\","
         "\"supports_tools\":1}]}",
         "supports_tools: must be true or false"},
        {"{\"models\":[{\"model_id\":\"a\",\"provider\":\"p\"}]}", "must have its date"},
        {"{\"effective_from\":\"yesterday\",\"models\":[{\"model_id\":\"a\"}]}", "date"},
        {"{\"effective_from\":\"2025-02-29\",\"models\":[{\"model_id\":\"a\"}]}", "date"},
        {"{\"effective_from\":\"2025-01-01'; DROP\",\"models\":[{\"model_id\":\"a\"}]}", "date"},
        {"{\"effective_from\":\"2025-01-01\",\"models\":[{\"model_id\":\"a\"}]}",
         "models[0].provider: is missing"},
        {"{\"data\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}", "at byte"},
    };
    struct catalogue_list list;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        refuse(cases[i][0], cases[i][1]);

    struct buf many;
    buf_init(&many, 8 << 20);
    buf_puts(&many, "{\"data\":[");
    for (int i = 0; i <= CATALOGUE_MODELS_MAX; i++)
        buf_printf(&many, "%s{\"id\":\"m%d\"}", i > 0 ? "," : "", i);
    buf_puts(&many, "]}");
    refuse(many.data, "too many");
    buf_free(&many);
    char long_id[400] = "{\"data\":[{\"id\":\"";
    memset(long_id + strlen(long_id), 'x', 200);
    strcat(long_id, "\"}]}");
    refuse(long_id, "too long");
    assert_true(
        read_list("{\"data\":[{\"id\":\"a\",\"x\":[{\"y\":{}}]}],\"more\":1}", NULL, &list));
}

/* -- stored ----------------------------------------------------------------------------- */

static void put(const char *json, int64_t expected)
{
    struct catalogue_list list;
    int64_t prices = -1;
    if (!read_list(json, NULL, &list))
        fail_msg("%s", error);
    if (catalogue_store(db, &list, &prices) != DB_OK)
        fail_msg("%s", db_error(db));
    assert_int_equal(prices, expected);
}

static const char *price(const char *model)
{
    char sql[256];
    snprintf(sql, sizeof(sql),
             "SELECT concat_ws(' ', effective_from, input_per_mtok, output_per_mtok)"
             " FROM model_price('%s')",
             model);
    return pg_do(&pg, sql);
}

static void prices_have_dates(void **state)
{
    (void)state;
    put("{\"effective_from\":\"2024-01-01\",\"models\":[{\"model_id\":\"m\",\"provider\":\"p\","
        "\"name\":\"M\",\"context_length\":1000,\"region\":\"eu\",\"modalities\":[\"text\","
        "\"image\"],"
        "\"usd_per_mtok\":{\"input\":1,\"output\":2}}]}",
        1);
    assert_string_equal(price("m"), "2024-01-01 1000000 2000000");
    put("{\"effective_from\":\"2025-01-01\",\"models\":[{\"model_id\":\"m\",\"provider\":\"p\","
        "\"usd_per_mtok\":{\"input\":1,\"output\":2}}]}",
        0); /* the same price: no new row, and nothing else is lost */
    assert_string_equal(pg_do(&pg, "SELECT concat_ws(' ', name, context_length, region,"
                                   " array_length(modalities, 1)) FROM model_catalog"),
                        "M 1000 eu 2");
    put("{\"effective_from\":\"2025-02-01\",\"models\":[{\"model_id\":\"m\",\"provider\":\"p\","
        "\"usd_per_mtok\":{\"input\":3,\"output\":4}}]}",
        1);
    put("{\"effective_from\":\"2999-01-01\",\"models\":[{\"model_id\":\"m\",\"provider\":\"p\","
        "\"usd_per_mtok\":{\"input\":9,\"output\":9}}]}",
        1); /* announced: not yet */
    assert_string_equal(price("m"), "2025-02-01 3000000 4000000");
    put("{\"effective_from\":\"2023-01-01\",\"models\":[{\"model_id\":\"m\",\"provider\":\"p\","
        "\"usd_per_mtok\":{\"input\":7,\"output\":7}}]}",
        1); /* older: history */
    assert_string_equal(price("m"), "2025-02-01 3000000 4000000");

    put("{\"data\":[{\"id\":\"m\",\"supported_parameters\":[\"stop\"]}]}", 0);
    put("{\"data\":[{\"id\":\"m\"}]}", 0); /* says nothing of prices, nor of tools */
    assert_string_equal(price("m"), "2025-02-01 3000000 4000000");
    put("{\"data\":[{\"id\":\"m\",\"pricing\":{\"prompt\":\"-1\",\"completion\":\"-1\"}}]}", 1);
    assert_string_equal(pg_do(&pg, "SELECT input_per_mtok IS NULL FROM model_price('m')"), "t");
    put("{\"data\":[{\"id\":\"m\",\"pricing\":{\"prompt\":\"-1\",\"completion\":\"-1\"}}]}", 0);
    put("{\"data\":[{\"id\":\"m\",\"pricing\":{\"prompt\":\"0.000001\",\"completion\":\"1e-6\"}}]}",
        1); /* known again, the same day */
    assert_string_equal(pg_do(&pg, "SELECT input_per_mtok FROM model_price('m')"), "1000000");
    put(openrouter, 2); /* of five, two prices are known */
    put(openrouter, 0);
    assert_string_equal(price("x/half"), "");
    assert_string_equal(
        pg_do(&pg, "SELECT model_facts(ARRAY['v/m', 'x/free', 'none', NULL])"),
        "[[\"m\", \"eu\", 1000, 1000000, 1000000, 0], [\"x/free\", null, null, 0, 0, null]]");
    assert_string_equal(pg_do(&pg, "SELECT model_price_hint(3000000, 15000000, 200000)"),
                        "$9.00/1M tokens \xc2\xb7 200k context");
    assert_string_equal(pg_do(&pg, "SELECT model_price_hint(NULL, 15000000, 8191)"), "8k context");
    assert_string_equal(pg_do(&pg, "SELECT coalesce(model_price_hint(NULL, 1, NULL), 'none')"),
                        "none");
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    if (!schema_start(&pg))
        return -1;
    db = db_new(pg.app, "test");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    db_free(db);
    arena_free(&arena);
    pg_end(&pg);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_exact),
        cmocka_unit_test(a_providers_list),
        cmocka_unit_test(the_shipped_list_has_its_date),
        cmocka_unit_test(hostile_lists_are_refused_whole),
        cmocka_unit_test(prices_have_dates),
    };
    return cmocka_run_group_tests_name("catalogue", tests, set_up, tear_down);
}
