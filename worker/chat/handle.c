#include "chat/handle.h"

#include <stdlib.h>

struct slot {
    void *object; /* NULL = free */
    enum handle_kind kind;
    uint32_t generation;
    uint32_t next_free; /* index + 1, 0 = the last */
};

static struct slot *slots;
static uint32_t slot_count;
static uint32_t first_free; /* index + 1 */

static void grow(void)
{
    uint32_t count = slot_count == 0 ? 64 : slot_count * 2;
    struct slot *more = realloc(slots, count * sizeof(*slots));
    if (more == NULL)
        abort();
    slots = more;
    for (uint32_t i = slot_count; i < count; i++)
        slots[i] = (struct slot){.generation = 1, .next_free = i + 2 <= count ? i + 2 : 0};
    first_free = slot_count + 1;
    slot_count = count;
}

handle handle_make(enum handle_kind kind, void *object)
{
    if (first_free == 0)
        grow();
    uint32_t index = first_free - 1;
    struct slot *slot = &slots[index];
    first_free = slot->next_free;
    slot->object = object;
    slot->kind = kind;
    return (handle)slot->generation << 32 | (index + 1);
}

static struct slot *slot_of(handle h)
{
    uint32_t index = (uint32_t)h;
    if (index == 0 || index > slot_count)
        return NULL;
    struct slot *slot = &slots[index - 1];
    return slot->object != NULL && slot->generation == (uint32_t)(h >> 32) ? slot : NULL;
}

void *handle_find(enum handle_kind kind, handle h)
{
    struct slot *slot = slot_of(h);
    return slot != NULL && slot->kind == kind ? slot->object : NULL;
}

void handle_drop(handle h)
{
    struct slot *slot = slot_of(h);
    if (slot == NULL)
        return;
    slot->object = NULL;
    slot->generation++;
    slot->next_free = first_free;
    first_free = (uint32_t)h;
}
