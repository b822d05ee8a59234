/* ENG-13: tenant/sandbox.h - what a program that reads a stranger's bytes can do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "core/clock.h"
#include "tenant/sandbox.h"

#define PERL "/usr/bin/perl"

static struct buf out;

static enum sandbox_end run(const char *const *argv, const char *input, size_t len)
{
    struct sandbox_job job = {.argv = argv,
                              .input = input,
                              .input_len = len,
                              .time_ms = 3000,
                              .cpu_s = 1,
                              .memory = 256u << 20};
    buf_free(&out);
    buf_init(&out, 100000);
    return sandbox_run(&job, &out);
}

static enum sandbox_end perl(const char *program)
{
    const char *const argv[] = {PERL, "-e", program, NULL};
    return run(argv, "", 0);
}

/* It ran, and said so. */
static void denied(const char *program)
{
    enum sandbox_end end = perl(program);
    if (end != SANDBOX_OK || out.len == 0 || strcmp(out.data, "denied") != 0)
        fail_msg("%s: end %d, \"%s\"", program, end, out.len > 0 ? out.data : "");
}

static void test_bytes_go_through(void **state)
{
    static const char *const cat[] = {"/bin/cat", NULL};
    static char input[90000];

    (void)state;
    memset(input, 'x', sizeof(input));
    input[5] = '\0';
    assert_int_equal(run(cat, input, sizeof(input)), SANDBOX_OK);
    assert_int_equal(out.len, sizeof(input));
    assert_memory_equal(out.data, input, sizeof(input));
    assert_int_equal(run(cat, "", 0), SANDBOX_OK);
    assert_int_equal(out.len, 0);
}

static void test_bounds(void **state)
{
    static const char *const missing[] = {"/nonexistent/program", NULL};
    static const char *const yes[] = {"/usr/bin/yes", NULL};

    (void)state;
    assert_int_equal(run(missing, "", 0), SANDBOX_MISSING);
    assert_int_equal(run(yes, "", 0), SANDBOX_TOO_LARGE);
    assert_int_equal(perl("exit 3"), SANDBOX_FAILED);
    assert_int_equal(perl("my $x = 'a' x 1_000_000_000; print length $x"), SANDBOX_FAILED);
    int64_t start = clock_mono_ms();
    assert_int_equal(perl("1 while 1"), SANDBOX_TIMEOUT); /* its second of the processor */
    assert_int_equal(perl("close STDOUT; 1 while 1"), SANDBOX_TIMEOUT);
    assert_in_range(clock_mono_ms() - start, 900, 9000);
    const char *const loop[] = {PERL, "-e", "1 while 1", NULL};
    const struct sandbox_job patient = {
        .argv = loop, .input = "", .time_ms = 300, .cpu_s = 60, .memory = 256u << 20};
    start = clock_mono_ms();
    assert_int_equal(sandbox_run(&patient, &out), SANDBOX_TIMEOUT);
    assert_in_range(clock_mono_ms() - start, 250, 3000);
}

static void test_no_network(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    char program[256];
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    snprintf(program, sizeof(program),
             "use Socket; print socket(S, PF_INET, SOCK_STREAM, 0) && connect(S, "
             "sockaddr_in(%d, INADDR_LOOPBACK)) ? 'connected' : 'denied'",
             ntohs(address.sin_port));
    denied(program);
    denied("use Socket; print socketpair(A, B, AF_UNIX, SOCK_STREAM, 0) ? 'made' : 'denied'");
    close(listener);
}

static void test_no_files_and_no_processes(void **state)
{
    char path[64], program[160];

    (void)state;
    snprintf(path, sizeof(path), "/tmp/fd-sandbox-%d", (int)getpid());
    snprintf(program, sizeof(program), "print open(F, '>', '%s') ? 'written' : 'denied'", path);
    denied(program);
    assert_int_equal(access(path, F_OK), -1);
    snprintf(program, sizeof(program), "print unlink('%s') ? 'gone' : 'denied'", path);
    fclose(fopen(path, "w"));
    denied(program);
    assert_int_equal(unlink(path), 0);
    denied("print mkdir('/tmp/fd-sandbox-directory') ? 'made' : 'denied'");
    denied("my $pid = fork; print defined $pid ? 'forked' : 'denied'");
    denied("print kill(0, getppid) ? 'signalled' : 'denied'");
    denied("print open(F, '<', '/etc/shadow') ? 'read' : 'denied'");
}

static void test_nothing_is_inherited(void **state)
{
    int extra = dup(0);

    (void)state;
    setenv("SECRET", "x", 1);
    assert_int_equal(perl("print join ',', keys %ENV"), SANDBOX_OK);
    assert_int_equal(out.len, 0);
    assert_int_equal(perl("print join ',', grep { open my $f, '<&=', $_ } 3 .. 20"), SANDBOX_OK);
    assert_int_equal(out.len, 0);
    assert_int_equal(perl("print $> == 0 ? 'root' : 'somebody'"), SANDBOX_OK);
    assert_string_equal(out.data, "somebody");
    close(extra);
}

/* The user that root becomes may run something already. */
static void test_its_user_is_busy(void **state)
{
    static const char *const cat[] = {"/bin/cat", NULL};

    (void)state;
    if (geteuid() != 0)
        skip();
    pid_t other = fork();
    if (other == 0) {
        if (setuid(65534) != 0)
            _exit(1);
        pause();
        _exit(0);
    }
    assert_true(other > 0);
    usleep(50000);
    enum sandbox_end end = run(cat, "x", 1);
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    assert_int_equal(end, SANDBOX_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_go_through),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_no_network),
        cmocka_unit_test(test_no_files_and_no_processes),
        cmocka_unit_test(test_nothing_is_inherited),
        cmocka_unit_test(test_its_user_is_busy),
    };
    int rc = cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
    buf_free(&out);
    return rc;
}
