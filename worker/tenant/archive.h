/*
 * Archive: what is about to be deleted, as JSON lines in a directory, one file an
 * organisation, a kind and a day. A file is there whole or not at all.
 */
#ifndef FD_TENANT_ARCHIVE_H
#define FD_TENANT_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define ARCHIVE_PATH_SIZE 1024

struct archive {
    char directory[ARCHIVE_PATH_SIZE]; /* of the organisation */
    char path[ARCHIVE_PATH_SIZE];
    char part[ARCHIVE_PATH_SIZE]; /* until it is whole */
    FILE *file;
};

/* *there: the day is archived already, nothing was begun. False: error says why not. */
bool archive_begin(struct archive *archive, const char *directory, const char *org,
                   const char *kind, const char *day, bool *there, char error[256]);
bool archive_line(struct archive *archive, const char *line);
/* On the disk, under its name, when this returns true. */
bool archive_end(struct archive *archive, char error[256]);
void archive_drop(struct archive *archive); /* what was begun; after end() nothing */

#endif
