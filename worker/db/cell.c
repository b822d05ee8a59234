#include "db/db.h"

#include "protocol/ids.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *db_text(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}

int64_t db_int(const PGresult *result, int row, int column, int64_t null_value)
{
    const char *text = db_text(result, row, column);
    return text != NULL ? strtoll(text, NULL, 10) : null_value;
}

double db_double(const PGresult *result, int row, int column, double null_value)
{
    const char *text = db_text(result, row, column);
    return text != NULL ? strtod(text, NULL) : null_value;
}

bool db_true(const PGresult *result, int row, int column)
{
    const char *text = db_text(result, row, column);
    return text != NULL && text[0] == 't';
}

const char *db_number(char out[DB_NUMBER_SIZE], int64_t value)
{
    snprintf(out, DB_NUMBER_SIZE, "%" PRId64, value);
    return out;
}

const char *db_uuid(const char *text)
{
    return text != NULL && fd_uuid_valid(text, strlen(text)) ? text : NULL;
}
