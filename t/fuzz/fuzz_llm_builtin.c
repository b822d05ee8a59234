/* ENG-1: the built-in assistant over any question and context: a bounded answer. */
#include "llm/provider.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The question ends at the first NUL. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 2);
    if (text == NULL) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = text[size + 1] = '\0';
    struct llm_request request = {.question = text, .context = text + strlen(text) + 1};
    if (strlen(text) == size) {
        request.context = "";
    }
    struct buf out;
    buf_init(&out, size + 4096);
    llm_builtin_answer(&request, &out);
    if (out.len == 0 || out.over) {
        abort();
    }
    buf_free(&out);
    free(text);
    return 0;
}
