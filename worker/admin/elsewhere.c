#include "admin/elsewhere.h"

#include "tenant/organization.h"

#include <string.h>

#define PARAMETER "organization"

static bool is_platforms(const struct admin_request *request, struct admin_reply *reply)
{
    if (request->role == ADMIN_SUPERADMIN && request->session != NULL)
        return true;
    admin_problem(reply, request, FD_PROBLEM_ROLE, PARAMETER,
                  "only the platform's owner sees other organizations' conversations");
    return false;
}

bool elsewhere_read(const struct admin_request *request, struct admin_reply *reply,
                    struct elsewhere *elsewhere)
{
    const char *name = admin_query(request, PARAMETER);
    PGresult *row = NULL;

    *elsewhere = (struct elsewhere){.name = name};
    if (name == NULL)
        return true;
    if (!is_platforms(request, reply))
        return false;
    if (strcmp(name, "all") == 0)
        return true;
    elsewhere->org = name;
    bool is_id = fd_uuid_valid(name, strlen(name));
    enum db_status status = is_id ? organization_get(request->db, name, &row) : DB_OK;
    bool found = status == DB_OK && row != NULL && PQntuples(row) == 1;
    PQclear(row);
    if (status != DB_OK)
        admin_db_problem(reply, request, status);
    else if (!found)
        admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, PARAMETER,
                      "there is no such organisation");
    return found;
}

bool elsewhere_refuse(const struct admin_request *request, struct admin_reply *reply)
{
    if (admin_query(request, PARAMETER) == NULL)
        return false;
    if (is_platforms(request, reply))
        admin_problem(reply, request, FD_PROBLEM_BAD_REQUEST, PARAMETER,
                      "this is of the organization that one acts in: go there first");
    return true;
}
