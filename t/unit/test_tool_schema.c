/* ENG-10: tool/schema.h against the meaning of JSON Schema draft 2020-12. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/clock.h"
#include "tool/schema.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static const struct fd_json *parse(const char *text)
{
    const struct fd_json_limits limits = {TOOL_SCHEMA_DEPTH, 100000};
    struct fd_json_fault fault;
    const struct fd_json *json =
        fd_json_parse(text, strlen(text), limits, arena_allocator(&arena), &fault);

    if (json == NULL)
        fail_msg("test data: %s: %s", text, fd_json_error_text(fault.error));
    return json;
}

static const struct tool_schema *compiled(const char *text)
{
    struct tool_schema_fault fault;
    const struct tool_schema *schema = tool_schema_compile(&arena, parse(text), &fault);

    if (schema == NULL)
        fail_msg("%s: %s: %s", text, fault.where, fault.text);
    return schema;
}

/* A value that meets the schema, one that does not; NULL: there is none. */
struct meaning {
    const char *schema;
    const char *good[10];
    const char *bad[10];
};

static void hold(const struct meaning *cases, size_t count)
{
    struct tool_schema_fault fault;

    for (size_t i = 0; i < count; i++) {
        const struct tool_schema *schema = compiled(cases[i].schema);
        for (size_t k = 0; k < 10 && cases[i].good[k] != NULL; k++) {
            if (!tool_schema_check(schema, parse(cases[i].good[k]), &fault))
                fail_msg("%s refuses %s: %s: %s", cases[i].schema, cases[i].good[k], fault.where,
                         fault.text);
        }
        for (size_t k = 0; k < 10 && cases[i].bad[k] != NULL; k++) {
            if (tool_schema_check(schema, parse(cases[i].bad[k]), &fault))
                fail_msg("%s takes %s", cases[i].schema, cases[i].bad[k]);
            assert_string_not_equal(fault.text, "");
            assert_int_equal(fault.where[0], '$');
        }
    }
}

#define HOLD(cases) hold(cases, sizeof(cases) / sizeof((cases)[0]))

static void eng_10_any_type(void **state)
{
    static const struct meaning cases[] = {
        {"true", {"1", "null", "{}"}, {NULL}},
        {"{}", {"1", "null", "[]"}, {NULL}},
        {"false", {NULL}, {"1", "null", "{}"}},
        {"{\"type\":\"integer\"}",
         {"1", "1.0", "-0", "1e3", "9007199254740993", "123456789012345678901234567890"},
         {"1.5", "\"1\"", "true", "null", "[]", "1e-1"}},
        {"{\"type\":\"number\"}", {"1", "1.5", "-2e3"}, {"\"1\"", "false", "null"}},
        {"{\"type\":\"string\"}", {"\"\"", "\"1\""}, {"1", "null", "[]"}},
        {"{\"type\":\"boolean\"}", {"true", "false"}, {"0", "1", "\"\"", "null"}},
        {"{\"type\":\"null\"}", {"null"}, {"0", "false", "\"\"", "[]"}},
        {"{\"type\":[\"string\",\"null\"]}", {"\"a\"", "null"}, {"0", "{}"}},
        {"{\"type\":[\"integer\",\"string\"]}", {"1", "\"a\""}, {"1.5", "true"}},
        {"{\"enum\":[1,\"a\",null,{\"x\":1,\"y\":[2]}]}",
         {"1", "1.0", "\"a\"", "null", "{\"y\":[2.0],\"x\":1}"},
         {"\"1\"", "true", "{\"x\":1}", "[1]", "\"A\""}},
        {"{\"enum\":[false]}", {"false"}, {"0", "null", "[false]"}},
        {"{\"const\":[1,2]}", {"[1,2]", "[1.0,2]"}, {"[2,1]", "[1]", "{}"}},
        {"{\"const\":null}", {"null"}, {"0"}},
        {"{\"const\":9007199254740993}", {"9007199254740993"}, {"9007199254740992"}},
    };
    (void)state;
    HOLD(cases);
}

