#include "tool/claims_clause.h"
#include "tool/deeds.h"

#include <string.h>

/* Done to something of the visitor's wherever they are said. */
WORDS(strict_verbs, "booked", "rebooked", "scheduled", "rescheduled", "reserved", "cancelled",
      "canceled", "refunded", "reimbursed", "credited", "registered", "enrolled", "unsubscribed",
      "issued", "submitted", "placed", "arranged");
/* Done to many things: what they are done to decides. */
WORDS(broad_verbs, "sent", "emailed", "mailed", "forwarded", "created", "opened", "filed",
      "updated", "changed", "modified", "added", "removed", "deleted", "moved", "transferred",
      "processed", "applied", "upgraded", "downgraded", "activated", "deactivated", "reactivated",
      "initiated", "requested", "escalated", "notified", "logged", "recorded", "ordered", "saved",
      "texted", "messaged", "confirmed", "completed", "approved", "extended", "renewed", "paused",
      "assigned", "adjusted", "corrected", "replaced", "subscribed", "made", "passed", "put", "set",
      "signed");
/* Of a parcel these are what its carrier did. */
WORDS(carried, "sent", "moved", "transferred", "processed", "completed", "opened");
WORDS(things, "appointment", "appointments", "booking", "bookings", "reservation", "reservations",
      "order", "orders", "meeting", "call", "visit", "refund", "return", "exchange", "ticket",
      "request", "subscription", "table", "demo", "consultation", "account", "address", "email",
      "mail", "message", "confirmation", "invoice", "reminder", "calendar", "cart", "case",
      "complaint", "registration", "cancellation", "payment", "delivery", "profile", "credit",
      "link", "code", "subject", "callback", "change", "changes");
WORDS(parcels, "order", "orders", "package", "parcel", "item", "items", "shipment");
/* What an answer itself is made of. */
WORDS(written, "list", "summary", "table", "outline", "overview", "comparison", "example",
      "examples", "template", "draft", "plan", "answer", "reply", "response", "text", "paragraph",
      "version", "sentence", "wording", "translation", "notes", "points");
WORDS(adverbs, "just", "now", "already", "also", "successfully", "gone", "went", "ahead", "and",
      "all", "been", "able", "to", "since", "then", "so", "both", "officially", "fully");
WORDS(yours, "your", "yours", "you");
WORDS(modal, "will", "would", "could", "should", "might", "may", "must", "can", "cannot", "not",
      "never", "no", "nothing", "none", "neither", "nor", "having", "without", "unable", "to",
      "had", "let", "yet", "if", "once", "when", "whenever", "whether", "unless", "until", "till",
      "after", "before", "soon", "case", "assuming", "supposing", "as", "every", "each", "any",
      "usually", "normally", "typically", "always", "often", "automatically", "how", "why", "which",
      "what");
WORDS(conditions, "if", "once", "when", "whenever", "whether", "unless", "until", "till", "after",
      "before", "soon", "assuming", "supposing", "should", "had");
WORDS(general, "within", "after", "when", "once", "if", "automatically", "always", "usually",
      "normally", "typically", "until", "unless", "upon", "online", "every", "each", "per",
      "generally", "often", "only", "someone", "somebody", "another", "else");
/* What goes out with whatever was done. */
WORDS(notices, "confirmation", "confirmations", "reminder", "notification", "receipt", "details",
      "request", "ticket");
/* Somebody else's word for it. */
WORDS(reported, "see", "sees", "shows", "show", "showing", "according", "records", "record",
      "appears", "looks", "seems", "tracking", "mentioned", "said", "told", "status", "history",
      "says", "indicates", "listed", "marked", "sure", "check", "ensure", "verify");

static bool is_negation(const char *word)
{
    size_t len = strlen(word);

    return len > 3 && strcmp(word + len - 3, "n't") == 0;
}

static bool is_modal_before(const struct clause *c, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (is_negation(c->words[i].text))
            return true;
    }
    return clause_has(c, from, to, modal);
}

/* "... that your table is booked": what is confirmed begins behind "that". */
static size_t begin_of(const struct clause *c, size_t to)
{
    size_t from = 0; /* "that" at the start is a subject */

    for (size_t i = 1; i < to; i++) {
        if (clause_word_is(c, i, WORD_LIST("that", "confirm", "and", "but")))
            from = i + 1;
    }
    return from;
}

/* -- I have done it --------------------------------------------------------------------------- */

