#include "context/fuse.h"

#include <stdlib.h>
#include <string.h>

/* One entry of one list. */
struct vote {
    const char *id;
    double points;
    size_t list;
    size_t at; /* in its list */
};

static int by_id(const void *left, const void *right)
{
    const struct vote *a = left, *b = right;
    int order = strcmp(a->id, b->id);

    if (order != 0) {
        return order;
    }
    if (a->list != b->list) {
        return a->list < b->list ? -1 : 1;
    }
    return (a->at > b->at) - (a->at < b->at);
}

static int by_falling_score(const void *left, const void *right)
{
    const struct fused *a = left, *b = right;

    if (a->score != b->score) {
        return a->score < b->score ? 1 : -1;
    }
    return strcmp(a->id, b->id);
}

static size_t collect(const struct ranking_list *list, size_t number, double weight,
                      struct vote *votes)
{
    size_t place = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (i > 0 && list->ranked[i].score != list->ranked[i - 1].score) {
            place = i;
        }
        votes[i] = (struct vote){.id = list->ranked[i].id,
                                 .points = weight * (FUSE_SMOOTHING + 1) /
                                           (double)(FUSE_SMOOTHING + 1 + place),
                                 .list = number,
                                 .at = i};
    }
    return list->count;
}

static size_t count_up(const struct vote *votes, size_t count, struct fused *fused)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        if (found == 0 || strcmp(fused[found - 1].id, votes[i].id) != 0) {
            fused[found++] = (struct fused){.id = votes[i].id};
        }
        struct fused *one = &fused[found - 1];
        if ((one->lists >> votes[i].list & 1) == 0) {
            one->lists |= 1u << votes[i].list;
            one->score += votes[i].points;
        }
    }
    return found;
}

size_t fuse_rankings(struct arena *a, const struct ranking_list *lists, size_t list_count,
                     size_t most, struct fused **fused)
{
    size_t total = 0, count = 0;
    double weight = 0;

    list_count = list_count < FUSE_LISTS_MAX ? list_count : FUSE_LISTS_MAX;
    for (size_t i = 0; i < list_count; i++) {
        total += lists[i].count;
        weight += lists[i].weight;
    }
    struct vote *votes = arena_alloc(a, (total + 1) * sizeof(*votes));
    *fused = arena_alloc(a, (total + 1) * sizeof(**fused));
    if (total == 0 || weight <= 0) {
        return 0;
    }
    for (size_t i = 0; i < list_count; i++) {
        count += collect(&lists[i], i, lists[i].weight / weight, votes + count);
    }
    qsort(votes, count, sizeof(*votes), by_id);
    size_t found = count_up(votes, count, *fused);
    qsort(*fused, found, sizeof(**fused), by_falling_score);
    return found < most ? found : most;
}