static void eng_10_numbers(void **state)
{
    static const struct meaning cases[] = {
        {"{\"minimum\":1.1}", {"1.1", "2", "\"0\"", "null"}, {"0.6", "1"}},
        {"{\"maximum\":3}", {"3", "3.0", "-1e9"}, {"3.0001", "4"}},
        {"{\"exclusiveMinimum\":1,\"exclusiveMaximum\":2}", {"1.5"}, {"1", "2", "1.0", "0"}},
        {"{\"maximum\":9007199254740992}", {"9007199254740992"}, {"9007199254740993"}},
        {"{\"multipleOf\":2}", {"10", "-4", "0", "\"x\""}, {"7", "1"}},
        {"{\"multipleOf\":0.01}", {"0.07", "19.99", "4.35", "0"}, {"0.0075", "1.001"}},
        {"{\"multipleOf\":0.5}", {"1e300", "2.5"}, {"2.4"}},
        {"{\"multipleOf\":1e-300}", {"0"}, {"1e300"}},
        {"{\"multipleOf\":1.5}", {"4.5", "-3"}, {"4"}},
    };
    (void)state;
    HOLD(cases);
}

static void eng_10_strings(void **state)
{
    static const struct meaning cases[] = {
        /* code points, not bytes and not UTF-16 units */
        {"{\"minLength\":2}", {"\"\u05e9\u05dc\"", "\"ab\"", "1"}, {"\"\U0001F4A9\"", "\"a\""}},
        {"{\"maxLength\":2}", {"\"\U0001F4A9\U0001F4A9\"", "\"\""}, {"\"abc\""}},
        {"{\"maxLength\":2.0}", {"\"ab\""}, {"\"abc\""}},
        {"{\"pattern\":\"a+\"}", {"\"xaay\"", "1"}, {"\"xyz\"", "\"\""}}, /* not anchored */
        {"{\"pattern\":\"^ORD-[0-9]{4}$\"}",
         {"\"ORD-1234\""},
         {"\"ORD-1234\\n\"", "\"xORD-1234\"", "\"ORD-12345\""}},
        {"{\"pattern\":\"^.$\"}", {"\"\U0001F4A9\"", "\"\u05e9\""}, {"\"ab\"", "\"\\n\""}},
        {"{\"pattern\":\"^\\\\d+$\"}",
         {"\"12\""},
         {"\"\u0661\""}}, /* ASCII digits, as in ECMA-262 */
        {"{\"pattern\":\"^\\\\p{Hebrew}+$\"}", {"\"\u05e9\u05dc\u05d5\u05dd\""}, {"\"shalom\""}},
        {"{\"pattern\":\"^\\\\u0041\\\\x42$\"}", {"\"AB\""}, {"\"ab\""}},
        {"{\"pattern\":\"\"}", {"\"\"", "\"a\""}, {NULL}},
        {"{\"format\":\"date\"}",
         {"\"2024-02-29\"", "\"2000-02-29\"", "5"},
         {"\"2023-02-29\"", "\"1900-02-29\"", "\"2024-13-01\"", "\"2024-04-31\"", "\"2024-1-1\"",
          "\"14.3.2024\"", "\"2024-00-10\"", "\"2024-01-00\"", "\"\""}},
        {"{\"format\":\"date-time\"}",
         {"\"2024-02-29T09:30:00Z\"", "\"2024-02-29t09:30:00.123+02:00\"",
          "\"1990-12-31T23:59:60Z\""},
         {"\"2024-02-29T09:30:00\"", "\"2024-02-29 09:30:00Z\"", "\"2024-02-29T24:00:00Z\"",
          "\"2024-02-29T09:60:00Z\"", "\"2024-02-30T09:30:00Z\"", "\"2024-02-29T09:30:00.Z\"",
          "\"2024-02-29T09:30:00+2:00\"", "\"2024-02-29T09:30:00+25:00\""}},
        {"{\"format\":\"email\"}",
         {"\"a@b.example\"", "\"a.b+c@sub.b.example\"", "\"joe@localhost\"",
          "\"\u05d3\u05d5\u05d0@\u05d3.example\""},
         {"\"a\"", "\"@b.c\"", "\"a@\"", "\"a b@c.d\"", "\".a@b.c\"", "\"a..b@c.d\"", "\"a@b..c\"",
          "\"a@-b.c\"", "\"a@b@c\""}},
        {"{\"format\":\"uri\"}",
         {"\"https://example.com/a?b=c#d\"", "\"mailto:a@b.c\"", "\"urn:x:%20\""},
         {"\"/a/b\"", "\"example.com\"", "\"http://a b\"", "\"http://a/%zz\"", "\"http://a\\\\b\"",
          "\"\"", "\":a\"", "\"http://\u05d3\""}},
        {"{\"format\":\"uuid\"}",
         {"\"6f0c1b1e-5d2a-4c3b-9a8e-0123456789ab\"", "\"6F0C1B1E-5D2A-4C3B-9A8E-0123456789AB\""},
         {"\"6f0c1b1e5d2a4c3b9a8e0123456789ab\"", "\"6f0c1b1e-5d2a-4c3b-9a8e-0123456789a\"",
          "\"6f0c1b1e-5d2a-4c3b-9a8e-0123456789ag\""}},
        {"{\"format\":\"hostname\"}", {"\"not a host\""}, {NULL}}, /* an annotation */
    };
    (void)state;
    HOLD(cases);
}