/* What a broad verb was done to makes it an action, or a piece of text. */
static bool acts_on_something(const struct clause *c, size_t verb, bool own)
{
    size_t next = verb + 1;

    if (clause_has(c, next, next + 4, written) && !clause_has(c, next, next + 3, yours))
        return false;
    if (clause_word_is(c, verb, WORD_LIST("put", "set", "signed", "passed")) &&
        !clause_has(c, next, next + 4, WORD_LIST("up", "in", "along", "on", "through")))
        return false;
    if (clause_word_is(c, verb, WORD_LIST("confirmed", "made", "completed", "set")) &&
        !clause_has(c, next, c->count, things))
        return false;
    if (clause_has(c, next, c->count, WORD_LIST("your", "you")))
        return true;
    if (!own)
        return false;
    return clause_has(c, next, c->count, things) ||
           (next + 1 >= c->count &&
            clause_word_is(c, next, WORD_LIST("it", "them", "this", "that")));
}

/* "was able to book", "have managed to cancel" */
static bool is_managed(const struct clause *c, size_t at)
{
    return at >= 3 &&
           clause_word_is(
               c, at, WORD_LIST("book", "cancel", "reschedule", "reserve", "schedule", "refund")) &&
           clause_word_is(c, at - 1, WORD_LIST("to")) &&
           clause_word_is(c, at - 2, WORD_LIST("able", "managed"));
}

/* "I", "we've just": where its verb is looked for. */
struct deed {
    size_t verb;
    bool own;  /* I, not we */
    bool have; /* "I have", "we've" */
    bool led;  /* words stand before the verb */
};

static bool read_doer(const struct clause *c, size_t subject, struct deed *deed)
{
    const bool perfect = clause_word_is(c, subject, WORD_LIST("i've", "we've", "ive"));
    size_t at = subject + 1;

    if (!perfect && !clause_word_is(c, subject, WORD_LIST("i", "we")))
        return false;
    if (is_modal_before(c, begin_of(c, subject), subject))
        return false;
    deed->own = clause_word_is(c, subject, WORD_LIST("i", "i've", "ive"));
    deed->have = perfect;
    if (!perfect && clause_word_is(c, at, WORD_LIST("have", "was", "were"))) {
        deed->have = clause_word_is(c, at, WORD_LIST("have"));
        at++;
    }
    while (clause_word_is(c, at, adverbs) || clause_word_is(c, at, WORD_LIST("managed")))
        at++;
    deed->led = at > subject + 1;
    deed->verb = at;
    return true;
}

static bool is_done_by(const struct clause *c, const struct deed *deed)
{
    size_t at = deed->verb;

    if (deed->led && is_managed(c, at))
        return true;
    /* "I've got you booked" */
    if (clause_word_is(c, at, WORD_LIST("got")))
        at++;
    if (deed->have && clause_word_is(c, at, WORD_LIST("you")))
        return clause_word_is(c, at + 1, strict_verbs) ||
               clause_word_is(c, at + 1, WORD_LIST("down"));
    if (clause_word_is(c, at, WORD_LIST("taken", "took")) &&
        clause_word_is(c, at + 1, WORD_LIST("care")))
        return true;
    if (clause_word_is(c, at, strict_verbs))
        return deed->own || deed->have || clause_has(c, at + 1, c->count, yours);
    return clause_word_is(c, at, broad_verbs) && acts_on_something(c, at, deed->own);
}

static bool says_i_did(const struct clause *c, size_t subject, size_t *verb)
{
    const char first = c->words[subject].text[0]; /* nearly no word is read further */
    struct deed deed;

    if ((first != 'i' && first != 'w') || !read_doer(c, subject, &deed) || !is_done_by(c, &deed))
        return false;
    *verb = deed.verb;
    return true;
}

/* "I've cancelled it and refunded you": a verb that follows a claim has its subject. */
static bool goes_on_at(const struct clause *c, size_t verb)
{
    return verb > 0 && clause_word_is(c, verb - 1, WORD_LIST("and", "then", "also")) &&
           (clause_word_is(c, verb, strict_verbs) ||
            (clause_word_is(c, verb, broad_verbs) && acts_on_something(c, verb, true)));
}

/* -- it is done ------------------------------------------------------------------------------- */

enum subject { SUBJECT_OTHER, SUBJECT_THING, SUBJECT_YOURS };

static enum subject subject_of(const struct clause *c, size_t from, size_t to)
{
    if (clause_has(c, from, to, WORD_LIST("your", "you", "you've", "you're")))
        return SUBJECT_YOURS;
    if (to == from + 1 && clause_word_is(c, from, WORD_LIST("it", "this", "everything", "that")))
        return SUBJECT_THING;
    if (to > from && clause_word_is(c, from, WORD_LIST("the", "this", "a", "an")) &&
        clause_has(c, from, to, things))
        return SUBJECT_THING;
    return SUBJECT_OTHER;
}

