/*
 * Sightings: which sites used a publishable key, and which tried to (ADM-7). nginx leaves word
 * in FD_KEY_SEEN of the live server, which is short and may be lost; it is brought into
 * PostgreSQL by the worker's synchronisation, and at once where somebody wants to look.
 */
#ifndef FD_TENANT_SIGHTINGS_H
#define FD_TENANT_SIGHTINGS_H

#include "core/config.h"
#include "db/db.h"

/* Of all organisations. False, and logged: something was in the way; what is left there comes
 * with the next call. */
bool sightings_collect(struct db *db, const struct config *config);

enum sighting_column {
    SIGHTING_ORIGIN,
    SIGHTING_FIRST_SEEN, /* ISO 8601, as the next two */
    SIGHTING_LAST_SEEN,
    SIGHTING_LAST_REFUSED,
    SIGHTING_VERSION, /* of the widget; NULL: it did not say */
    SIGHTING_KEY,     /* last four characters */
    SIGHTING_REFUSED, /* it is, as far as is known: true where it has not been let in since */
    SIGHTING_COLUMNS
};

/* Of the organisation's live keys, latest first. */
enum db_status sightings_list(struct db *db, const char *org, PGresult **sightings);

#endif