static void eng_10_arrays(void **state)
{
    static const struct meaning cases[] = {
        {"{\"items\":{\"type\":\"integer\"}}", {"[]", "[1,2]", "{\"0\":\"x\"}"}, {"[1,\"x\"]"}},
        {"{\"items\":false}", {"[]"}, {"[1]"}},
        {"{\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}",
         {"[1,\"a\"]", "[1]", "[]", "[1,\"a\",true]"},
         {"[\"a\",1]", "[1,2]"}},
        {"{\"prefixItems\":[{}],\"items\":{\"type\":\"integer\"}}",
         {"[\"x\",1,2]", "[\"x\"]"},
         {"[1,\"x\"]"}},
        {"{\"prefixItems\":[{},{}],\"items\":false}", {"[1,2]"}, {"[1,2,3]"}},
        {"{\"minItems\":1,\"maxItems\":2}", {"[1]", "[1,2]", "\"\""}, {"[]", "[1,2,3]"}},
        {"{\"uniqueItems\":true}",
         {"[1,2]", "[1,true]", "[0,false]", "[[1],[2]]", "[{\"a\":1},{\"a\":2}]", "[1,\"1\"]"},
         {"[1,1]", "[1.0,1]", "[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]", "[[1],[1.0]]",
          "[null,null]"}},
        {"{\"uniqueItems\":false}", {"[1,1]"}, {NULL}},
    };
    (void)state;
    HOLD(cases);
}

