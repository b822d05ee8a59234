#include "tool/claims_clause.h"

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

enum tool_claim hebrew_claim(const struct clause *c)
{
    bool stated = false;

    if (says_done(c))
        return TOOL_CLAIM_OWN;
    for (size_t i = 0; i < c->count; i++) {
        if (!word_is_hebrew(&c->words[i]))
            continue;
        if (says_i_did(c, i))
            return TOOL_CLAIM_OWN;
        stated = stated || says_was_done(c, i);
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
