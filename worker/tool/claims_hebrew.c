#include "tool/claims_clause.h"
#include "tool/deeds.h"

#include <string.h>

/* Verbs in the past of whoever speaks; only the third person has a gender there. */
WORDS(i_did, "קבעתי", "ביטלתי", "שריינתי", "הזמנתי", "תיאמתי", "זיכיתי", "החזרתי", "רשמתי", "שלחתי",
      "עדכנתי", "יצרתי", "שיניתי", "הוספתי", "מחקתי", "הסרתי", "העברתי", "פתחתי", "דחיתי", "הקדמתי",
      "הפעלתי", "הגשתי", "ביצעתי", "השלמתי", "אישרתי", "סגרתי", "שיבצתי", "חידשתי", "הנפקתי",
      "השבתתי");
WORDS(we_did, "קבענו", "ביטלנו", "שריינו", "הזמנו", "תיאמנו", "זיכינו", "החזרנו", "רשמנו", "שלחנו",
      "עדכנו", "שינינו", "הוספנו", "מחקנו", "הסרנו", "העברנו", "פתחנו", "דחינו", "הפעלנו", "הגשנו",
      "ביצענו", "אישרנו", "שיבצנו", "חידשנו");
/* It was done, he, she and they. */
WORDS(was_done, "נקבע", "נקבעה", "נקבעו", "בוטל", "בוטלה", "בוטלו", "שוריין", "שוריינה", "שוריינו",
      "הוזמן", "הוזמנה", "הוזמנו", "תואם", "תואמה", "הוחזר", "הוחזרה", "נשלח", "נשלחה", "נשלחו",
      "עודכן", "עודכנה", "עודכנו", "נוצר", "נוצרה", "נרשם", "נרשמה", "הוסר", "הוסרה", "הוסרו",
      "הועבר", "הועברה", "הועברו", "נדחה", "נדחתה", "הוקדם", "הוקדמה", "הופעל", "הופעלה", "הוגש",
      "הוגשה", "בוצע", "בוצעה", "בוצעו", "אושר", "אושרה", "נמחק", "נמחקה", "הונפק", "הונפקה",
      "הוסדר", "הוסדרה", "סודר", "סודרה", "שובץ", "שובצה", "חודש", "חודשה");
/* Adjectives, too, or other words altogether: the visitor's own thing must be meant. */
WORDS(may_be_done, "נוסף", "נוספה", "שונה", "שונתה", "שונו", "זוכה", "נפתח", "נפתחה", "קבוע",
      "קבועה", "מאושר", "מאושרת", "משוריין", "משוריינת", "מבוטל", "מבוטלת");
/* To the visitor directly: "you were registered". */
WORDS(you_were, "נרשמת", "נרשמתם", "זוכית", "זוכיתם", "שובצת", "שובצתם", "חויבת");
WORDS(sent, "נשלח", "נשלחה", "נשלחו", "הועבר", "הועברה");
WORDS(yours, "לך", "לכם", "לכן", "שלך", "שלכם", "שלכן", "אליך", "אלייך", "אליכם", "אליכן", "עבורך",
      "עבורכם", "בשבילך", "אותך", "אתכם", "בשמך", "תורך", "הזמנתך", "פגישתך", "בקשתך", "פנייתך",
      "חשבונך", "כתובתך", "פרטיך");
WORDS(things, "התור", "הפגישה", "ההזמנה", "הביטול", "ההחזר", "הזיכוי", "המנוי", "השיריון", "הבקשה",
      "הפנייה", "הפניה", "הכתובת", "הפרטים", "החשבון", "המקום", "השולחן", "ההודעה", "המייל",
      "האימייל", "השינוי", "העדכון", "ההרשמה", "החשבונית", "הקריאה", "התשלום", "השיחה", "הביקור",
      "האישור", "תור", "פגישה", "הזמנה", "זיכוי", "החזר");
WORDS(parcels, "ההזמנה", "הזמנה", "הזמנתך", "המשלוח", "משלוח", "החבילה", "חבילה", "המוצר", "הפריט");
WORDS(written, "רשימה", "טבלה", "סיכום", "טיוטה", "השוואה", "דוגמה", "נוסח", "תשובה", "טקסט");
WORDS(negations, "לא", "אין", "איני", "אינני", "איננו", "אינו", "אינה", "אינם", "טרם", "בלי", "ללא",
      "שלא", "ולא", "מעולם", "עדיין", "שום");
WORDS(conditions, "אם", "ואם", "לאחר", "אחרי", "כאשר", "ברגע", "במידה", "במקרה", "לפני", "האם",
      "אילו", "בעת", "ברגע", "בתנאי", "עד", "מתי", "כיצד", "איך", "כדי", "מרגע");
