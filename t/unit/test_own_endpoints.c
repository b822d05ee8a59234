/* ENG-1: chat/own_endpoints.h - what an organisation's own server says of itself is learnt for
 * that organisation alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "chat/own_endpoints.h"

static struct engine engine;

static int set_up(void **state)
{
    (void)state;
    engine = (struct engine){.tool_support = {.configured = "tiny"}};
    engine.own_endpoints = own_endpoints_new();
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    own_endpoints_free(engine.own_endpoints);
    return 0;
}

static struct tenant tenant(const char *org, int64_t revision)
{
    struct tenant tenant = {
        .own_chat = {.provider = "openai", .api_key = "key", .revision = revision}};
    snprintf(tenant.org, sizeof(tenant.org), "%s", org);
    return tenant;
}

static bool has_tools(struct llm_endpoints *endpoints, const char *model)
{
    return tool_support_native(own_endpoints_tools(&engine, endpoints), "openai", model);
}

static void test_learnt_for_itself(void **state)
{
    struct tenant one = tenant("5eed0000-0000-4000-8000-0000000000a1", 1);
    struct tenant two = tenant("5eed0000-0000-4000-8000-0000000000a2", 1);
    struct tenant none = {.org = "5eed0000-0000-4000-8000-0000000000a3"};
    struct llm_endpoints *own = own_endpoints_hold(&engine, &one);
    struct llm_endpoints *other = own_endpoints_hold(&engine, &two);
    struct llm_endpoints *platform = own_endpoints_hold(&engine, &none);

    (void)state;
    assert_ptr_equal(platform, &engine.endpoints);
    assert_true(has_tools(own, "m"));
    assert_false(has_tools(own, "tiny"));
    tool_support_learn(own_endpoints_tools(&engine, own), "openai", "m");
    assert_false(has_tools(own, "m"));
    assert_true(has_tools(other, "m"));
    assert_true(has_tools(platform, "m"));
    own_endpoints_release(&engine, own);
    own = own_endpoints_hold(&engine, &one);
    assert_false(has_tools(own, "m")); /* over calls */
    own_endpoints_release(&engine, own);
    one.own_chat.revision = 2;
    own = own_endpoints_hold(&engine, &one);
    assert_true(has_tools(own, "m")); /* another server, perhaps */
    own_endpoints_release(&engine, own);
    own_endpoints_release(&engine, other);
    own_endpoints_release(&engine, platform);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"ENG-1: what an own server lacks is learnt for it alone", test_learnt_for_itself, set_up,
         clean_up, NULL},
    };

    return cmocka_run_group_tests_name("own_endpoints", tests, NULL, NULL);
}
