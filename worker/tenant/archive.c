#include "tenant/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool complain(char error[256], const char *what, const char *path)
{
    snprintf(error, 256, "cannot %s %.180s: %s", what, path, strerror(errno));
    return false;
}

struct archive_place archive_place_of(const struct config *config)
{
    return (struct archive_place){.directory = config->archive_dir,
                                  .bucket = {.url = config->archive_url,
                                             .key_id = config->archive_key_id,
                                             .secret = config->archive_secret,
                                             .region = config->archive_region}};
}

bool archive_wanted(const struct archive_place *place)
{
    return place != NULL && (place->directory != NULL || place->bucket.url != NULL);
}

static bool name_files(struct archive *archive, const char *org, const char *kind, const char *day)
{
    const char *directory = archive->place->directory;
    int n = snprintf(archive->name, ARCHIVE_PATH_SIZE, "%s/%s-%s.jsonl", org, kind, day);
    int d = 0, p = 0, t = 0;

    if (directory != NULL) {
        d = snprintf(archive->directory, ARCHIVE_PATH_SIZE, "%s/%s", directory, org);
        p = snprintf(archive->path, ARCHIVE_PATH_SIZE, "%s/%s", directory, archive->name);
        t = snprintf(archive->part, ARCHIVE_PATH_SIZE, "%s/%s/.%s-%s.part", directory, org, kind,
                     day);
    }
    return n < ARCHIVE_PATH_SIZE && d < ARCHIVE_PATH_SIZE && p < ARCHIVE_PATH_SIZE &&
           t < ARCHIVE_PATH_SIZE;
}

static bool begin_file(struct archive *archive, bool *there, char error[256])
{
    struct stat st;

    if (stat(archive->path, &st) == 0) {
        *there = true;
        return true;
    }
    if (mkdir(archive->directory, 0700) != 0 && errno != EEXIST)
        return complain(error, "make", archive->directory);
    int fd = open(archive->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    archive->file = fd != -1 ? fdopen(fd, "w") : NULL;
    if (archive->file == NULL) {
        complain(error, "write", archive->part);
        if (fd != -1)
            close(fd);
        return false;
    }
    return true;
}

/* A bucket takes a file when it is whole: until then it is one without a name. */
static bool begin_upload(struct archive *archive, bool *there, char error[256])
{
    if (!archive_bucket_has(&archive->place->bucket, archive->name, there, error))
        return false;
    if (*there)
        return true;
    archive->file = tmpfile();
    return archive->file != NULL || complain(error, "write", "a temporary file");
}

bool archive_begin(struct archive *archive, const struct archive_place *place, const char *org,
                   const char *kind, const char *day, bool *there, char error[256])
{
    *archive = (struct archive){.place = place};
    *there = false;
    if (!name_files(archive, org, kind, day)) {
        errno = ENAMETOOLONG;
        return complain(error, "archive in", place->directory);
    }
    return place->directory != NULL ? begin_file(archive, there, error)
                                    : begin_upload(archive, there, error);
}

bool archive_line(struct archive *archive, const char *line)
{
    return fputs(line, archive->file) >= 0 && fputc('\n', archive->file) != EOF;
}

/* A name is on the disk when its directory is. */
static bool sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd != -1 && fsync(fd) == 0;

    if (fd != -1)
        close(fd);
    return ok;
}

static bool end_file(struct archive *archive, char error[256])
{
    bool written = fflush(archive->file) == 0 && fsync(fileno(archive->file)) == 0;

    written = fclose(archive->file) == 0 && written;
    archive->file = NULL;
    if (!written || rename(archive->part, archive->path) != 0 ||
        !sync_directory(archive->directory)) {
        complain(error, "write", archive->path);
        unlink(archive->part);
        return false;
    }
    return true;
}

static bool end_upload(struct archive *archive, char error[256])
{
    bool sent = fflush(archive->file) == 0 ? archive_bucket_put(&archive->place->bucket,
                                                                archive->name, archive->file, error)
                                           : complain(error, "write", "a temporary file");

    fclose(archive->file);
    archive->file = NULL;
    return sent;
}

bool archive_end(struct archive *archive, char error[256])
{
    return archive->place->directory != NULL ? end_file(archive, error)
                                             : end_upload(archive, error);
}

void archive_drop(struct archive *archive)
{
    if (archive->file == NULL)
        return;
    fclose(archive->file);
    archive->file = NULL;
    if (archive->place->directory != NULL)
        unlink(archive->part);
}
