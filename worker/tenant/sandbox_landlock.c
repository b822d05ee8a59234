/* What a converter may read: programs, libraries and fonts. */
#define _GNU_SOURCE /* O_PATH */
#include "tenant/sandbox.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ALL                                                                                        \
    (READS | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                          \
     LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                              \
     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |    \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | \
     LANDLOCK_ACCESS_FS_MAKE_SYM)

static void let_read(int rules, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access,
                                              .parent_fd = open(path, O_PATH | O_CLOEXEC)};

    if (rule.parent_fd < 0)
        return;
    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
}

void sandbox_landlock(void)
{
    static const char *const trees[] = {"/usr", "/lib", "/lib64", "/etc/fonts",
                                        "/var/cache/fontconfig"};
    struct landlock_ruleset_attr handled = {.handled_access_fs = ALL};
    long rules = syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);

    if (rules < 0)
        return;
    for (size_t i = 0; i < sizeof(trees) / sizeof(*trees); i++)
        let_read((int)rules, trees[i], READS | LANDLOCK_ACCESS_FS_EXECUTE);
    let_read((int)rules, "/etc/ld.so.cache", LANDLOCK_ACCESS_FS_READ_FILE);
    let_read((int)rules, "/dev/null", LANDLOCK_ACCESS_FS_READ_FILE);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    syscall(SYS_landlock_restrict_self, (int)rules, 0);
    close((int)rules);
}
