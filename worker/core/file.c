#include "core/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

char *file_read(struct arena *a, const char *path, size_t max, size_t *len, char error[256])
{
    struct stat info;
    char *text = NULL;

    FILE *file = fopen(path, "re");
    if (file == NULL || fstat(fileno(file), &info) != 0) {
        snprintf(error, 256, "%.180s: %s", path, strerror(errno));
    } else if (!S_ISREG(info.st_mode)) {
        snprintf(error, 256, "%.180s: not a file", path);
    } else if ((size_t)info.st_size > max) {
        snprintf(error, 256, "%.180s: more than %zu bytes", path, max);
    } else {
        text = arena_alloc(a, (size_t)info.st_size + 1);
        *len = fread(text, 1, (size_t)info.st_size, file);
        text[*len] = '\0';
        if (ferror(file)) {
            snprintf(error, 256, "%.180s: %s", path, strerror(errno));
            text = NULL;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return text;
}
