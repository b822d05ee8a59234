#include "chat/prompt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX 65536
#define ERROR_SIZE     256

enum value { ORG_NAME, LANGUAGE, TONE, OWN_TEXT, CONTEXT, QUESTION, VALUES, LITERAL = VALUES };

static const char *const value_names[VALUES] = {"org_name", "language", "tone",
                                                "own_text", "context",  "question"};

/* Literal text, of one line at most, or the place of a value. */
struct piece {
    enum value value;
    const char *text;
    size_t len;
};

struct template
{
    struct piece *pieces;
    size_t count;
};

enum variant { ENGLISH, HEBREW, VARIANTS };
enum part { SYSTEM, TURN, PARTS };

static const char *const file_names[VARIANTS][PARTS] = {
    [ENGLISH] = {"system.en.txt", "turn.en.txt"},
    [HEBREW] = {"system.he.txt", "turn.he.txt"},
};

struct prompt_set {
    struct arena arena;
    struct template templates[VARIANTS][PARTS];
};

/* -- the files --------------------------------------------------------------- */

static const char *fault_of(FILE *file, const char *text, size_t len)
{
    if (ferror(file)) {
        return "cannot be read";
    }
    if (len == 0) {
        return "is empty";
    }
    if (len > FILE_BYTES_MAX) {
        return "is larger than 64 kB";
    }
    return memchr(text, '\0', len) != NULL || !fd_utf8_valid(text, len) ? "is not UTF-8 text"
                                                                        : NULL;
}

static const char *read_file(struct arena *a, const char *directory, const char *name,
                             char error[ERROR_SIZE])
{
    FILE *file = fopen(arena_printf(a, "%s/%s", directory, name), "re");

    if (file == NULL) {
        snprintf(error, ERROR_SIZE, "%s in %.128s: %s", name, directory, strerror(errno));
        return NULL;
    }
    char *text = arena_alloc(a, FILE_BYTES_MAX + 1);
    size_t len = fread(text, 1, FILE_BYTES_MAX + 1, file);
    const char *fault = fault_of(file, text, len);
    fclose(file);
    if (fault != NULL) {
        snprintf(error, ERROR_SIZE, "%s %s", name, fault);
        return NULL;
    }
    return arena_strndup(a, text, len);
}

static enum value value_named(const char *name, size_t len)
{
    for (enum value value = ORG_NAME; value < VALUES; value++) {
        if (strlen(value_names[value]) == len && memcmp(value_names[value], name, len) == 0) {
            return value;
        }
    }
    return LITERAL;
}

static void add(struct template *template, enum value value, const char *text, size_t len)
{
    if (value != LITERAL || len > 0) {
        template->pieces[template->count++] = (struct piece){value, text, len};
    }
}

/* Cuts one line, its LF included, into pieces. */
static bool cut_line(struct template *template, const char *line, size_t len, const char *name,
                     char error[ERROR_SIZE])
{
    const char *end = line + len;

    for (;;) {
        const char *open = strstr(line, "{{");
        if (open == NULL || open >= end) {
            add(template, LITERAL, line, (size_t)(end - line));
            return true;
        }
        const char *close = strstr(open, "}}");
        if (close == NULL || close >= end) {
            snprintf(error, ERROR_SIZE, "%s: a {{ without its }}", name);
            return false;
        }
        size_t name_len = (size_t)(close - open) - 2;
        enum value value = value_named(open + 2, name_len);
        if (value == LITERAL) {
            snprintf(error, ERROR_SIZE, "%s: unknown placeholder {{%.*s}}", name,
                     (int)(name_len < 64 ? name_len : 64), open + 2);
            return false;
        }
        add(template, LITERAL, line, (size_t)(open - line));
        add(template, value, NULL, 0);
        line = close + 2;
    }
}

/* A line is one piece, and each placeholder in it makes two more. */
static size_t most_pieces(const char *text)
{
    size_t most = 1;

    for (; *text != '\0'; text++) {
        most += *text == '\n' ? 1 : 0;
        most += text[0] == '{' && text[1] == '{' ? 2 : 0;
    }
    return most;
}

static bool load(struct arena *a, struct template *template, const char *directory,
                 const char *name, char error[ERROR_SIZE])
{
    const char *line = read_file(a, directory, name, error);

    if (line == NULL) {
        return false;
    }
    template->pieces = arena_alloc(a, most_pieces(line) * sizeof(*template->pieces));
    while (*line != '\0') {
        size_t len = strcspn(line, "\n");
        len += line[len] == '\n';
        if (!cut_line(template, line, len, name, error)) {
            return false;
        }
        line += len;
    }
    return true;
}

