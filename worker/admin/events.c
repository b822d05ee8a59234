/* What happens in an organisation, to operators who listen (ADM-4): GET events. */
#include "admin/resources.h"

#include <string.h>

/* Here it is only judged: the loop follows (feed.h), without a thread. */
static void listen_to(const struct admin_request *request, struct admin_reply *reply)
{
    const char *last = request->last_event_id;
    const char *asked = admin_query(request, "last_event_id");

    if (last[0] == '\0' && asked != NULL)
        last = asked;
    if (last[0] != '\0' && !fd_event_id_parse(last, strlen(last), &reply->after)) {
        admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, "Last-Event-ID",
                      "the id of an event that came from here would be right");
        return;
    }
    reply->content_type = "text/event-stream";
    reply->listens = true;
}

static const struct admin_route routes[] = {
    {.method = "GET",
     .pattern = "events",
     .least = ADMIN_STAFF,
     .handle = listen_to,
     .summary = "What happens in the organisation, as server-sent events",
     .query = "{last_event_id?: text}",
     .answer = "stream"},
};

const struct admin_resource admin_events = {routes, sizeof(routes) / sizeof(routes[0])};
