#include "chat/signal.h"

#include "context/sentiment.h"
#include "core/phrases.h"
#include "core/words.h"

#include <pthread.h>
#include <string.h>

#define WORDS_MAX    400
#define QUESTION_MAX 40 /* words that tell a question from another */
#define TIMES_BEFORE 2
#define SHOUT_MIN    8 /* letters: "OK" is no shouting */

static const char *const person_phrases[] = {
    "talk to a human",
    "talk with a human",
    "speak to a human",
    "speak with a human",
    "chat with a human",
    "talk to a person",
    "talk with a person",
    "speak to a person",
    "speak with a person",
    "talk to a real person",
    "speak to a real person",
    "real person",
    "real human",
    "human being",
    "human agent",
    "live agent",
    "live person",
    "live chat",
    "human support",
    "human please",
    "a human",
    "actual person",
    "actual human",
    "talk to an agent",
    "speak to an agent",
    "speak with an agent",
    "talk to a representative",
    "speak to a representative",
    "speak with a representative",
    "customer service representative",
    "talk to someone",
    "speak to someone",
    "speak with someone",
    "talk with someone",
    "talk to somebody",
    "speak to somebody",
    "your manager",
    "the manager",
    "a manager",
    "a supervisor",
    "your supervisor",
    "contact our support",
    "connect you with",
    "transfer me",
    "connect me to",
    "נציג",
    "נציגה",
    "נציג אנושי",
    "נציג שירות",
    "בן אדם",
    "בנאדם",
    "מישהו אמיתי",
    "אדם אמיתי",
    "לדבר עם מישהו",
    "לדבר עם מישהי",
    "לשוחח עם מישהו",
    "לדבר עם אדם",
    "עם מנהל",
    "עם המנהל",
    "תעבירו אותי",
    "תעביר אותי",
    "מענה אנושי",
};

static const char *const bad_words[] = {
    "bad",        "annoying",      "annoyed",      "disappointed",  "disappointing",
    "frustrated", "frustrating",   "useless",      "wrong again",   "not helpful",
    "unhelpful",  "waste of time", "doesn't help", "does not help", "not helping",
    "fed up",     "angry",         "upset",        "complaint",     "unacceptable",
    "מאכזב",      "מאוכזב",        "מאוכזבת",      "מתסכל",         "מעצבן",
    "כועס",       "כועסת",         "לא עוזר",      "לא עוזרת",      "לא עזר",
    "בזבוז זמן",  "תלונה",         "לא מקובל",     "חסר תועלת",
};
static const char *const worse_words[] = {
    "terrible", "horrible",    "awful",  "worst",   "ridiculous", "furious",  "scam",
    "fraud",    "liar",        "lawyer", "sue you", "disgusting", "pathetic", "stupid",
    "idiot",    "idiots",      "hate",   "fuck",    "fucking",    "shit",     "bullshit",
    "wtf",      "never again", "נורא",   "נוראי",   "זוועה",      "גרוע",     "גרועה",
    "גרועים",   "שערורייה",    "רמאים",  "רמאות",   "הונאה",      "עורך דין", "תביעה",
    "אתבע",     "מגעיל",       "טיפש",   "טיפשים",  "אידיוט",     "אידיוטים", "בושה",
    "חרא",
};
static const char *const strong_words[] = {
    "very",       "so",   "really", "extremely", "absolutely",
    "completely", "מאוד", "ממש",    "כל כך",     "לגמרי",
};
static const char *const good_words[] = {
    "thanks",    "thank you", "great", "perfect", "helpful", "love",
    "excellent", "תודה",      "מעולה", "מצוין",   "נהדר",    "אחלה",
};

enum table { PERSON, BAD, WORSE, STRONG, GOOD, TABLES };

#define LIST(words)                                                                                \
    {                                                                                              \
        words, sizeof(words) / sizeof(*(words))                                                    \
    }

static const struct {
    const char *const *words;
    size_t count;
} lists[TABLES] = {
    [PERSON] = LIST(person_phrases), [BAD] = LIST(bad_words),   [WORSE] = LIST(worse_words),
    [STRONG] = LIST(strong_words),   [GOOD] = LIST(good_words),
};

