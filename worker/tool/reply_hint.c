#define _GNU_SOURCE /* memmem */
#include "tool/reply_hint.h"

#include <stdbool.h>
#include <string.h>

static const struct {
    int status;
    const char *said; /* NULL: anything, "": nothing or {} */
    const char *hint;
} hints[] = {
    {404, "is not registered",
     "n8n: activate the workflow and use its production URL (/webhook/, not /webhook-test/)"},
    {404, "Did you mean to make a", "n8n: set the Webhook node's HTTP Method to POST"},
    {404, NULL, "is the URL right, and the workflow active?"},
    {405, NULL, "the webhook must take POST"},
    {401, NULL, "set the tool's token to what the webhook asks for"},
    {403, "Authorization data is wrong",
     "n8n: the tool's token is not the value of the Webhook node's Header Auth credential"},
    {403, "IP is not allowed", "n8n: take this server's address into the Webhook node's IP list"},
    {403, NULL, "set the tool's token to what the webhook asks for"},
    {500, "No authentication data defined",
     "n8n: choose a credential in the Webhook node, or no authentication"},
    {500, "Error in workflow", "n8n: the workflow failed; see its executions there"},
    {500, "Unused Respond to Webhook",
     "n8n: let the Webhook node respond \"Using 'Respond to "
     "Webhook' Node\""},
    {500, "No Respond to Webhook", "n8n: add a Respond to Webhook node"},
    {413, NULL, "the webhook takes smaller bodies only"},
    {200, "Workflow was started",
     "n8n: the Webhook node responds immediately; let it respond \"Using 'Respond to Webhook' "
     "Node\""},
    {200, "\"type\":\"begin\"", "n8n: the Webhook node streams; let it respond with JSON"},
    {200, "", "n8n: no Respond to Webhook node was reached; let every branch end in one"},
};

static bool is_nothing(const char *said, size_t len)
{
    while (len > 0 && strchr(" \t\r\n{}[]", *said) != NULL)
        said++, len--;
    return len == 0;
}

static bool contains(const char *said, size_t len, const char *what)
{
    return memmem(said, len, what, strlen(what)) != NULL;
}

const char *reply_hint(int status, const char *said, size_t len)
{
    int group = status >= 200 && status < 300 ? 200 : status;

    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (hints[i].status != group)
            continue;
        if (hints[i].said == NULL || (hints[i].said[0] == '\0' && is_nothing(said, len)) ||
            (hints[i].said[0] != '\0' && contains(said, len, hints[i].said)))
            return hints[i].hint;
    }
    return NULL;
}
