/* protocol/event.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "protocol/event.h"
#include "protocol/limits.h"

static bool parses(const char *frame, size_t len)
{
    struct fd_event event;
    char *copy = malloc(len > 0 ? len : 1); /* so that reading past the end is seen */
    bool ok;

    memcpy(copy, frame, len);
    ok = fd_event_parse(copy, len, &event);
    free(copy);
    return ok;
}

static void test_every_type_there_and_back(void **state)
{
    (void)state;
    for (int type = 0; type < FD_EVENT_TYPES; type++) {
        const char *data = "{\"text\":\"\\u05e9\\nlom\"}";
        size_t data_len = strlen(data);
        char frame[256];
        struct fd_event_id id = {4294967295u, 4294967295u};
        size_t len = fd_event_frame(frame, id, (enum fd_event_type)type, data, data_len);
        struct fd_event event;

        assert_true(len <= fd_event_frame_bound(data_len));
        assert_true(fd_event_parse(frame, len, &event));
        assert_int_equal(event.type, type);
        assert_int_equal(fd_event_id_compare(event.id, id), 0);
        assert_int_equal(event.data_len, data_len);
        assert_memory_equal(event.data, data, data_len);
        for (size_t cut = 0; cut < len; cut++)
            assert_false(parses(frame, cut));
    }
}

static void test_exact_bytes(void **state)
{
    char frame[128];
    const char *expected = "id: 1-7\nevent: delta\ndata: {\"text\":\"hi\"}\n\n";
    size_t len =
        fd_event_frame(frame, (struct fd_event_id){1, 7}, FD_EVENT_DELTA, "{\"text\":\"hi\"}", 13);

    (void)state;
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(frame, expected, len);
    assert_true(fd_event_frame_bound(FD_EVENT_DATA_MAX) <= FD_EVENT_FRAME_MAX);
}

/* EDGE-6: nothing that could forge a field or a frame is relayed. */
static void test_strict(void **state)
{
    static const char *const bad[] = {
        "id: 0-1\nevent: delta\ndata: {}\n\n",
        "id: 01-1\nevent: delta\ndata: {}\n\n",
        "id:1-1\nevent: delta\ndata: {}\n\n",
        "id: 1-1\nevent: deltas\ndata: {}\n\n",
        "id: 1-1\nevent: delt\ndata: {}\n\n",
        "id: 1-1\nevent: \ndata: {}\n\n",
        "id: 1-1\nevent: delta\ndata: \n\n",
        "id: 1-1\nevent: delta\ndata: {}\n",
        "id: 1-1\nevent: delta\ndata: {}\n\n\n",
        "id: 1-1\nevent: delta\ndata: {}\ndata: {}\n\n",
        "id: 1-1\nevent: delta\ndata: {}\rdata: {}\n\n",
        "id: 1-1\nevent: delta\ndata: {}\n\nid: 1-2\nevent: done\ndata: {}\n\n",
        "id: 1-1\r\nevent: delta\r\ndata: {}\r\n\r\n",
        "event: ping\ndata: {}\n\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(parses(bad[i], strlen(bad[i])));
}

static void test_terminal(void **state)
{
    (void)state;
    for (int type = 0; type < FD_EVENT_TYPES; type++) {
        bool terminal = type == FD_EVENT_DONE || type == FD_EVENT_ERROR ||
                        type == FD_EVENT_CANCELLED || type == FD_EVENT_ANSWER;

        assert_int_equal(fd_event_terminal((enum fd_event_type)type), terminal);
    }
}

/* The reader's rule 2 of the hand-off, ENG-19. */
/* ADM-4: what has no id passes by, and nothing else does. */
static void test_passing(void **state)
{
    static const struct {
        const char *frame;
        bool passes;
    } frames[] = {
        {"event: typing\ndata: {\"name\":\"Dana\"}\n\n", true},
        {"event: presence\ndata: {\"operators\":[]}\n\n", true},
        {"event: message\ndata: {}\n\n", false},
        {"event: typing\ndata: \n\n", false},
        {"event: typing\ndata: {}\nid: 1-1\n\n", false},
        {"event: presence\ndata: {}\n", false},
        {"id: 1-1\nevent: typing\ndata: {}\n\n", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        size_t len = strlen(frames[i].frame);
        char *copy = malloc(len > 0 ? len : 1);

        memcpy(copy, frames[i].frame, len);
        if (fd_event_passing(copy, len) != frames[i].passes)
            fail_msg("%s", frames[i].frame);
        free(copy);
    }
}

static void test_judge(void **state)
{
    static const struct {
        struct fd_event_id last, next;
        enum fd_event_verdict verdict;
    } cases[] = {
        {{0, 0}, {1, 0}, FD_EVENT_WRITE},           {{0, 0}, {1, 1}, FD_EVENT_BEHIND},
        {{0, 0}, {3, 0}, FD_EVENT_WRITE},           {{1, 0}, {1, 0}, FD_EVENT_IGNORE},
        {{1, 0}, {1, 1}, FD_EVENT_WRITE},           {{1, 0}, {1, 2}, FD_EVENT_BEHIND},
        {{1, 5}, {1, 4}, FD_EVENT_IGNORE},          {{1, 5}, {2, 0}, FD_EVENT_WRITE},
        {{1, 5}, {2, 1}, FD_EVENT_BEHIND},          {{2, 0}, {1, 9}, FD_EVENT_IGNORE},
        {{1, UINT32_MAX}, {1, 0}, FD_EVENT_IGNORE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(fd_event_judge(cases[i].last, cases[i].next), cases[i].verdict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_there_and_back),
        cmocka_unit_test(test_exact_bytes),
        cmocka_unit_test(test_strict),
        cmocka_unit_test(test_terminal),
        cmocka_unit_test(test_passing),
        cmocka_unit_test(test_judge),
    };

    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
