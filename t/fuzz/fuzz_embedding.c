/* llm/embedding.h: a provider's answer, any bytes: the first says how many texts were sent and
 * which dimensions were asked for. What is taken is of length 1. */
#include "core/arena.h"
#include "llm/embedding.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct embedding_vectors v;
    char error[128] = "";
    struct arena a;

    if (size == 0)
        return 0;
    size_t count = 1 + data[0] % 4;
    int dimensions = data[0] / 4 % 4;
    arena_init(&a);
    if (embedding_decode(&a, (const char *)data + 1, size - 1, count, dimensions, &v, error)) {
        if (v.count != count || v.dimensions < 1 || (dimensions > 0 && v.dimensions != dimensions))
            abort();
        for (size_t i = 0; i < count; i++) {
            double sum = 0;
            for (int k = 0; k < v.dimensions; k++) {
                double value = (double)v.values[i * (size_t)v.dimensions + (size_t)k];
                sum += value * value;
            }
            if (!(fabs(sum - 1) < 1e-3))
                abort();
        }
    } else if (error[0] == '\0') {
        abort();
    }
    arena_free(&a);
    return 0;
}
