/* An argument in a URL or a query: it changes nothing but its own place. The input is a
 * template, a NUL and the argument. */
#include "integration/query_text.h"
#include "integration/template.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE "https://shop.example/base"

static size_t count(const char *s, const char *end, char c)
{
    size_t n = 0;

    for (; s < end; s++)
        n += *s == c;
    return n;
}

/* As many segments and parameters as the template has, and the same host. */
static void check(const char *template, const char *url)
{
    const char *path = url + strlen(BASE);
    const char *path_end = path + strcspn(path, "?");
    const char *template_end = template + strcspn(template, "?");

    if (strncmp(url, BASE, strlen(BASE)) != 0 ||
        count(path, path_end, '/') != count(template, template_end, '/') ||
        count(path_end, path + strlen(path), '&') >
            count(template_end, template + strlen(template), '&') ||
        strstr(path, "/../") != NULL || strpbrk(url, " \r\n\\#") != NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fd_json value = {.type = FD_JSON_STRING, .key = "a", .key_len = 1};
    struct fd_json arguments = {.type = FD_JSON_OBJECT, .count = 1, .child = &value};
    struct query_text query;
    char error[256] = "";
    char *text = malloc(size + 2);
    const char *url;
    struct arena a;

    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    memcpy(text + size, "\0", 2);
    value.text = text + strlen(text) + (strlen(text) < size);
    value.text_len = strlen(value.text);
    arena_init(&a);
    url = template_expand(&a, BASE, text, &arguments, false, error);
    if (url != NULL && strstr(text, "..") == NULL && strchr(text, '#') == NULL)
        check(text, url);
    else if (url == NULL && error[0] == '\0')
        abort();
    if (query_text_read(&a, text, &query, error) && query.count > QUERY_PARAMS_MAX)
        abort();
    arena_free(&a);
    free(text);
    return 0;
}
