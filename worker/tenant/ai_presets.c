#include "tenant/ai_presets.h"

#include "protocol/limits.h"

#include <pthread.h>
#include <string.h>

#define LONG_MODEL "gemini-pro-1.5"

const char *const ai_presets[] = {"coding", "writing", "analysis", "cheap", NULL};
const char *const ai_tasks[] = {"code", "cheap", "creative", "long", NULL};

static const char *const preset_models[][3] = {
    {"claude-3-5-sonnet", "gpt-4", NULL},
    {"claude-3-opus", "gpt-4", NULL},
    {"gpt-4", "gemini-pro", NULL},
    {"claude-3-haiku", "gpt-3.5-turbo", NULL},
};
static const char *const task_models[] = {
    "anthropic/claude-3-5-sonnet",
    "anthropic/claude-3-haiku",
    "anthropic/claude-3-opus",
    LONG_MODEL,
};

/* What a question says when it is about a task; "long" is not said, but counted. */
static const char *const task_words[][8] = {
    {"code", "function", "debug", "script", "program", "קוד", "תכנות", NULL},
    {"cheap", "simple", "זול", "פשוט", "פשוטה", NULL},
    {"creative", "poem", "slogan", "story", "יצירתי", "שיר", "סיפור", NULL},
};
#define TASKS_SAID     (sizeof(task_words) / sizeof(task_words[0]))
#define TASK_WORDS_MAX (TASKS_SAID * 8)

static size_t place_of(const char *const *names, const char *name)
{
    size_t i = 0;

    while (names[i] != NULL && strcmp(names[i], name) != 0) {
        i++;
    }
    return i;
}

size_t ai_preset_models(const struct fd_json *own, const char *name,
                        const char *models[AI_PRESET_MODELS_MAX])
{
    const struct fd_json *list = fd_json_get(own, name);
    size_t place = place_of(ai_presets, name), count = 0;

    if (list != NULL && list->type == FD_JSON_ARRAY) {
        for (const struct fd_json *id = list->child; id != NULL; id = id->next) {
            if (id->type == FD_JSON_STRING && count < AI_PRESET_MODELS_MAX) {
                models[count++] = id->text;
            }
        }
        return count;
    }
    while (ai_presets[place] != NULL && preset_models[place][count] != NULL) {
        models[count] = preset_models[place][count];
        count++;
    }
    return count;
}

const char *ai_task_model(const struct fd_json *own, const char *task)
{
    const char *model = fd_json_string(own, task);
    size_t place = place_of(ai_tasks, task);

    if (model != NULL || ai_tasks[place] == NULL) {
        return model;
    }
    return task_models[place];
}

/* -- the task of a question -------------------------------------------------------- */

static struct arena arena; /* lives as long as the process */
static struct phrases *phrases;
static pthread_once_t made = PTHREAD_ONCE_INIT;

static void make(void)
{
    arena_init(&arena);
    phrases = phrases_new(&arena, TASK_WORDS_MAX);
    for (size_t task = 0; task < TASKS_SAID; task++) {
        for (size_t i = 0; task_words[task][i] != NULL; i++) {
            phrases_add(phrases, &arena, task_words[task][i]);
        }
    }
}

const char *ai_task_of(struct arena *scratch, const char *question)
{
    size_t len = strnlen(question, FD_MESSAGE_MAX), most = len / 2 + 1, number = 0;
    struct word *words = arena_alloc(scratch, most * sizeof(*words));
    bool said[TASK_WORDS_MAX] = {false};

    pthread_once(&made, make);
    phrases_find(phrases, words, words_of(scratch, question, len, words, most), said);
    for (size_t task = 0; task < TASKS_SAID; task++) {
        for (size_t i = 0; task_words[task][i] != NULL; i++) {
            if (said[number++]) {
                return ai_tasks[task];
            }
        }
    }
    return NULL;
}

bool ai_model_is(const char *id, const char *wanted)
{
    const char *slash = strchr(id, '/');

    return strcmp(id, wanted) == 0 ||
           (strchr(wanted, '/') == NULL && slash != NULL && strcmp(slash + 1, wanted) == 0) ||
           (slash == NULL && strchr(wanted, '/') != NULL &&
            strcmp(strchr(wanted, '/') + 1, id) == 0);
}
