/* A frame that is taken is byte for byte what fd_event_frame() writes. */
#include "protocol/event.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fd_event event;
    char *frame;
    size_t len;

    if (!fd_event_parse((const char *)data, size, &event))
        return 0;
    frame = malloc(fd_event_frame_bound(event.data_len));
    if (frame == NULL)
        return 0;
    len = fd_event_frame(frame, event.id, event.type, event.data, event.data_len);
    if (len != size || memcmp(frame, data, size) != 0)
        abort();
    free(frame);
    return 0;
}
