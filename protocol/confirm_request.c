#include "protocol/confirm_request.h"

#include <stdio.h>
#include <string.h>

static bool fault_at(struct fd_field_fault *fault, const char *field, const char *detail)
{
    snprintf(fault->field, sizeof(fault->field), "%.100s", field);
    snprintf(fault->detail, sizeof(fault->detail), "%s", detail);
    return false;
}

static bool call_id_shaped(const struct fd_json *value)
{
    return value != NULL && value->type == FD_JSON_STRING && value->text_len == FD_CALL_ID_LEN &&
           memcmp(value->text, "c_", 2) == 0 &&
           strspn(value->text + 2, "0123456789abcdef") == FD_CALL_ID_LEN - 2;
}

bool fd_confirm_request_read(const struct fd_json *body, struct fd_confirm_request *request,
                             struct fd_field_fault *fault)
{
    const struct fd_json *call_id = fd_json_get(body, "call_id");
    const char *decision = fd_json_string(body, "decision");

    if (body == NULL || body->type != FD_JSON_OBJECT)
        return fault_at(fault, "", "the body must be a JSON object");
    for (const struct fd_json *at = body->child; at != NULL; at = at->next) {
        if (strcmp(at->key, "call_id") != 0 && strcmp(at->key, "decision") != 0)
            return fault_at(fault, at->key, "is not a field of this request");
    }
    if (!call_id_shaped(call_id))
        return fault_at(fault, "call_id", "must be the call_id of a confirm event");
    if (decision != NULL && strcmp(decision, FD_CONFIRM_ACCEPT) == 0)
        request->decision = FD_CONFIRM_ACCEPT;
    else if (decision != NULL && strcmp(decision, FD_CONFIRM_DECLINE) == 0)
        request->decision = FD_CONFIRM_DECLINE;
    else
        return fault_at(fault, "decision", "must be \"accept\" or \"decline\"");
    request->call_id = (struct fd_text){call_id->text, call_id->text_len};
    return true;
}
