/*
 * Test case (ADM-4): what the answer to a question has to be like, and whether one is. Pure.
 */
#ifndef FD_CHAT_TEST_CASE_H
#define FD_CHAT_TEST_CASE_H

#include "core/arena.h"
#include "protocol/json.h"

#define TEST_FAILURES_MAX 64

/* An answer, as it is stored. */
struct test_answer {
    const char *text;            /* NULL: none came, */
    const char *why;             /* and why; NULL = it is not known */
    const char *tier;            /* "fast"; NULL = it was not routed */
    const struct fd_json *calls; /* [{name, ...}] of tools, those that a test does not run too */
    const struct fd_json *citations; /* [{id, ...}] */
};

/* `expect` is {contains: [text], not_contains: [text], tool, cites: [id], language, tier}, each of
 * them may be absent. What it lacks, a line each, in the arena; 0: it is as it has to be. Letters
 * may be large or small. */
size_t test_case_judge(struct arena *a, const struct fd_json *expect,
                       const struct test_answer *answer, const char *failures[TEST_FAILURES_MAX]);

#endif
