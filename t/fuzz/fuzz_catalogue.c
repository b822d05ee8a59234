/* Any bytes as a list of models: refused with a reason, or every model of it is sound. */
#include "tenant/catalogue.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t max)
{
    if (text == NULL)
        return;
    size_t len = strlen(text);
    if (len == 0 || len > max)
        abort();
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < ' ')
            abort();
    }
}

static void check_price(int64_t price)
{
    if (price < -1 || price > 1000000000000)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct catalogue_defaults defaults = {NULL, "eu"};
    struct catalogue_list list;
    char error[256] = "";
    struct arena a;

    arena_init(&a);
    char *text = arena_strndup(&a, (const char *)data, size);
    if (catalogue_parse(&a, text, size, &defaults, &list, error)) {
        if (list.count == 0 || list.count > CATALOGUE_MODELS_MAX || list.unpriced > list.count)
            abort();
        for (size_t i = 0; i < list.count; i++) {
            const struct catalogue_model *m = &list.models[i];
            if (m->id == NULL || m->provider == NULL || m->region == NULL)
                abort();
            check_text(m->id, 128);
            check_text(m->name, 200);
            check_price(m->price.input);
            check_price(m->price.output);
            check_price(m->price.cache_read);
            check_price(m->price.cache_write);
            if ((m->price.input < 0) != (m->price.output < 0))
                abort();
        }
    } else if (error[0] == '\0') {
        abort();
    }
    int64_t value;
    if (catalogue_decimal(text, 12, &value))
        check_price(value);
    arena_free(&a);
    return 0;
}
