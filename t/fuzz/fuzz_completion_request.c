/* A completion that is taken has a canonical form, which reads and writes the same; a
 * fault says in valid UTF-8 what is wrong, as an error in OpenAI's shape. */
#include "canonical_form.h"
#include "protocol/completion_request.h"
#include "protocol/limits.h"
#include "protocol/openai_error.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct fd_json_limits limits = {FD_COMPLETION_DEPTH_MAX, FD_COMPLETION_NODES_MAX};

static void check_error(const struct fd_completion_fault *fault)
{
    struct fd_problem problem = {.type = FD_PROBLEM_FIELD,
                                 .field = fault->at.field,
                                 .detail = fault->at.detail,
                                 .openai_code = fault->code};
    struct buf out;
    struct fd_json_writer w;
    if (fault->at.detail[0] == '\0' || !fd_utf8_valid(fault->at.field, strlen(fault->at.field)) ||
        !fd_utf8_valid(fault->at.detail, strlen(fault->at.detail)))
        abort();
    buf_init(&out, 1 << 16);
    buf_json(&out, &w);
    fd_openai_error_write(&w, &problem);
    if (!buf_json_end(&out, &w))
        abort();
    buf_free(&out);
}

static bool canonical(struct arena *arena, const char *text, size_t len, struct buf *out)
{
    struct fd_json_fault json_fault;
    struct fd_completion_fault fault;
    struct fd_completion_request request;
    struct fd_json_writer w;
    struct fd_json *json = fd_json_parse(text, len, limits, arena_allocator(arena), &json_fault);

    if (json == NULL)
        return false;
    if (!fd_completion_request_read(json, &request, &fault)) {
        check_error(&fault);
        return false;
    }
    buf_json(out, &w);
    fd_completion_request_write(&w, &request);
    if (!buf_json_end(out, &w))
        abort();
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    canonical_form_check(canonical, data, size);
    return 0;
}