static void eng_10_objects(void **state)
{
    static const struct meaning cases[] = {
        {"{\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":false}}",
         {"{}", "{\"a\":1}", "{\"c\":[]}", "[]", "\"a\""},
         {"{\"a\":\"x\"}", "{\"b\":1}", "{\"a\":1,\"b\":null}"}},
        {"{\"required\":[\"a\",\"b\"]}",
         {"{\"a\":null,\"b\":1}", "[]", "1"},
         {"{}", "{\"a\":1}", "{\"b\":1}"}},
        {"{\"required\":[]}", {"{}"}, {NULL}},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}",
         {"{}", "{\"a\":1}"},
         {"{\"b\":1}", "{\"a\":1,\"b\":1}", "{\"A\":1}"}},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":{\"type\":\"integer\"}}",
         {"{\"a\":\"x\",\"b\":1}"},
         {"{\"a\":1,\"b\":\"x\"}"}},
        /* it sees only the properties beside it, not those of allOf */
        {"{\"allOf\":[{\"properties\":{\"a\":{}}}],\"additionalProperties\":false}",
         {"{}"},
         {"{\"a\":1}"}},
        {"{\"minProperties\":1,\"maxProperties\":2}",
         {"{\"a\":1}", "{\"a\":1,\"b\":2}", "[]"},
         {"{}", "{\"a\":1,\"b\":2,\"c\":3}"}},
        {"{\"properties\":{\"$ref\":{\"type\":\"string\"},\"type\":{\"type\":\"string\"}}}",
         {"{\"$ref\":\"a\",\"type\":\"b\"}"},
         {"{\"$ref\":1}", "{\"type\":1}"}},
        {"{\"properties\":{\"a\":{\"properties\":{\"b\":{\"type\":\"null\"}}}}}",
         {"{\"a\":{\"b\":null}}", "{\"a\":1}"},
         {"{\"a\":{\"b\":1}}"}},
        {"{\"properties\":{\"a\":{\"default\":1,\"title\":\"t\",\"examples\":[],\"x-note\":{}}}}",
         {"{\"a\":\"anything\"}"},
         {NULL}},
    };
    (void)state;
    HOLD(cases);
}

static void eng_10_combinations(void **state)
{
    static const struct meaning cases[] = {
        {"{\"allOf\":[{\"minimum\":2},{\"maximum\":4}]}", {"3", "\"x\""}, {"1", "5"}},
        {"{\"anyOf\":[{\"type\":\"integer\"},{\"minimum\":2}]}", {"1", "2.5", "\"x\""}, {"1.5"}},
        {"{\"oneOf\":[{\"type\":\"integer\"},{\"minimum\":2}]}", {"1", "2.5"}, {"3", "1.5"}},
        {"{\"oneOf\":[true,true,true]}", {NULL}, {"1"}},
        {"{\"oneOf\":[true,false,false]}", {"1"}, {NULL}},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", {"\"a\"", "null"}, {"1"}},
        {"{\"not\":{\"type\":\"integer\"}}", {"\"a\"", "1.5"}, {"1", "2.0"}},
        {"{\"not\":{}}", {NULL}, {"1", "{}"}},
        {"{\"not\":{\"not\":{\"type\":\"null\"}}}", {"null"}, {"1"}},
        {"{\"not\":{\"required\":[\"a\",\"b\"]}}", {"{\"a\":1}", "{}"}, {"{\"a\":1,\"b\":2}"}},
        {"{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\"},\"mail\":{\"type\":"
         "\"string\"}},\"anyOf\":[{\"required\":[\"id\"]},{\"required\":[\"mail\"]}]}",
         {"{\"id\":\"1\"}", "{\"mail\":\"a\"}", "{\"id\":\"1\",\"mail\":\"a\"}"},
         {"{}", "{\"id\":1}", "{\"other\":1}"}},
        {"{\"enum\":[\"a\",\"b\"],\"type\":\"string\",\"not\":{\"const\":\"b\"}}",
         {"\"a\""},
         {"\"b\"", "\"c\""}},
    };
    (void)state;
    HOLD(cases);
}

