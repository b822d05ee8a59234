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

static bool name_files(struct archive *archive, const char *directory, const char *org,
                       const char *kind, const char *day)
{
    int d = snprintf(archive->directory, ARCHIVE_PATH_SIZE, "%s/%s", directory, org);
    int p =
        snprintf(archive->path, ARCHIVE_PATH_SIZE, "%s/%s/%s-%s.jsonl", directory, org, kind, day);
    int t =
        snprintf(archive->part, ARCHIVE_PATH_SIZE, "%s/%s/.%s-%s.part", directory, org, kind, day);

    return d < ARCHIVE_PATH_SIZE && p < ARCHIVE_PATH_SIZE && t < ARCHIVE_PATH_SIZE;
}

bool archive_begin(struct archive *archive, const char *directory, const char *org,
                   const char *kind, const char *day, bool *there, char error[256])
{
    struct stat st;

    *archive = (struct archive){0};
    *there = false;
    if (!name_files(archive, directory, org, kind, day)) {
        errno = ENAMETOOLONG;
        return complain(error, "archive in", directory);
    }
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

bool archive_end(struct archive *archive, char error[256])
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

void archive_drop(struct archive *archive)
{
    if (archive->file == NULL)
        return;
    fclose(archive->file);
    archive->file = NULL;
    unlink(archive->part);
}
