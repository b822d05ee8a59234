#include "chat/phrase.h"

#include <stddef.h>
#include <string.h>

static const char *const texts[PHRASES][2] = {
    [PHRASE_NOT_DONE] = {"Correction: I have no confirmation that this was done. Please do not "
                         "rely on it.",
                         "תיקון: אין לי אישור שהפעולה בוצעה. אין להסתמך על כך."},
    [PHRASE_APPROVAL] = {"This has not been done yet: it waits for a person's approval.",
                         "הפעולה עדיין לא בוצעה: היא ממתינה לאישור של נציג."},
    [PHRASE_TOO_MANY] =
        {"I could not finish this with the steps I am allowed. Please ask for one "
         "thing at a time.",
         "לא הצלחתי להשלים את הבקשה במספר הצעדים המותר. אפשר לבקש דבר אחד בכל פעם."},
    [PHRASE_APPROVED] = {"Your request was approved and has been carried out:",
                         "הבקשה אושרה ובוצעה:"},
    [PHRASE_DECLINED] = {"Your request was not approved, so it was not carried out:",
                         "הבקשה לא אושרה ולכן לא בוצעה:"},
    [PHRASE_EXPIRED] = {"Nobody could approve your request in time, so it was not carried out:",
                        "הבקשה לא אושרה בזמן ולכן לא בוצעה:"},
    [PHRASE_FAILED] = {"Your request was approved, but carrying it out failed:",
                       "הבקשה אושרה, אך ביצועה נכשל:"},
    [PHRASE_OFFER] = {"You can talk to a person from our team instead.",
                      "אפשר לעבור לשיחה עם נציג מהצוות שלנו."},
    [PHRASE_UNGROUNDED] = {"This is not in our sources, so the answer does not rest on them.",
                           "הדבר אינו מופיע במקורות שלנו, ולכן התשובה אינה נשענת עליהם."},
    [PHRASE_SORRY] = {"Sorry, this could not be answered just now. Please write again in a while.",
                      "מצטערים, לא ניתן לענות כרגע. אפשר לכתוב שוב עוד מעט."},
    [PHRASE_TEXT_ONLY] = {"Sorry, only text can be read here. Please write what it is about.",
                          "מצטערים, כאן אפשר לקרוא טקסט בלבד. אפשר לכתוב במה מדובר."},
    [PHRASE_LANGUAGE] = {"This answer came in another language than your question. You can ask "
                         "again.",
                         "התשובה נכתבה בשפה אחרת מזו של השאלה. אפשר לשאול שוב."},
    [PHRASE_UNCERTAIN] = {"Your request was approved, but it is not certain that it was carried "
                          "out; somebody will look at it:",
                          "הבקשה אושרה, אך לא ברור אם בוצעה; נציג יבדוק זאת:"},
};

const char *phrase_text(enum phrase phrase, const char *language)
{
    return texts[phrase][language != NULL && strncmp(language, "he", 2) == 0];
}