static void eng_10_references(void **state)
{
    static const struct meaning cases[] = {
        {"{\"$defs\":{\"n\":{\"type\":\"integer\"}},\"properties\":{\"a\":{\"$ref\":\"#/$defs/"
         "n\"}}}",
         {"{\"a\":1}"},
         {"{\"a\":\"x\"}"}},
        /* draft 2020-12: what stands beside a $ref counts as well */
        {"{\"$defs\":{\"n\":{\"type\":\"integer\"}},\"$ref\":\"#/$defs/n\",\"minimum\":3}",
         {"3"},
         {"2", "3.5"}},
        {"{\"definitions\":{\"n\":{\"const\":1}},\"$ref\":\"#/definitions/n\"}", {"1"}, {"2"}},
        /* a tree */
        {"{\"$ref\":\"#/$defs/t\",\"$defs\":{\"t\":{\"type\":\"object\",\"required\":[\"v\"],"
         "\"properties\":{\"v\":{\"type\":\"integer\"},\"c\":{\"items\":{\"$ref\":\"#/$defs/"
         "t\"}}}}}}",
         {"{\"v\":1,\"c\":[{\"v\":2},{\"v\":3,\"c\":[]}]}"},
         {"{\"v\":1,\"c\":[{\"v\":\"x\"}]}", "{\"v\":1,\"c\":[{\"v\":2,\"c\":[{}]}]}"}},
        {"{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"additionalProperties\":false}",
         {"{\"a\":{\"a\":{}}}"},
         {"{\"a\":{\"b\":1}}"}},
        /* pointers: ~1 is /, ~0 is ~, %25 is % */
        {"{\"$defs\":{\"a/b~c%\":{\"const\":5}},\"$ref\":\"#/$defs/a~1b~0c%25\"}", {"5"}, {"6"}},
        {"{\"prefixItems\":[{\"const\":7},{\"$ref\":\"#/prefixItems/0\"}]}", {"[7,7]"}, {"[7,8]"}},
        {"{\"properties\":{\"a\":{\"type\":\"null\"},\"b\":{\"$ref\":\"#/properties/a\"}}}",
         {"{\"b\":null}"},
         {"{\"b\":1}"}},
    };
    (void)state;
    HOLD(cases);
}

