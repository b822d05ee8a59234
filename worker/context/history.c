#include "context/history.h"

#include "core/utf8.h"
#include "llm/tokens.h"

#include <string.h>

#define SHARE      4  /* of the room, a message may take one in so many before it is cut */
#define LAST_SHARE 2  /* one of the last turn */
#define CUT_LEAST  32 /* tokens: less of a message says nothing */

static int64_t tokens_of(const char *text)
{
    return tokens_estimate(text, strlen(text));
}

/* -- cutting ------------------------------------------------------------------------- */

/* The most bytes that stay within the tokens. */
static size_t longest(const char *text, size_t len, int64_t max_tokens)
{
    size_t low = 0, high = len;

    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        if (tokens_estimate(text, utf8_floor(text, len, middle)) <= max_tokens) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return utf8_floor(text, len, low);
}

static bool ends_sentence(uint32_t code)
{
    return code == '.' || code == '!' || code == '?' || code == '\n' || code == 0x2026 ||
           code == 0x3002 || code == 0xFF01 || code == 0xFF1F || code == 0x061F;
}

/* Behind the last sentence in the second half, else behind the last word, else all of it. A
 * point inside a number or an address ends nothing. */
static size_t good_end(const char *text, size_t len)
{
    const char *at = text, *end = text + len;
    size_t sentence = 0, word = 0;

    while (at < end) {
        uint32_t code = utf8_next(&at, end);
        size_t here = (size_t)(at - text);
        bool wide = code >= 0x3000;
        bool blank_follows = at == end || *at == ' ' || *at == '\n' || *at == '\r';
        if (ends_sentence(code) && (wide || code == '\n' || blank_follows)) {
            sentence = here;
        }
        if (code == ' ' || code == '\n' || code == '\t') {
            word = here;
        }
    }
    if (sentence > len / 2) {
        return sentence;
    }
    return word > len / 2 ? word : len;
}

const char *history_shorten(struct arena *a, const char *text, int64_t max_tokens)
{
    size_t len = strlen(text);

    if (tokens_estimate(text, len) <= max_tokens) {
        return text;
    }
    int64_t room = max_tokens - tokens_of(HISTORY_CUT);
    size_t keep = room > 0 ? longest(text, len, room) : 0;
    keep = good_end(text, keep);
    while (keep > 0 && strchr(" \n\r\t", text[keep - 1]) != NULL) {
        keep--;
    }
    return arena_printf(a, "%.*s" HISTORY_CUT, (int)keep, text);
}

/* -- fitting ------------------------------------------------------------------------- */

static void shorten(struct arena *a, struct history *h, struct llm_message *message, int64_t most)
{
    const char *cut = history_shorten(a, message->text, most > CUT_LEAST ? most : CUT_LEAST);

    h->shortened += cut != message->text;
    message->text = cut;
}

/* The first message of the turn that ends before `end`. */
static size_t turn_start(const struct llm_message *messages, size_t end)
{
    size_t start = end - 1;

    while (start > 0 && messages[start].role != LLM_USER) {
        start--;
    }
    return start;
}

static int64_t turn_tokens(const struct llm_message *messages, size_t start, size_t end)
{
    int64_t tokens = 0;

    for (size_t i = start; i < end; i++) {
        tokens += tokens_of(messages[i].text);
    }
    return tokens;
}

/* From the newest turn backwards, cut where it is long for its share. */
static size_t fit_turns(struct arena *a, struct llm_message *messages, size_t count,
                        int64_t max_tokens, struct history *h)
{
    size_t first = count;

    while (first > 0) {
        size_t start = turn_start(messages, first), shortened = h->shortened;
        for (size_t i = start; i < first; i++) {
            shorten(a, h, &messages[i], max_tokens / (first == count ? LAST_SHARE : SHARE));
        }
        int64_t tokens = turn_tokens(messages, start, first);
        if (h->tokens + tokens > max_tokens) {
            h->shortened = shortened;
            break;
        }
        h->tokens += tokens;
        first = start;
    }
    return first;
}

void history_fit(struct arena *a, const struct llm_message *messages, size_t count,
                 int64_t max_tokens, struct history *history)
{
    struct llm_message *copy = arena_zalloc(a, (count + 1) * sizeof(*copy));
    size_t first = 0;

    *history = (struct history){0};
    if (count > 0) {
        memcpy(copy, messages, count * sizeof(*copy));
    }
    history->tokens = turn_tokens(copy, 0, count);
    if (history->tokens > max_tokens) {
        history->tokens = 0;
        first = fit_turns(a, copy, count, max_tokens, history);
    }
    while (first < count && copy[first].role != LLM_USER) {
        history->tokens -= tokens_of(copy[first++].text);
    }
    history->messages = copy + first;
    history->count = count - first;
    history->left_out = first;
}
