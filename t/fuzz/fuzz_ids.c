/* A stranger's identifiers. */
#include "core/address.h"
#include "protocol/ids.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char key[FD_SESSION_KEY_LEN];
    const char *s = (const char *)data;
    struct fd_event_id id;
    struct address address;
    enum fd_key_kind kind;
    char text[FD_EVENT_ID_SIZE];
    char shard[5];
    char *copy = malloc(size + 1);

    if (copy == NULL)
        return 0;
    if (fd_event_id_parse(s, size, &id) &&
        (fd_event_id_format(text, id) != size || memcmp(text, s, size) != 0))
        abort();
    if (fd_job_id_valid(s, size)) {
        fd_job_id_shard(s, size, shard);
        if (s[strlen(shard)] != '-')
            abort();
    }
    if (fd_session_id_valid(s, size, key, "org", 3) && !fd_session_id_shaped(s, size))
        abort();
    fd_api_key_valid(s, size, &kind);
    fd_uuid_valid(s, size);
    memcpy(copy, s, size);
    copy[size] = '\0';
    address_parse(copy, &address);
    free(copy);
    return 0;
}
