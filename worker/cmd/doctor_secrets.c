/* What strangers entrust and send: the vault's keys, and what reads PDF files. */
#include "cmd/doctor.h"

#include "core/vault.h"
#include "tenant/import_format.h"
#include "tenant/sandbox.h"

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PDF_MEMORY (512u << 20)

static void check_vault(struct findings *findings, const struct config *config)
{
    struct vault vault = {0};
    char error[256];

    if (config->vault_keys == NULL) {
        findings_add(findings, FINDING_WARN, "vault",
                     "set FRONTDESK_VAULT_KEYS to a file and make it with frontdesk vault init",
                     "not set: credentials of integrations and secrets of tools cannot be stored");
        return;
    }
    bool good = vault_load(&vault, config->vault_keys, error);
    FINDINGS_CHECK(findings, good, FINDING_FAIL, "vault",
                   "frontdesk vault init makes it; only its owner may read it (chmod 600)", "%s%s",
                   good ? config->vault_keys : error, good ? ": readable by its owner alone" : "");
    vault_wipe(&vault);
}

/* In the sandbox, as an import runs it: a kernel that cannot hold it is seen as well. */
static void check_pdf(struct findings *findings)
{
    static const char *const argv[] = {IMPORT_PDF_PROGRAM, "-v", NULL};
    const struct sandbox_job job = {
        .argv = argv, .input = "", .time_ms = 5000, .cpu_s = 5, .memory = PDF_MEMORY};
    struct buf out;

    buf_init(&out, 4096);
    enum sandbox_end end = sandbox_run(&job, &out);
    buf_free(&out);
    if (end == SANDBOX_MISSING)
        findings_add(findings, FINDING_WARN, "knowledge.pdf", "apt-get install poppler-utils",
                     "%s is not installed: PDF files are refused", argv[0]);
    else
        FINDINGS_CHECK(findings, end == SANDBOX_OK, FINDING_WARN, "knowledge.pdf",
                       "a kernel with seccomp, in a container one that allows it",
                       "%s %s in its sandbox", argv[0],
                       end == SANDBOX_OK ? "runs" : "does not run");
}

/* It narrows what may be read; what may be done is held without it. */
static void check_landlock(struct findings *findings)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    if (version > 0)
        findings_add(findings, FINDING_OK, "sandbox.landlock", NULL, "version %ld", version);
    else
        findings_add(findings, FINDING_OK, "sandbox.landlock", NULL,
                     "not in this kernel: the sandbox is held by seccomp alone");
}

void doctor_secrets(struct findings *findings, const struct config *config)
{
    check_vault(findings, config);
    check_pdf(findings);
    check_landlock(findings);
}