struct prompt_set *prompt_load(const char *directory, char error[ERROR_SIZE])
{
    struct prompt_set *set = calloc(1, sizeof(*set));

    if (set == NULL) {
        snprintf(error, ERROR_SIZE, "out of memory");
        return NULL;
    }
    arena_init(&set->arena);
    for (int variant = 0; variant < VARIANTS; variant++) {
        for (int part = 0; part < PARTS; part++) {
            if (!load(&set->arena, &set->templates[variant][part], directory,
                      file_names[variant][part], error)) {
                prompt_free(set);
                return NULL;
            }
        }
    }
    return set;
}

void prompt_free(struct prompt_set *set)
{
    if (set != NULL) {
        arena_free(&set->arena);
        free(set);
    }
}

/* -- the prompts ------------------------------------------------------------- */

static bool is_language(const char *language, const char *code)
{
    size_t len = strlen(code);

    return strncmp(language, code, len) == 0 &&
           (language[len] == '\0' || language[len] == '-' || language[len] == '_');
}

/* A model reads "he" as a pronoun: the name where it is known. */
static const char *language_name(const char *language)
{
    static const char *const names[][2] = {
        {"en", "English"},   {"he", "Hebrew"},   {"ar", "Arabic"},  {"ru", "Russian"},
        {"uk", "Ukrainian"}, {"el", "Greek"},    {"zh", "Chinese"}, {"ja", "Japanese"},
        {"ko", "Korean"},    {"th", "Thai"},     {"hi", "Hindi"},   {"fr", "French"},
        {"de", "German"},    {"es", "Spanish"},  {"it", "Italian"}, {"pt", "Portuguese"},
        {"nl", "Dutch"},     {"pl", "Polish"},   {"tr", "Turkish"}, {"sv", "Swedish"},
        {"hy", "Armenian"},  {"ka", "Georgian"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (is_language(language, names[i][0])) {
            return names[i][1];
        }
    }
    return language;
}

static enum variant variant_of(const struct prompt_values *values)
{
    return values->language != NULL && is_language(values->language, "he") ? HEBREW : ENGLISH;
}

/* One line of a template, left out where one of its values is missing; an
 * optional sentence stands on a line of its own. */
struct line {
    const struct piece *pieces;
    size_t count;
    bool whole;
};

static struct line next_line(const struct template *template, size_t at,
                             const char *const texts[VALUES])
{
    struct line line = {&template->pieces[at], 0, true};

    while (at + line.count < template->count) {
        const struct piece *piece = &line.pieces[line.count++];
        if (piece->value != LITERAL) {
            line.whole = line.whole && texts[piece->value] != NULL && *texts[piece->value] != '\0';
        } else if (piece->text[piece->len - 1] == '\n') {
            break;
        }
    }
    return line;
}

/* Writes to `out` unless it is NULL; the length either way. */
static size_t put_line(char *out, const struct line *line, const char *const texts[VALUES])
{
    size_t total = 0;

    for (size_t i = 0; i < line->count && line->whole; i++) {
        const struct piece *piece = &line->pieces[i];
        const char *text = piece->value == LITERAL ? piece->text : texts[piece->value];
        size_t len = piece->value == LITERAL ? piece->len : strlen(text);
        if (out != NULL) {
            memcpy(out + total, text, len);
        }
        total += len;
    }
    return total;
}

static size_t put_lines(char *out, const struct template *template, const char *const texts[VALUES])
{
    size_t total = 0;

    for (size_t at = 0; at < template->count;) {
        struct line line = next_line(template, at, texts);
        total += put_line(out != NULL ? out + total : NULL, &line, texts);
        at += line.count;
    }
    return total;
}

static const char *render(const struct prompt_set *set, enum part part, struct arena *a,
                          const struct prompt_values *values)
{
    const struct template *template = &set->templates[variant_of(values)][part];
    const char *const texts[VALUES] = {
        [ORG_NAME] = values->org_name,
        [LANGUAGE] = values->language != NULL ? language_name(values->language) : "English",
        [TONE] = values->tone,
        [OWN_TEXT] = values->own_text,
        [CONTEXT] = values->context,
        [QUESTION] = values->question,
    };
    size_t len = put_lines(NULL, template, texts);
    char *text = arena_alloc(a, len + 1);

    put_lines(text, template, texts);
    text[len] = '\0';
    return text;
}

const char *prompt_system(const struct prompt_set *set, struct arena *a,
                          const struct prompt_values *values)
{
    return render(set, SYSTEM, a, values);
}

const char *prompt_turn(const struct prompt_set *set, struct arena *a,
                        const struct prompt_values *values)
{
    return render(set, TURN, a, values);
}
