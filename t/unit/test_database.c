/* integration/database.h: a connection to a server that is a stranger's (ENG-11) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/clock.h"
#include "integration/database.h"
#include "json_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WELCOME   "R\0\0\0\x08\0\0\0\0" /* no password is asked for */
#define READY     "Z\0\0\0\x05I"
#define NOTICE    "N\0\0\0\x25SNOTICE\0C00000\0Mx\n{\"forged\":1}\n\0\0"
#define PARAMETER "S\0\0\x10\x07p\0" /* its value has 4096 bytes and a NUL */

#define MUCH 33554432 /* more than the sockets between us keep */

struct server {
    int listener;
    int port;
    pid_t pid;
};

static size_t *sent; /* by a server, shared with it */

static void put(int fd, const void *data, size_t len)
{
    if (write(fd, data, len) != (ssize_t)len)
        _exit(0); /* the other side has had enough */
    *sent += len;
}

/* Greets whoever comes, then says parameters without end, or that it is ready. */
static void serve(int listener, bool endless)
{
    static char parameter[sizeof(PARAMETER) - 1 + 4097] = PARAMETER;
    char startup[1024];

    int fd = accept(listener, NULL, NULL);
    if (fd < 0 || read(fd, startup, sizeof(startup)) <= 0)
        _exit(1);
    memset(parameter + sizeof(PARAMETER) - 1, 'v', 4096);
    put(fd, WELCOME, sizeof(WELCOME) - 1);
    put(fd, NOTICE, sizeof(NOTICE) - 1);
    while (endless && *sent < 2 * MUCH)
        put(fd, parameter, sizeof(parameter));
    put(fd, READY, sizeof(READY) - 1);
    while (read(fd, startup, sizeof(startup)) > 0)
        ;
    _exit(0);
}

static struct server start(bool endless)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct server s = {.listener = socket(AF_INET, SOCK_STREAM, 0)};
    socklen_t len = sizeof(address);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(s.listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(s.listener, 1), 0);
    assert_int_equal(getsockname(s.listener, (struct sockaddr *)&address, &len), 0);
    s.port = ntohs(address.sin_port);
    *sent = 0;
    s.pid = fork();
    assert_true(s.pid >= 0);
    if (s.pid == 0) {
        signal(SIGPIPE, SIG_IGN);
        serve(s.listener, endless);
    }
    return s;
}

static void end(struct server *s)
{
    kill(s->pid, SIGKILL);
    assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
    close(s->listener);
}

static PGconn *connect_to(const struct server *s, char error[256])
{
    char place[64], allow[64];
    enum tool_failure failure;

    snprintf(place, sizeof(place), "127.0.0.1:%d/shop", s->port);
    snprintf(allow, sizeof(allow), "127.0.0.1:%d", s->port);
    const struct integration integration = {.base_url = place,
                                            .settings = parse("{\"sslmode\":\"disable\"}"),
                                            .secrets =
                                                parse("{\"username\":\"u\",\"password\":\"p\"}")};
    error[0] = '\0';
    return database_connect(&integration, allow, clock_mono_ms() + 20000, &failure, error);
}

static void test_endless_greeting(void **state)
{
    struct server s = start(true);
    char error[256];

    (void)state;
    assert_null(connect_to(&s, error));
    assert_string_equal(error, "no connection: the database sends too much before it is ready");
    assert_true(*sent < MUCH);
    end(&s);
}

/* A notice is the stranger's text; libpq's own way is to print it, where our log is. */
static void test_notices(void **state)
{
    struct server s = start(false);
    int log = dup(STDERR_FILENO);
    FILE *said = tmpfile();
    char error[256];

    (void)state;
    assert_true(log >= 0 && said != NULL && dup2(fileno(said), STDERR_FILENO) >= 0);
    PGconn *conn = connect_to(&s, error);
    dup2(log, STDERR_FILENO);
    close(log);
    assert_string_equal(error, "");
    assert_non_null(conn);
    PQfinish(conn);
    assert_int_equal(lseek(fileno(said), 0, SEEK_END), 0);
    fclose(said);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_endless_greeting, arena_set_up, arena_tear_down),
        cmocka_unit_test_setup_teardown(test_notices, arena_set_up, arena_tear_down),
    };

    sent = mmap(NULL, sizeof(*sent), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sent == MAP_FAILED)
        return 1;
    return cmocka_run_group_tests_name("ENG-11: a client's database server is a stranger", tests,
                                       NULL, NULL);
}