/* "your table has been ..." */
static bool has_been_done(const struct clause *c, enum subject subject, size_t from, size_t aux,
                          size_t verb)
{
    const bool broad = clause_word_is(c, verb, broad_verbs);

    if (clause_has(c, verb + 1, c->count, WORD_LIST("someone", "somebody", "another", "else")))
        return false;
    if (broad && clause_word_is(c, verb, carried) && clause_has(c, from, aux, parcels))
        return false;
    if (clause_word_is(c, verb, strict_verbs))
        return true;
    return broad && !clause_word_is(c, verb, WORD_LIST("made", "set", "put")) &&
           (subject == SUBJECT_YOURS || clause_has(c, from, aux, things));
}

/* "your table is ...", "was ..." */
static bool is_now_done(const struct clause *c, enum subject subject, size_t from, size_t aux,
                        size_t verb)
{
    const bool strict = clause_word_is(c, verb, strict_verbs);

    if (clause_has(c, verb + 1, c->count, general))
        return false;
    if (clause_word_is(c, aux, WORD_LIST("was", "were")))
        return strict && (verb + 1 == c->count ||
                          clause_has(c, aux, c->count, WORD_LIST("successfully", "just")));
    return strict ||
           (clause_word_is(c, verb, WORD_LIST("confirmed")) && clause_has(c, from, aux, things)) ||
           (clause_word_is(c, verb, WORD_LIST("signed")) && subject == SUBJECT_YOURS);
}

/* "has been booked": the verb stands at `verb`, its first auxiliary at `aux`. */
static bool says_was_done(const struct clause *c, size_t aux, size_t verb, bool been)
{
    size_t from = begin_of(c, aux);
    enum subject subject = subject_of(c, from, aux);

    if (subject == SUBJECT_OTHER || is_modal_before(c, from, verb) ||
        clause_has(c, 0, aux, reported))
        return false;
    return been ? has_been_done(c, subject, from, aux, verb)
                : is_now_done(c, subject, from, aux, verb);
}

/* What every verb of the lists looks like. */
static bool may_be_verb(const struct word *word)
{
    return (word->len > 2 && strcmp(word->text + word->len - 2, "ed") == 0) ||
           strcmp(word->text, "sent") == 0 || strcmp(word->text, "taken") == 0 ||
           strcmp(word->text, "all") == 0;
}

/* "that's been taken care of", "your table is all set" */
static bool is_settled_at(const struct clause *c, size_t at)
{
    bool settled =
        (clause_word_is(c, at, WORD_LIST("taken")) &&
         clause_word_is(c, at + 1, WORD_LIST("care"))) ||
        (clause_word_is(c, at, WORD_LIST("all")) && clause_word_is(c, at + 1, WORD_LIST("set")));

    return settled && at >= 2 && clause_word_is(c, at - 1, WORD_LIST("been", "is", "are")) &&
           !is_modal_before(c, begin_of(c, at), at) &&
           subject_of(c, begin_of(c, at), at - 1) != SUBJECT_OTHER;
}

/* The passive whose verb stands here, if there is one. */
static bool is_stated_at(const struct clause *c, size_t verb)
{
    size_t aux = verb;
    bool been = false;

    if (!may_be_verb(&c->words[verb]))
        return false;
    if (is_settled_at(c, verb))
        return true;
    if (!clause_word_is(c, verb, strict_verbs) && !clause_word_is(c, verb, broad_verbs))
        return false;
    while (aux > 0 && clause_word_is(c, aux - 1,
                                     WORD_LIST("now", "just", "already", "also", "all",
                                               "successfully", "officially", "been"))) {
        aux--;
        been = been || clause_word_is(c, aux, WORD_LIST("been"));
    }
    if (aux == 0)
        return false;
    if (been) {
        while (aux > 0 &&
               clause_word_is(c, aux - 1, WORD_LIST("has", "have", "now", "already", "just")))
            aux--;
        if (clause_word_is(c, 0, WORD_LIST("you've")) && aux == 1)
            return clause_word_is(c, verb, strict_verbs);
        return says_was_done(c, aux, verb, true);
    }
    if (clause_word_is(c, aux - 1, WORD_LIST("is", "are", "was", "were")))
        return says_was_done(c, aux - 1, verb, false);
    return clause_word_is(c, aux - 1, WORD_LIST("you're")) && aux == 1 &&
           (clause_word_is(c, verb, strict_verbs) ||
            clause_word_is(c, verb, WORD_LIST("confirmed"))) &&
           !clause_has(c, verb, c->count, general);
}

/* -- done! ------------------------------------------------------------------------------------ */