/* What is refused when it is saved, and how that is said. */
static void eng_10_unsupported(void **state)
{
    static const struct {
        const char *schema;
        const char *where;
        const char *text;
    } cases[] = {
        {"{\"properties\":{\"a\":{\"patternProperties\":{}}}}", "$.properties.a.patternProperties",
         "\"patternProperties\" is not supported"},
        {"{\"if\":{}}", "$.if", "anyOf"},
        {"{\"nullable\":true}", "$.nullable", "[\"string\", \"null\"]"},
        {"{\"dependentRequired\":{}}", "$.dependentRequired", "not supported"},
        {"{\"unevaluatedProperties\":false}", "$.unevaluatedProperties", "additionalProperties"},
        {"{\"contains\":{}}", "$.contains", "not supported"},
        {"{\"$dynamicRef\":\"#a\"}", "$.$dynamicRef", "$ref"},
        {"{\"requird\":[]}", "$.requird", "\"requird\" is not a keyword"},
        {"{\"items\":[{}]}", "$.items", "prefixItems"},
        {"{\"anyOf\":[{},{\"type\":\"int\"}]}", "$.anyOf[1].type", "\"integer\""},
        {"{\"type\":[]}", "$.type", "one, or an array"},
        {"{\"type\":[\"string\",\"string\"]}", "$.type", "one, or an array"},
        {"{\"type\":5}", "$.type", "one, or an array"},
        {"{\"enum\":[]}", "$.enum", "at least one"},
        {"{\"enum\":\"a\"}", "$.enum", "array"},
        {"{\"required\":true}", "$.required", "array of different names"},
        {"{\"required\":[\"a\",\"a\"]}", "$.required", "different"},
        {"{\"required\":[1,2]}", "$.required", "names"},
        {"{\"properties\":[]}", "$.properties", "object of schemas"},
        {"{\"properties\":{\"a\":1}}", "$.properties.a", "must be an object, true or false"},
        {"{\"anyOf\":[]}", "$.anyOf", "at least one schema"},
        {"{\"anyOf\":{}}", "$.anyOf", "at least one schema"},
        {"{\"not\":[]}", "$.not", "object, true or false"},
        {"{\"minLength\":-1}", "$.minLength", "whole number"},
        {"{\"minLength\":1.5}", "$.minLength", "whole number"},
        {"{\"maxItems\":\"3\"}", "$.maxItems", "whole number"},
        {"{\"exclusiveMinimum\":true}", "$.exclusiveMinimum", "must be a number"},
        {"{\"multipleOf\":0}", "$.multipleOf", "more than 0"},
        {"{\"uniqueItems\":1}", "$.uniqueItems", "true or false"},
        {"{\"pattern\":\"(\"}", "$.pattern", "missing"},
        {"{\"pattern\":\"\\\\C\"}", "$.pattern", "cannot be used"},
        {"{\"pattern\":\"(?:(?:a{1,9999}){1,9999}){1,9999}\"}", "$.pattern", "cannot be used"},
        {"{\"pattern\":5}", "$.pattern", "must be a string"},
        {"{\"$ref\":\"https://example.com/s\"}", "$.$ref", "into this schema"},
        {"{\"$ref\":\"other.json#/a\"}", "$.$ref", "into this schema"},
        {"{\"$ref\":\"#/$defs/none\"}", "$.$ref", "leads nowhere"},
        {"{\"$ref\":\"#name\"}", "$.$ref", "leads nowhere"},
        {"{\"$ref\":\"#/type\",\"type\":\"string\"}", "$['#/type']", "object, true or false"},
        {"{\"$ref\":\"#\"}", "$", "leads back to itself"},
        {"{\"$defs\":{\"a\":{\"anyOf\":[{\"$ref\":\"#/$defs/b\"}]},\"b\":{\"not\":{\"$ref\":\"#/"
         "$defs/a\"}}}}",
         "$", "leads back to itself"},
        {"{\"properties\":{\"a\":{\"$id\":\"x\"}}}", "$.properties.a.$id", "root only"},
        {"[]", "$", "object, true or false"},
        {"null", "$", "object, true or false"},
    };
    struct tool_schema_fault fault;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (tool_schema_compile(&arena, parse(cases[i].schema), &fault) != NULL)
            fail_msg("%s was taken", cases[i].schema);
        assert_string_equal(fault.where, cases[i].where);
        if (strstr(fault.text, cases[i].text) == NULL)
            fail_msg("%s: \"%s\" says nothing of %s", cases[i].schema, fault.text, cases[i].text);
    }
    assert_non_null(compiled("{\"$id\":\"https://x/y\",\"$schema\":\"https://json-schema.org/draft/"
                             "2020-12/schema\",\"$comment\":\"c\"}"));
}