WORDS(general, "תוך", "בתוך", "כלל", "תמיד", "דרך", "באמצעות", "אוטומטית", "טלפונית", "בכל", "רק",
      "בלבד", "אונליין", "לרוב", "לאחר", "אחרי", "כאשר", "אם", "ברגע", "מראש", "באתר", "כל");
WORDS(reported, "לפי", "פי", "רואה", "רואים", "מופיע", "מופיעה", "אמרת", "ציינת", "כתבת", "סיפרת",
      "סטטוס", "במערכת", "המערכת", "ברישומים", "נראה", "כנראה", "ידוע");
WORDS(done, "בוצע", "בוצעה", "נקבע", "נקבעה", "בוטל", "בוטלה", "נשלח", "נשלחה", "סודר", "הוזמן",
      "הוזמנה", "עודכן", "עודכנה", "נרשמת", "זוכית");
WORDS(questions, "האם", "מתי", "איפה", "היכן", "למה", "מדוע", "מה", "מי", "איך", "כיצד", "כמה",
      "איזה", "איזו");

/* What goes out with whatever was done. */
WORDS(notices, "אישור", "תזכורת", "הודעה", "הודעת", "בקשה", "הבקשה", "פנייה", "הפנייה", "קבלה",
      "פרטים", "הפרטים");
WORDS(booked_things, "התור", "תור", "תורך", "הפגישה", "פגישה", "פגישתך", "השולחן", "המקום",
      "השיריון", "הביקור");
WORDS(refund_things, "ההחזר", "החזר", "הזיכוי", "זיכוי");
WORDS(cancel_things, "הביטול", "ביטול");
WORDS(sent_things, "ההודעה", "המייל", "האימייל");
WORDS(change_things, "השינוי", "העדכון");

/* What the verbs above have of their root in every form. */
static const struct {
    const char *part;
    unsigned deeds;
} roots[] = {
    {"קבע", DEED_BOOK},
    {"קבוע", DEED_BOOK},
    {"שריי", DEED_BOOK},
    {"שוריי", DEED_BOOK},
    {"תיאמ", DEED_BOOK},
    {"תוא", DEED_BOOK},
    {"שיבצ", DEED_BOOK},
    {"שוב", DEED_BOOK},
    {"הזמנ", DEED_BOOK | DEED_CREATE},
    {"הוזמ", DEED_BOOK | DEED_CREATE},
    {"ביטל", DEED_CANCEL},
    {"בוטל", DEED_CANCEL},
    {"מחק", DEED_CANCEL | DEED_CHANGE},
    {"הסר", DEED_CANCEL | DEED_CHANGE},
    {"הוסר", DEED_CANCEL | DEED_CHANGE},
    {"השבת", DEED_CANCEL | DEED_CHANGE},
    {"זיכ", DEED_REFUND},
    {"זוכ", DEED_REFUND},
    {"החזר", DEED_REFUND},
    {"הוחזר", DEED_REFUND},
    {"שלח", DEED_SEND},
    {"העבר", DEED_SEND | DEED_CHANGE | DEED_CREATE},
    {"הועבר", DEED_SEND | DEED_CHANGE | DEED_CREATE},
    {"עדכנ", DEED_CHANGE},
    {"עודכ", DEED_CHANGE},
    {"שינ", DEED_CHANGE},
    {"שונ", DEED_CHANGE},
    {"דחי", DEED_CHANGE},
    {"נדח", DEED_CHANGE},
    {"הקדמ", DEED_CHANGE},
    {"הוקדמ", DEED_CHANGE},
    {"הוקדם", DEED_CHANGE},
    {"הפעל", DEED_CHANGE},
    {"הופעל", DEED_CHANGE},
    {"חידש", DEED_CHANGE},
    {"חודש", DEED_CHANGE},
    {"יצר", DEED_CREATE},
    {"נוצר", DEED_CREATE},
    {"פתח", DEED_CREATE},
    {"רשמ", DEED_CREATE},
    {"נרשם", DEED_CREATE},
    {"הגש", DEED_CREATE},
    {"הוגש", DEED_CREATE},
    {"הוספ", DEED_CREATE},
    {"נוס", DEED_CREATE},
};

/* The word, also behind "and" and "that" (ו, ש). */
static bool is_form(const struct clause *c, size_t at, struct word_list list)
{
    const char *word = c->words[at].text;

    if (clause_word_is(c, at, list))
        return true;
    if (strncmp(word, "ו", 2) != 0 && strncmp(word, "ש", 2) != 0)
        return false;
    for (size_t i = 0; i < list.count; i++) {
        if (strcmp(word + 2, list.words[i]) == 0)
            return true;
    }
    return false;
}