/* Wherever it stands. */
static bool states_done(const struct clause *c)
{
    /* words.h drops the 's of "it's" */
    if (c->count == 2 && clause_word_is(c, 0, WORD_LIST("it", "that", "all", "everything")) &&
        (clause_word_is(c, 1, strict_verbs) ||
         clause_word_is(c, 1, WORD_LIST("done", "sent", "cancelled"))))
        return true;
    if (clause_word_is(c, 0, WORD_LIST("you're")) && clause_word_is(c, 1, WORD_LIST("all")) &&
        clause_word_is(c, 2, WORD_LIST("set", "booked")))
        return true;
    if (clause_word_is(c, 0, WORD_LIST("successfully")) &&
        (clause_word_is(c, 1, strict_verbs) || clause_word_is(c, 1, broad_verbs)))
        return true;
    return c->count == 3 && clause_word_is(c, 0, WORD_LIST("consider")) &&
           clause_word_is(c, 2, WORD_LIST("done"));
}

/* As the first word on it, or with an exclamation mark. */
static bool announces_done(const struct clause *c)
{
    size_t last = c->count - 1;

    if (c->count == 1)
        return clause_word_is(c, 0, strict_verbs) ||
               clause_word_is(c, 0, WORD_LIST("done", "sent"));
    if (c->count == 2 && clause_word_is(c, 0, WORD_LIST("all")))
        return clause_word_is(c, 1, WORD_LIST("set", "done"));
    /* "Appointment booked!" */
    return c->count <= 4 && clause_has(c, 0, last, things) &&
           (clause_word_is(c, last, strict_verbs) ||
            clause_word_is(c, last, WORD_LIST("sent", "created", "updated", "confirmed"))) &&
           !clause_has(c, 0, last,
                       WORD_LIST("is", "are", "was", "were", "been", "be", "get", "have", "has",
                                 "not", "no", "if", "not", "once", "when"));
}

static bool says_done(const struct clause *c)
{
    return states_done(c) || ((c->first || c->exclaimed) && announces_done(c));
}

/* -- what it was ------------------------------------------------------------------------------ */

static size_t first_verb(const struct clause *c)
{
    size_t at = 0;

    while (at < c->count && !clause_word_is(c, at, strict_verbs) &&
           !clause_word_is(c, at, broad_verbs))
        at++;
    return at;
}

static unsigned deeds_said(const struct clause *c, size_t verb)
{
    unsigned did = 0, about = 0;

    while (clause_word_is(c, verb, WORD_LIST("got", "you"))) /* "I've got you booked" */
        verb++;
    if (verb < c->count && !clause_word_is(c, verb, WORD_LIST("set")))
        did = deed_of_verb(&c->words[verb]);
    if (did == DEED_SEND && clause_has(c, 0, c->count, notices))
        return 0;
    for (size_t i = 0; i < c->count; i++)
        about |= deed_of_thing(&c->words[i]);
    return deeds_of(did, about);
}

enum tool_claim english_claim(const struct clause *c, unsigned deeds)
{
    bool claimed = says_done(c), stated = false;

    if (claimed && !deeds_cover(deeds, deeds_said(c, first_verb(c))))
        return TOOL_CLAIM_OWN;
    for (size_t i = 0; i < c->count; i++) {
        size_t verb = i;
        if (says_i_did(c, i, &verb) || (claimed && goes_on_at(c, i))) {
            if (!deeds_cover(deeds, deeds_said(c, verb)))
                return TOOL_CLAIM_OWN;
            claimed = true;
        } else if (is_stated_at(c, i) && !deeds_cover(deeds, deeds_said(c, i))) {
            stated = true;
        }
    }
    return stated ? TOOL_CLAIM_STATED : TOOL_CLAIM_NONE;
}

bool english_asks(const struct clause *c)
{
    return clause_word_is(c, 0,
                          WORD_LIST("have", "has", "had", "did", "do", "does", "is", "are", "was",
                                    "were", "can", "could", "would", "will", "shall", "should",
                                    "may", "what", "when", "where", "who", "why", "how", "which"));
}

bool english_hedges(const struct clause *c)
{
    return clause_word_is(c, 0, conditions) || clause_has(c, 0, c->count, reported) ||
           (clause_word_is(c, 0, WORD_LIST("as")) && clause_word_is(c, 1, WORD_LIST("soon"))) ||
           (clause_word_is(c, 0, WORD_LIST("in")) && clause_word_is(c, 1, WORD_LIST("case"))) ||
           clause_has(c, 1, 3, WORD_LIST("if", "once"));
}

bool english_drafts(const struct clause *c)
{
    return clause_has(c, 0, c->count, WORD_LIST("draft", "template", "sample")) ||
           (c->count == 1 && clause_word_is(c, 0, WORD_LIST("subject", "dear")));
}