/* The sentence is the model's only help: the place, and what would be right. */
static void eng_10_faults_help(void **state)
{
    static const struct {
        const char *schema;
        const char *value;
        const char *where;
        const char *text;
    } cases[] = {
        {"{\"type\":\"object\",\"required\":[\"date\",\"name\",\"note\"],\"properties\":{"
         "\"date\":{\"type\":\"string\",\"format\":\"date\"},\"name\":{\"type\":\"string\","
         "\"minLength\":2}}}",
         "{\"note\":1}", "$",
         "must have \"date\" (a date such as 2026-03-14) and \"name\" (a string of at least 2 "
         "characters)"},
        {"{\"properties\":{\"size\":{\"enum\":[\"s\",\"m\",7]}}}", "{\"size\":\"xl\"}", "$.size",
         "must be one of \"s\", \"m\", 7, not the string \"xl\""},
        {"{\"properties\":{\"n\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":10}}}",
         "{\"n\":11}", "$.n", "must be an integer of at least 1 of at most 10, not the number 11"},
        {"{\"items\":{\"type\":[\"string\",\"null\"]}}", "[null,5]", "$[1]",
         "must be null or a string, not the number 5"},
        {"{\"properties\":{\"a\":{},\"b\":{}},\"additionalProperties\":false}", "{\"c\":1}", "$",
         "has no \"c\"; its properties are \"a\", \"b\""},
        {"{\"properties\":{\"first name\":{\"type\":\"string\"}}}", "{\"first name\":[]}",
         "$['first name']", "must be a string, not an array of 0"},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}", "[]", "$",
         "must be a string or an integer, not an array of 0"},
        {"{\"anyOf\":[{\"required\":[\"id\"]},{\"required\":[\"mail\",\"name\"]}]}", "{}", "$",
         "must be an object with \"id\" or an object with \"mail\" and \"name\", not an object "
         "with 0 "
         "properties"},
        /* the alternative that comes closest */
        {"{\"anyOf\":[{\"type\":\"string\"},{\"properties\":{\"a\":{\"type\":\"null\"}}}]}",
         "{\"a\":1}", "$.a", "must be null, not the number 1"},
        /* what a failed alternative said is forgotten once another one holds */
        {"{\"properties\":{\"a\":{\"anyOf\":[{\"items\":{\"items\":{\"type\":\"null\"}}},{}]},"
         "\"b\":{\"type\":\"null\"}}}",
         "{\"a\":[[1]],\"b\":1}", "$.b", "must be null, not the number 1"},
        {"{\"pattern\":\"^ORD-\"}", "\"a\\nb\"", "$",
         "must be a value that matches the regular expression ^ORD-, not the string \"a b\""},
        {"{\"oneOf\":[{},{}]}", "1", "$",
         "meets more than one of the alternatives of which exactly one is right"},
        {"{\"not\":{\"type\":\"null\"}}", "null", "$", "must not be null"},
        {"{\"properties\":{\"a\":false}}", "{\"a\":1}", "$.a",
         "must be left out, not the number 1"},
    };
    struct tool_schema_fault fault;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(tool_schema_check(compiled(cases[i].schema), parse(cases[i].value), &fault));
        assert_string_equal(fault.where, cases[i].where);
        assert_string_equal(fault.text, cases[i].text);
    }
}

/* Nothing that a tenant saves or a model sends makes the check long or deep. */
static void eng_10_bounded(void **state)
{
    struct tool_schema_fault fault;
    char text[8192];
    int64_t begin = clock_mono_ms();

    (void)state;
    /* exponential alternatives: every level asks twice for the next */
    size_t len = (size_t)snprintf(text, sizeof(text), "{\"$ref\":\"#/$defs/l0\",\"$defs\":{");
    for (int i = 0; i < 40; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len,
                                "\"l%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/l%d\"},{\"$ref\":\"#/"
                                "$defs/l%d\"}]},",
                                i, i + 1, i + 1);
    snprintf(text + len, sizeof(text) - len, "\"l40\":{\"type\":\"null\"}}}");
    assert_false(tool_schema_check(compiled(text), parse("1"), &fault));
    assert_string_equal(fault.text, "is too much to be checked: send less");
    /* nor does `not` turn "not known" into "good" */
    char negated[8300];
    snprintf(negated, sizeof(negated), "{\"not\":{\"$ref\":\"#/$defs/l0\"},%s",
             strstr(text, "\"$defs\""));
    assert_false(tool_schema_check(compiled(negated), parse("1"), &fault));

    /* a pattern that tries for ever */
    clock_t cpu = clock();
    assert_false(tool_schema_check(compiled("{\"pattern\":\"^(a+)+$\"}"),
                                   parse("\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\""),
                                   &fault));
    assert_string_equal(fault.text, "is too much to be checked: send less");
    assert_in_range((clock() - cpu) * 1000 / CLOCKS_PER_SEC, 0, 50);

    /* one reference after the other */
    len = (size_t)snprintf(text, sizeof(text), "{\"$ref\":\"#/$defs/0\",\"$defs\":{");
    for (int i = 0; i < 200; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "\"%d\":{\"$ref\":\"#/$defs/%d\"},",
                                i, i + 1);
    snprintf(text + len, sizeof(text) - len, "\"200\":true}}");
    assert_false(tool_schema_check(compiled(text), parse("1"), &fault));
    assert_string_equal(fault.text, "is too much to be checked: send less");

    /* patterns that each stay within their bound, many times */
    len = (size_t)snprintf(text, sizeof(text), "[\"\"");
    for (int i = 1; i < 500; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, ",\"aaaaaaaaaaaa\"");
    snprintf(text + len, sizeof(text) - len, "]");
    const struct tool_schema *costly = compiled("{\"items\":{\"pattern\":\"^(?!(a+)+b)\"}}");
    assert_true(tool_schema_check(costly, parse("[\"aaaaaaaaaaaa\"]"), &fault));
    assert_false(tool_schema_check(costly, parse(text), &fault));
    assert_string_equal(fault.text, "is too much to be checked: send less");

    /* many values that must all differ */
    len = (size_t)snprintf(text, sizeof(text), "[0");
    for (int i = 1; i < 1500; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, ",%d", i);
    snprintf(text + len, sizeof(text) - len, "]");
    assert_false(tool_schema_check(compiled("{\"uniqueItems\":true}"), parse(text), &fault));
    assert_in_range(clock_mono_ms() - begin, 0, 2000);

    /* a recursive schema and a value as deep as values get */
    memset(text, '[', TOOL_SCHEMA_DEPTH);
    memset(text + TOOL_SCHEMA_DEPTH, ']', TOOL_SCHEMA_DEPTH);
    text[2 * TOOL_SCHEMA_DEPTH] = '\0';
    assert_true(tool_schema_check(
        compiled("{\"type\":\"array\",\"items\":{\"allOf\":[{\"anyOf\":[{\"$ref\":\"#\"}]}]}}"),
        parse(text), &fault));
}

