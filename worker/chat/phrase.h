/* Phrase: the few sentences that an answer says in the server's own words. Pure. */
#ifndef FD_CHAT_PHRASE_H
#define FD_CHAT_PHRASE_H

enum phrase {
    PHRASE_NOT_DONE,   /* an action was claimed that no tool confirmed */
    PHRASE_APPROVAL,   /* it waits for a person */
    PHRASE_TOO_MANY,   /* the bound on calls was met and nothing was said */
    PHRASE_APPROVED,   /* later: a person agreed, and it was done */
    PHRASE_DECLINED,   /* a person did not agree */
    PHRASE_EXPIRED,    /* nobody decided in time */
    PHRASE_FAILED,     /* a person agreed, but it did not work */
    PHRASE_OFFER,      /* a person may be asked for */
    PHRASE_UNGROUNDED, /* the sources say nothing on it */
    PHRASE_UNCERTAIN,  /* it is not known whether it was done */
    PHRASE_SORRY,      /* no answer could be given */
    PHRASE_TEXT_ONLY,  /* what came had no text */
    PHRASE_LANGUAGE,   /* the answer is in another language than the question */
    PHRASES
};

/* In Hebrew where the language is, else in English. language may be NULL. */
const char *phrase_text(enum phrase phrase, const char *language);

#endif
