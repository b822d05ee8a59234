#include "llm/kin.h"

#include <string.h>

/* One word a stem is enough: stem.h knows the forms. */
static const char *const groups[] = {
    "ship delivery courier dispatch",
    "return refund exchange",
    "price cost fee rate",
    "open hours closed",
    "guarantee warranty",
    "phone telephone call",
    "address located location",
    "email e-mail mail",
    "buy purchase order",
    "pay payment card",
    "size fit measure",
    "book appointment reserve reservation",
    "track parcel package",
    "משלוח אספקה שליח שולחים שילוח",
    "החזרה להחזיר מחזירים החזר זיכוי החלפה",
    "מחיר עולה עלות עולים",
    "פתוח פתיחה סגור שעות",
    "טלפון להתקשר",
    "כתובת נמצאים מיקום",
    "ביטול לבטל מבטלים",
    "תשלום לשלם משלמים",
    "קנייה לקנות לרכוש הזמנה",
    "מעקב חבילה",
};

static bool has(const struct kin *group, const struct stems *term)
{
    for (size_t i = 0; i < group->count; i++) {
        if (stems_meet(&group->list[i], term)) {
            return true;
        }
    }
    return false;
}

void kin_of(struct arena *a, const struct stems *term, struct kin *kin)
{
    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
        struct word words[KIN_MAX];
        kin->count = words_of(a, groups[g], strlen(groups[g]), words, KIN_MAX);
        for (size_t i = 0; i < kin->count; i++) {
            stems_of(&kin->list[i], &words[i]);
        }
        if (has(kin, term)) {
            return;
        }
    }
    kin->count = 0;
}
