/*
 * Archive_bucket: files in a store that speaks Amazon S3's REST interface (MinIO, Ceph, R2
 * and others do), requests signed with version 4. Blocking: for threads that may wait.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 */
#ifndef FD_TENANT_ARCHIVE_BUCKET_H
#define FD_TENANT_ARCHIVE_BUCKET_H

#include <stdbool.h>
#include <stdio.h>

struct archive_bucket {
    const char *url; /* of the bucket, and below it if wanted: https://host/bucket/below */
    const char *key_id, *secret, *region;
};

/* False: it cannot be told, error says why. `name` is a path below the URL, of
 * unreserved characters (RFC 3986). */
bool archive_bucket_has(const struct archive_bucket *bucket, const char *name, bool *there,
                        char error[256]);
/* All of the file, from its start. It is there whole when this returns true, else not at all. */
bool archive_bucket_put(const struct archive_bucket *bucket, const char *name, FILE *file,
                        char error[256]);

#endif
