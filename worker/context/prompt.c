#include "context/prompt.h"

#include "context/prompt_template.h"
#include "context/today.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FILE_BYTES_MAX 65536
#define ERROR_SIZE     256

enum value {
    ORG_NAME,
    LANGUAGE,
    TODAY,
    TONE,
    HOURS,
    TIMEZONE,
    CURRENCY,
    CONTACT,
    SHIPPING_ZONES,
    TOOLS,
    OWN_TEXT,
    CONTEXT,
    QUESTION,
    UNGROUNDED,
    INSIST,
    VALUES
};

enum { IN_SYSTEM = 1, IN_TURN = 2, IN_SENTIMENT = 4 };

/* What a visitor or a record says has no place among the rules. */
static const struct prompt_slot slots[VALUES] = {
    [ORG_NAME] = {"org_name", IN_SYSTEM | IN_TURN, 0, false},
    [LANGUAGE] = {"language", IN_SYSTEM | IN_TURN, 0, false},
    [TODAY] = {"today", IN_SYSTEM, 0, false},
    [TONE] = {"tone", IN_SYSTEM, 0, true},
    [HOURS] = {"hours", IN_SYSTEM, 0, true},
    [TIMEZONE] = {"timezone", IN_SYSTEM, 0, true},
    [CURRENCY] = {"currency", IN_SYSTEM, 0, true},
    [CONTACT] = {"contact", IN_SYSTEM, 0, true},
    [SHIPPING_ZONES] = {"shipping_zones", IN_SYSTEM, 0, true},
    [TOOLS] = {"tools", IN_SYSTEM, 0, true},
    [OWN_TEXT] = {"own_text", IN_SYSTEM, IN_SYSTEM, true},
    [CONTEXT] = {"context", IN_TURN, IN_TURN, false},
    [QUESTION] = {"question", IN_TURN, IN_TURN, false},
    [UNGROUNDED] = {"ungrounded", IN_TURN, 0, true},
    [INSIST] = {"insist", IN_TURN, 0, true},
};

enum variant { ENGLISH, HEBREW, VARIANTS };
enum part { SYSTEM, TURN, SENTIMENT, PARTS };

static const unsigned files[PARTS] = {IN_SYSTEM, IN_TURN, IN_SENTIMENT};

static const char *const file_names[VARIANTS][PARTS] = {
    [ENGLISH] = {"system.en.txt", "turn.en.txt", "sentiment.txt"},
    [HEBREW] = {"system.he.txt", "turn.he.txt", "sentiment.txt"},
};

struct prompt_set {
    struct arena arena;
    struct prompt_template templates[VARIANTS][PARTS];
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

static bool load(struct prompt_set *set, const char *directory, enum variant variant,
                 enum part part, char error[ERROR_SIZE])
{
    const struct prompt_slots here = {slots, VALUES, files[part]};
    const char *name = file_names[variant][part];
    const char *text = read_file(&set->arena, directory, name, error);
    struct prompt_fault fault;

    if (text == NULL) {
        return false;
    }
    if (!prompt_template_parse(&set->arena, text, &here, &set->templates[variant][part], &fault)) {
        snprintf(error, ERROR_SIZE, "%s:%d: %s", name, fault.line, fault.what);
        return false;
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
    for (enum variant variant = ENGLISH; variant < VARIANTS; variant++) {
        for (enum part part = SYSTEM; part < PARTS; part++) {
            if (!load(set, directory, variant, part, error)) {
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

    return strncasecmp(language, code, len) == 0 &&
           (language[len] == '\0' || language[len] == '-' || language[len] == '_');
}

/* A model reads "he" as a pronoun: the name where it is known. Of a tag that is not, only
 * what can be no sentence: it may be a visitor's. */
static const char *language_name(struct arena *a, const char *language)
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
    size_t primary = strcspn(language, "-_");
    return primary <= 3 ? arena_strndup(a, language, primary)
                        : "the language of the visitor's message";
}

static enum variant variant_of(const struct prompt_values *values)
{
    return values->language != NULL && is_language(values->language, "he") ? HEBREW : ENGLISH;
}

static const char *render(const struct prompt_set *set, enum part part, struct arena *a,
                          const struct prompt_values *values)
{
    enum variant variant = variant_of(values);
    const char *const texts[VALUES] = {
        [ORG_NAME] = values->org_name,
        [LANGUAGE] = values->language != NULL ? language_name(a, values->language) : "English",
        [TODAY] = today_text(a, variant == HEBREW, values->now_ms, values->utc_offset_s),
        [TONE] = values->tone,
        [HOURS] = values->hours,
        [TIMEZONE] = values->timezone,
        [CURRENCY] = values->currency,
        [CONTACT] = values->contact,
        [SHIPPING_ZONES] = values->shipping_zones,
        [TOOLS] = values->tools,
        [OWN_TEXT] = values->own_text,
        [CONTEXT] = values->context,
        [QUESTION] = values->question,
        [UNGROUNDED] = values->ungrounded ? "yes" : NULL,
        [INSIST] = values->insist ? "yes" : NULL,
    };

    return prompt_template_render(a, &set->templates[variant][part], texts);
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

const char *prompt_sentiment(const struct prompt_set *set, struct arena *a)
{
    const char *const none[VALUES] = {NULL};

    return prompt_template_render(a, &set->templates[ENGLISH][SENTIMENT], none);
}
