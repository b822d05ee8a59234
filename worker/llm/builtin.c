/*
 * The built-in provider: no model, no network. It finds the sentences of the context
 * that share most with the question, quotes them with their ids, and says what it is.
 */
#include "llm/provider.h"
#include "llm/rank.h"

#include <string.h>

struct says {
    const char *quoted;  /* after the quotes */
    const char *nothing; /* nothing was found */
    const char *no_question;
};

static const struct says english = {
    .quoted =
        "I am the built-in offline assistant: no language model is connected, so I only quote "
        "what I found. If you need more, please contact us directly.",
    .nothing =
        "I found nothing about that in the information I have. I am the built-in offline "
        "assistant, without a language model, so I would rather not guess. Please contact us "
        "directly.",
    .no_question = "I am the built-in offline assistant. No language model is connected, but I can "
                   "look things up in the information I have. What would you like to know?"};

static const struct says hebrew = {
    .quoted = "זהו העוזר המובנה, הפועל ללא מודל שפה ולכן רק מצטט את מה שנמצא. "
              "אם צריך עוד, אפשר לפנות אלינו ישירות.",
    .nothing = "לא נמצא על כך דבר במידע שיש לי. זהו העוזר המובנה, הפועל ללא מודל שפה, "
               "ולכן עדיף לא לנחש. אפשר לפנות אלינו ישירות.",
    .no_question = "זהו העוזר המובנה, הפועל ללא מודל שפה, אך אפשר לחפש כאן תשובות "
                   "במידע שיש לי. מה תרצו לדעת?"};

/* The question's own letters decide; where it has none, what the page said. */
static const struct says *language_for(const char *question, const char *language)
{
    size_t latin = 0, hebrew_letters = 0;
    for (const unsigned char *p = (const unsigned char *)question; *p != '\0'; p++) {
        latin += (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');
        hebrew_letters += *p == 0xd7;
    }
    if (latin == 0 && hebrew_letters == 0) {
        return language != NULL && strncmp(language, "he", 2) == 0 ? &hebrew : &english;
    }
    return hebrew_letters >= latin ? &hebrew : &english;
}

static void quote(struct buf *out, const struct ranking *ranking)
{
    for (size_t i = 0; i < ranking->count; i++) {
        const struct passage *p = &ranking->picks[i];
        bool is_last = i + 1 == ranking->count;
        bool ends_source = is_last || ranking->picks[i + 1].snippet != p->snippet;
        (void)buf_puts(out, p->text);
        if (ends_source && p->id != NULL) {
            (void)buf_printf(out, " [%s]", p->id);
        }
        (void)buf_puts(out, is_last ? "\n\n" : " ");
    }
}

void llm_builtin_answer(const struct llm_request *request, struct buf *out)
{
    const char *question = request->question != NULL ? request->question : "";
    const char *context = request->context != NULL ? request->context : "";
    const struct says *says = language_for(question, request->language);
    struct arena a;
    struct ranking ranking;
    arena_init(&a);
    rank_passages(&a, question, context, &ranking);
    if (!ranking.asks) {
        (void)buf_puts(out, says->no_question);
    } else if (ranking.count == 0) {
        (void)buf_puts(out, says->nothing);
    } else {
        quote(out, &ranking);
        (void)buf_puts(out, says->quoted);
    }
    arena_free(&a);
}