#define PHRASES_MAX 96 /* of the longest of them */

static const struct phrases *tables[TABLES];
static struct arena arena; /* lives as long as the process */
static pthread_once_t made = PTHREAD_ONCE_INIT;

static void make(void)
{
    arena_init(&arena);
    for (int table = 0; table < TABLES; table++) {
        struct phrases *phrases = phrases_new(&arena, lists[table].count);
        for (size_t i = 0; i < lists[table].count; i++)
            phrases_add(phrases, &arena, lists[table].words[i]);
        tables[table] = phrases;
    }
}

/* How many of a table's phrases are in the words. */
static int said(enum table table, const struct word *words, size_t count)
{
    bool found[PHRASES_MAX] = {false};
    int times = 0;
    pthread_once(&made, make);
    phrases_find(tables[table], words, count, found);
    for (size_t i = 0; i < lists[table].count; i++)
        times += found[i];
    return times;
}

bool signal_asks_for_person(const char *text, size_t len)
{
    struct arena a;
    arena_init(&a);
    struct word *words = arena_alloc(&a, WORDS_MAX * sizeof(*words));
    bool asks = said(PERSON, words, words_of(&a, text, len, words, WORDS_MAX)) > 0;
    arena_free(&a);
    return asks;
}

/* Most letters are capitals. Hebrew has none. */
static bool shouts(const char *text, size_t len)
{
    size_t upper = 0, lower = 0;
    for (size_t i = 0; i < len; i++) {
        upper += text[i] >= 'A' && text[i] <= 'Z';
        lower += text[i] >= 'a' && text[i] <= 'z';
    }
    return upper >= SHOUT_MIN && upper > 4 * lower;
}

int signal_mood(const char *text, size_t len)
{
    struct arena a;
    arena_init(&a);
    struct word *words = arena_alloc(&a, WORDS_MAX * sizeof(*words));
    size_t count = words_of(&a, text, len, words, WORDS_MAX);
    int bad = said(BAD, words, count) + 2 * said(WORSE, words, count);
    if (bad > 0)
        bad += (said(STRONG, words, count) > 0) + shouts(text, len) +
               (len > 2 && memcmp(text + len - 2, "!!", 2) == 0);
    int mood = said(GOOD, words, count) - bad;
    arena_free(&a);
    return mood < -SENTIMENT_MOST ? -SENTIMENT_MOST : mood > SENTIMENT_MOST ? SENTIMENT_MOST : mood;
}

/* -- the same question ------------------------------------------------------------------------ */

struct asked {
    struct word words[QUESTION_MAX];
    size_t count;
};

static void read_question(struct arena *a, const char *text, struct asked *asked)
{
    struct word *words = arena_alloc(a, WORDS_MAX * sizeof(*words));
    size_t count = words_of(a, text, strlen(text), words, WORDS_MAX);
    asked->count = 0;
    for (size_t i = 0; i < count && asked->count < QUESTION_MAX; i++) {
        if (!word_is_stop(&words[i]))
            asked->words[asked->count++] = words[i];
    }
}

static bool covers(const struct asked *a, const struct asked *b)
{
    for (size_t i = 0; i < b->count; i++) {
        bool found = false;
        for (size_t k = 0; k < a->count && !found; k++)
            found = word_is_form_of(&a->words[k], &b->words[i]) ||
                    word_is_form_of(&b->words[i], &a->words[k]);
        if (!found)
            return false;
    }
    return true;
}

bool signal_repeats(const char *question, const struct llm_message *history, size_t count)
{
    struct asked now, before;
    struct arena a;
    int times = 0;
    arena_init(&a);
    read_question(&a, question, &now);
    for (size_t i = 0; now.count > 0 && i < count; i++) {
        if (history[i].role != LLM_USER || history[i].text == NULL)
            continue;
        read_question(&a, history[i].text, &before);
        times += covers(&now, &before) && covers(&before, &now);
    }
    arena_free(&a);
    return times >= TIMES_BEFORE;
}
