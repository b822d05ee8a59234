#include "route/route_table.h"

#include <pthread.h>

static const char *const email_words[] = {
    "draft", "email", "e-mail", "טיוטה",    "טיוטת", "טיוטות", "נסח",    "לנסח",
    "נסחי",  "נסחו",  "אימייל", "אימיילים", "מייל",  "מיילים", "דוא\"ל", "דואל",
};
static const char *const pipeline_words[] = {
    "pipeline", "forecast", "פייפליין", "צנרת", "תחזית", "תחזיות",
};
static const char *const deal_words[] = {
    "win",   "won",     "objection", "deal",   "עסקה",  "עסקת", "עסקאות",
    "עסקות", "התנגדות", "התנגדויות", "ניצחון", "נצחון", "ננצח", "לנצח",
};
static const char *const order_words[] = {
    "order status", "where is my order", "track my order", "tracking number", "my package",
    "my parcel",    "my delivery",       "shipment",       "סטטוס הזמנה",     "איפה ההזמנה",
    "ההזמנה שלי",   "החבילה שלי",        "המשלוח שלי",     "מספר מעקב",
};
static const char *const booking_words[] = {
    "appointment", "booking",     "book a",    "reservation", "reserve", "reschedule", "תור",
    "פגישה",       "לקבוע פגישה", "לקבוע תור", "להזמין תור",  "לשריין",  "הזמנת מקום",
};
static const char *const support_words[] = {
    "support", "broken",   "not working", "doesn't work",  "does not work", "defective",
    "faulty",  "complain", "complaint",   "error message", "crash",         "refund",
    "תמיכה",   "תקלה",     "תקלות",       "לא עובד",       "לא עובדת",      "מקולקל",
    "מקולקלת", "תלונה",    "החזר",
};

#define WORDS(list) list, sizeof(list) / sizeof(*(list))

static const struct route_words intents[] = {
    {"email_drafting", WORDS(email_words)}, {"pipeline_summary", WORDS(pipeline_words)},
    {DEAL_COACHING, WORDS(deal_words)},     {"order_status", WORDS(order_words)},
    {"booking", WORDS(booking_words)},      {"support", WORDS(support_words)},
};

#define CONTRACT_INTENTS 3 /* of version 1 */

static struct route_table tables[ROUTE_VERSION_MAX];
static struct arena arena; /* lives as long as the process */
static pthread_once_t made = PTHREAD_ONCE_INIT;

static void make(void)
{
    arena_init(&arena);
    for (int version = 1; version <= ROUTE_VERSION_MAX; version++) {
        struct route_table *table = &tables[version - 1];
        struct phrases *phrases = phrases_new(&arena, ROUTE_TABLE_WORDS_MAX);
        table->intents = intents;
        table->count = version == 1 ? CONTRACT_INTENTS : sizeof(intents) / sizeof(*intents);
        table->phrases = phrases;
        for (size_t i = 0; i < table->count; i++) {
            for (size_t k = 0; k < intents[i].count; k++) {
                phrases_add(phrases, &arena, intents[i].words[k]);
            }
        }
    }
}

const struct route_table *route_table(int version)
{
    pthread_once(&made, make);
    return &tables[version - 1];
}
