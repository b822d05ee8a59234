/* Test runner: a worker looks for test runs, and does what is to be done for them, unless
 * another has the turn. */
#ifndef FD_CHAT_TEST_RUNNER_H
#define FD_CHAT_TEST_RUNNER_H

struct engine;
struct test_runner;

struct test_runner *test_runner_new(struct engine *engine);
void test_runner_free(struct test_runner *runner);

#endif