/* "when" is a prefix as well (כש). */
static bool is_open_before(const struct clause *c, size_t to)
{
    for (size_t i = 0; i < to; i++) {
        if (strncmp(c->words[i].text, "כש", 4) == 0 || strncmp(c->words[i].text, "לכש", 6) == 0)
            return true;
    }
    return clause_has(c, 0, to, negations) || clause_has(c, 0, to, conditions);
}

static bool says_i_did(const struct clause *c, size_t at)
{
    if (is_open_before(c, at))
        return false;
    if (is_form(c, at, i_did))
        return !clause_has(c, at + 1, at + 4, written);
    return is_form(c, at, we_did) && clause_has(c, 0, c->count, yours) &&
           !clause_has(c, at + 1, at + 4, written);
}

static bool says_was_done(const struct clause *c, size_t at)
{
    bool theirs = clause_has(c, 0, c->count, yours), thing = clause_has(c, 0, c->count, things);

    if (is_open_before(c, at) || clause_has(c, 0, c->count, general) ||
        clause_has(c, 0, c->count, reported))
        return false;
    if (is_form(c, at, you_were))
        return true;
    if (is_form(c, at, sent) && clause_has(c, 0, c->count, parcels))
        return false;
    if (is_form(c, at, was_done))
        return theirs || thing || clause_has(c, 0, c->count, WORD_LIST("בהצלחה"));
    return is_form(c, at, may_be_done) && theirs && thing;
}

/* "Done!" */
static bool says_done(const struct clause *c)
{
    if ((!c->first && !c->exclaimed) || c->count > 2)
        return false;
    if (c->count == 1)
        return clause_word_is(c, 0, done);
    return (clause_word_is(c, 0, WORD_LIST("הכל", "הכול")) &&
            clause_word_is(c, 1, WORD_LIST("מסודר", "סודר", "סגור"))) ||
           (clause_word_is(c, 1, WORD_LIST("בהצלחה")) && clause_word_is(c, 0, done));
}

/* -- what it was ------------------------------------------------------------------------------ */

static unsigned deed_of(const struct word *verb)
{
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        if (strstr(verb->text, roots[i].part) != NULL)
            return roots[i].deeds;
    }
    return 0;
}

static unsigned deeds_said(const struct clause *c, size_t verb)
{
    unsigned did = deed_of(&c->words[verb]), about = 0;

    if (did == DEED_SEND && clause_has(c, 0, c->count, notices))
        return 0;
    if (clause_has(c, 0, c->count, booked_things))
        about |= DEED_BOOK;
    if (clause_has(c, 0, c->count, refund_things))
        about |= DEED_REFUND;
    if (clause_has(c, 0, c->count, cancel_things))
        about |= DEED_CANCEL;
    if (clause_has(c, 0, c->count, sent_things))
        about |= DEED_SEND;
    if (clause_has(c, 0, c->count, change_things))
        about |= DEED_CHANGE;
    return deeds_of(did, about);
}

enum tool_claim hebrew_claim(const struct clause *c, unsigned deeds)
{
    bool stated = false;

    if (says_done(c) && !deeds_cover(deeds, deeds_said(c, 0)))
        return TOOL_CLAIM_OWN;
    for (size_t i = 0; i < c->count; i++) {
        if (!word_is_hebrew(&c->words[i]))
            continue;
        bool own = says_i_did(c, i);
        if ((!own && !says_was_done(c, i)) || deeds_cover(deeds, deeds_said(c, i)))
            continue;
        if (own)
            return TOOL_CLAIM_OWN;
        stated = true;
    }
    return stated ? TOOL_CLAIM_STATED : TOOL_CLAIM_NONE;
}

bool hebrew_asks(const struct clause *c)
{
    return c->hebrew && clause_word_is(c, 0, questions);
}

bool hebrew_hedges(const struct clause *c)
{
    if (!c->hebrew)
        return false;
    return clause_word_is(c, 0, conditions) || clause_has(c, 0, c->count, reported) ||
           strncmp(c->words[0].text, "כש", 4) == 0;
}

bool hebrew_drafts(const struct clause *c)
{
    if (!c->hebrew)
        return false;
    return clause_has(c, 0, c->count, WORD_LIST("טיוטה", "טיוטת", "תבנית", "נוסח")) ||
           (c->count == 1 && clause_word_is(c, 0, WORD_LIST("נושא", "הנדון")));
}
