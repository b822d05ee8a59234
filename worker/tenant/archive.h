/*
 * Archive: what is about to be deleted, as JSON lines in a directory or in a bucket, one
 * file an organisation, a kind and a day. A file is there whole or not at all.
 */
#ifndef FD_TENANT_ARCHIVE_H
#define FD_TENANT_ARCHIVE_H

#include "core/config.h"
#include "tenant/archive_bucket.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define ARCHIVE_PATH_SIZE 1024

/* One of the two; neither: nothing is archived. */
struct archive_place {
    const char *directory;
    struct archive_bucket bucket; /* url NULL: none */
};

struct archive {
    const struct archive_place *place;
    char name[ARCHIVE_PATH_SIZE];      /* ORGANISATION/messages-2026-10-01.jsonl */
    char directory[ARCHIVE_PATH_SIZE]; /* of the organisation */
    char path[ARCHIVE_PATH_SIZE];
    char part[ARCHIVE_PATH_SIZE]; /* until it is whole */
    FILE *file;
};

struct archive_place archive_place_of(const struct config *config);
bool archive_wanted(const struct archive_place *place); /* NULL: no */

/* *there: the day is archived already, nothing was begun. False: error says why not. */
bool archive_begin(struct archive *archive, const struct archive_place *place, const char *org,
                   const char *kind, const char *day, bool *there, char error[256]);
bool archive_line(struct archive *archive, const char *line);
/* On the disk or in the bucket, under its name, when this returns true. */
bool archive_end(struct archive *archive, char error[256]);
void archive_drop(struct archive *archive); /* what was begun; after end() nothing */

#endif