static void eng_10_read_parameters(void **state)
{
    static const struct {
        const char *text;
        const char *says; /* NULL: taken */
    } cases[] = {
        {"{\"type\":\"object\"}", NULL},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}", NULL},
        {"{\"type\":\"string\"}", "must have \"type\": \"object\""},
        {"{\"properties\":{}}", "must have \"type\": \"object\""},
        {"{\"type\":[\"object\",\"null\"]}", "must have \"type\": \"object\""},
        {"true", "must have \"type\": \"object\""},
        {"{\"type\":\"object\"", "at byte"},
        {"{\"type\":\"object\",\"type\":\"object\"}", "twice"},
    };
    const struct fd_json *json;
    struct tool_schema_fault fault;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct tool_schema *schema =
            tool_schema_read(&arena, cases[i].text, strlen(cases[i].text), &json, &fault);
        assert_true((schema != NULL) == (cases[i].says == NULL));
        if (cases[i].says != NULL && strstr(fault.text, cases[i].says) == NULL)
            fail_msg("%s: %s", cases[i].text, fault.text);
    }
    char *large = arena_alloc(&arena, TOOL_SCHEMA_MAX + 2);
    memset(large, ' ', TOOL_SCHEMA_MAX + 1);
    assert_null(tool_schema_read(&arena, large, TOOL_SCHEMA_MAX + 1, &json, &fault));
    assert_non_null(strstr(fault.text, "longer than 32768 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(eng_10_any_type, set_up, tear_down),
        cmocka_unit_test_setup_teardown(eng_10_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(eng_10_strings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(eng_10_arrays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(eng_10_objects, set_up, tear_down),
        cmocka_unit_test_setup_teardown(eng_10_combinations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(eng_10_references, set_up, tear_down),
        cmocka_unit_test_setup_teardown(eng_10_unsupported, set_up, tear_down),
        cmocka_unit_test_setup_teardown(eng_10_faults_help, set_up, tear_down),
        cmocka_unit_test_setup_teardown(eng_10_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(eng_10_read_parameters, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
