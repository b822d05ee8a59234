#include "context/vectors.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROWS 256
#define LANES      16

struct vectors {
    int dimensions;
    size_t max_bytes;
    size_t count, room; /* rows */
    float *values;
    size_t *ids; /* where each row's id begins in `names` */
    char *names;
    size_t names_len, names_room;
};

struct vectors *vectors_new(int dimensions, size_t max_bytes)
{
    struct vectors *v = calloc(1, sizeof(*v));

    if (v != NULL) {
        v->dimensions = dimensions;
        v->max_bytes = max_bytes;
    }
    return v;
}

void vectors_free(struct vectors *vectors)
{
    if (vectors != NULL) {
        free(vectors->values);
        free(vectors->ids);
        free(vectors->names);
        free(vectors);
    }
}

size_t vectors_count(const struct vectors *vectors)
{
    return vectors->count;
}

int vectors_dimensions(const struct vectors *vectors)
{
    return vectors->dimensions;
}

static size_t bytes_of(const struct vectors *v, size_t rows, size_t names)
{
    return rows * ((size_t)v->dimensions * sizeof(float) + sizeof(size_t)) + names;
}

size_t vectors_bytes(const struct vectors *vectors)
{
    return bytes_of(vectors, vectors->room, vectors->names_room);
}

/* -- building ------------------------------------------------------------------------ */

/* Half as much again, up to the bound; 0: there is no room for `needed`. */
static size_t grown(size_t now, size_t needed, size_t first)
{
    size_t room = now > 0 ? now + now / 2 : first;
    return room > needed ? room : needed;
}

static bool make_room(struct vectors *v, size_t id_len)
{
    size_t rows = v->count < v->room ? v->room : grown(v->room, v->count + 1, FIRST_ROWS);
    size_t needed = v->names_len + id_len + 1;
    size_t names = needed <= v->names_room ? v->names_room : grown(v->names_room, needed, 4096);

    if (bytes_of(v, rows, names) > v->max_bytes) {
        rows = v->count + 1 > v->room ? v->count + 1 : v->room;
        names = needed > v->names_room ? needed : v->names_room;
    }
    if (bytes_of(v, rows, names) > v->max_bytes) {
        return false;
    }
    if (rows > v->room) {
        float *values = realloc(v->values, rows * (size_t)v->dimensions * sizeof(*values));
        if (values == NULL) {
            return false;
        }
        v->values = values;
        size_t *ids = realloc(v->ids, rows * sizeof(*ids));
        if (ids == NULL) {
            return false;
        }
        v->ids = ids;
        v->room = rows;
    }
    if (names > v->names_room) {
        char *text = realloc(v->names, names);
        if (text == NULL) {
            return false;
        }
        v->names = text;
        v->names_room = names;
    }
    return true;
}

bool vectors_add(struct vectors *vectors, const char *id, const unsigned char *bytes, size_t len)
{
    size_t id_len = strlen(id);

    if (len != (size_t)vectors->dimensions * 4 || !make_room(vectors, id_len)) {
        return false;
    }
    float *row = vectors->values + vectors->count * (size_t)vectors->dimensions;
    for (int i = 0; i < vectors->dimensions; i++) {
        const unsigned char *b = bytes + 4 * (size_t)i;
        uint32_t bits =
            (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
        memcpy(&row[i], &bits, sizeof(bits));
    }
    memcpy(vectors->names + vectors->names_len, id, id_len + 1);
    vectors->ids[vectors->count++] = vectors->names_len;
    vectors->names_len += id_len + 1;
    return true;
}

/* -- searching ------------------------------------------------------------------------- */

/* Four sums of four side by side: what every processor of the platforms has registers for. */
typedef float lanes __attribute__((vector_size(16), aligned(4), may_alias));

static float product(const float *a, const float *b, int dimensions)
{
    lanes sums[4] = {{0}, {0}, {0}, {0}};
    int i = 0;

    for (; i + LANES <= dimensions; i += LANES) {
        const lanes *x = (const lanes *)(const void *)(a + i);
        const lanes *y = (const lanes *)(const void *)(b + i);
        sums[0] += x[0] * y[0];
        sums[1] += x[1] * y[1];
        sums[2] += x[2] * y[2];
        sums[3] += x[3] * y[3];
    }
    lanes all = sums[0] + sums[1] + sums[2] + sums[3];
    float sum = all[0] + all[1] + all[2] + all[3];
    for (; i < dimensions; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

struct hit {
    float score;
    size_t row;
};

/* Into its place among the best, which stay in falling order; equals in the order of rows. */
static void keep(struct hit best[VECTORS_FOUND_MAX], size_t *count, struct hit hit)
{
    size_t at = *count < VECTORS_FOUND_MAX ? (*count)++ : VECTORS_FOUND_MAX - 1;

    while (at > 0 && best[at - 1].score < hit.score) {
        best[at] = best[at - 1];
        at--;
    }
    best[at] = hit;
}

size_t vectors_near(const struct ranked *found, size_t count)
{
    size_t near = 0;

    while (near < count && found[near].score >= VECTORS_LEAST &&
           found[near].score >= found[0].score * VECTORS_LEAST_PART) {
        near++;
    }
    return near;
}

size_t vectors_merge(struct arena *a, struct ranked *found, size_t count, const struct ranked *more,
                     size_t more_count)
{
    struct ranked *all = arena_alloc(a, VECTORS_FOUND_MAX * sizeof(*all));
    size_t kept = 0, i = 0, k = 0;

    while (kept < VECTORS_FOUND_MAX && (i < count || k < more_count)) {
        bool old = k == more_count || (i < count && found[i].score >= more[k].score);
        all[kept++] = old ? found[i++] : more[k++];
    }
    memcpy(found, all, kept * sizeof(*found));
    return vectors_near(found, kept);
}

size_t vectors_search(const struct vectors *vectors, struct arena *a, const float *question,
                      struct ranked **found)
{
    struct hit best[VECTORS_FOUND_MAX];
    size_t count = 0;

    for (size_t row = 0; row < vectors->count; row++) {
        const float *values = vectors->values + row * (size_t)vectors->dimensions;
        struct hit hit = {product(values, question, vectors->dimensions), row};
        bool room = count < VECTORS_FOUND_MAX || hit.score > best[count - 1].score;
        if (hit.score >= (float)VECTORS_LEAST && room) {
            keep(best, &count, hit);
        }
    }
    *found = arena_alloc(a, (count + 1) * sizeof(**found));
    for (size_t i = 0; i < count; i++) {
        (*found)[i] = (struct ranked){
            .id = arena_printf(a, "article:%s", vectors->names + vectors->ids[best[i].row]),
            .score = (double)best[i].score};
    }
    return vectors_near(*found, count);
}
