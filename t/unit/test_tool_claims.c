/* ENG-10: tool/claims.h, tool/deeds.h - an answer that says that something was done, all that only
 * sounds like it, and what a call excuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "tool/claims.h"
#include "tool/deeds.h"

static const char *const own[] = {
    "I've booked your appointment for Monday at 10:00.",
    "I have booked a table for two at seven.",
    "I booked it.",
    "I\u2019ve cancelled your order.",
    "I just cancelled order 1001 for you.",
    "I have now cancelled the reservation, as you asked.",
    "Great news! I've gone ahead and scheduled a call with our team.",
    "I went ahead and booked the 3pm slot.",
    "I have successfully refunded your payment.",
    "I've sent a confirmation email to dana@example.com.",
    "I have sent you the invoice.",
    "I've emailed you the details.",
    "I've updated your shipping address to 5 Main St.",
    "I've created a support ticket for this.",
    "I've opened a case with our technical team.",
    "I've added it to your cart.",
    "I've removed the item from your order.",
    "I've forwarded your request to the billing team.",
    "I've escalated your case to a manager.",
    "I've submitted your return request.",
    "I've issued a refund of $20.",
    "We've booked your appointment for tomorrow.",
    "We have cancelled your subscription.",
    "We've sent you a confirmation.",
    "I've rescheduled your meeting to Friday.",
    "I've placed your order.",
    "I was able to book your table.",
    "I've managed to reschedule the appointment.",
    "I've got you booked for 3pm.",
    "I have you booked for Tuesday.",
    "I've taken care of it.",
    "Consider it done!",
    "I've processed the refund of 120 to your card.",
    "Thanks, Dana \u2014 I've reserved a table for four at 20:00.",
    "I've signed you up for the newsletter.",
    "I've put in a request for you.",
    "Done! Your table is reserved.",
    "Done.",
    "Booked!",
    "All set!",
    "You're all set for Tuesday.",
    "It's booked.",
    "Appointment booked!",
    "Successfully booked your table.",
    "After checking the calendar, I've booked the 10:00 slot.",
    "I've booked it for you, does that work?",
    "I am happy to say that I've cancelled your order.",
    "Here is what happened: I have refunded your order.",
    "**I've booked** your appointment.",
    "- I've cancelled your order\n- Anything else?",
    "קבעתי לך תור ליום שני בשעה 10:00.",
    "ביטלתי את ההזמנה שלך.",
    "שלחתי לך אישור במייל.",
    "עדכנתי את הכתובת.",
    "זיכיתי אותך על מלוא הסכום.",
    "פתחתי עבורך פנייה לצוות התמיכה.",
    "שמחה לעדכן שקבעתי לך פגישה למחר.",
    "בדקתי את היומן, וקבעתי לך תור.",
    "קבענו לך תור ליום שלישי.",
    "ביטלנו את ההזמנה שלכם.",
    "שלחנו אליך מייל אישור.",
    "בוצע!",
    "בוטלה.",
    "הכול מסודר!",
    "קבעתי לך תור, זה בסדר?",
};

static const char *const stated[] = {
    "Your appointment has been booked.",
    "Your appointment is booked for Monday at 10:00.",
    "Your booking is confirmed.",
    "Your order has been cancelled and you will hear from us.",
    "Your refund has been issued.",
    "Your request has been submitted.",
    "Your shipping address has been updated.",
    "Your subscription is now cancelled.",
    "The appointment has been scheduled for Friday.",
    "The refund has been processed.",
    "A confirmation email has been sent to you.",
    "A confirmation message has been sent.",
    "I can confirm that your order has been cancelled.",
    "I'm pleased to inform you that your table has been reserved.",
    "Please note that your appointment has been rescheduled.",
    "You have been registered for the workshop.",
    "You've been refunded.",
    "You're booked for Tuesday at 9.",
    "You are now unsubscribed.",
    "It has been cancelled.",
    "Your appointment was booked successfully.",
    "Everything has been booked.",
    "OK, your appointment with Dr. Levi is now scheduled.",
    "Your reservation is all set.",
    "That's been taken care of.",
    "Your appointment's been moved to Friday.",
    "התור נקבע ליום שני.",
    "הפגישה נקבעה ליום שני בשעה 10:00.",
    "ההזמנה שלך בוטלה.",
    "ההזמנה בוטלה בהצלחה.",
    "נקבע לך תור ליום שלישי.",
    "נקבעה לך פגישה.",
    "נשלח אליך מייל אישור.",
    "נשלחה אלייך הודעת אישור.",
    "הכתובת עודכנה.",
    "הזיכוי בוצע.",
    "המקום שלך שוריין.",
    "נרשמת לסדנה.",
    "זוכית במלוא הסכום.",
    "התור שלך מאושר ליום שני.",
    "אני מאשרת שההזמנה שלך בוטלה.",
    "הפנייה שלך הועברה לצוות.",
};

static const char *const none[] = {
    /* offers */
    "I can book that for you.",
    "Would you like me to book it?",
    "Shall I cancel your order?",
    "I'd be happy to schedule an appointment. Which day suits you?",
    "Let me know and I'll book it.",
    "I will send you the confirmation once it is booked.",
    "I could have booked it yesterday.",
    "We can refund your order if it is damaged.",
    "Do you want me to cancel it?",
    "I'm going to need your order number before anything can be cancelled.",
    "I'd love to get you booked.",
    "To get your table booked, tell me the day.",
    /* questions */
    "Have you booked an appointment?",
    "Has your order been cancelled?",
    "Did you want the order to be refunded?",
    "Is your appointment booked?",
    "When was your order placed?",
    "Have I booked the right day?",
    /* conditions */
    "Once your order has been cancelled, you will get an email.",
    "If your payment has been refunded, the order is closed.",
    "You'll get an email when I've booked it.",
    "After your appointment has been booked, we send a reminder.",
    "As soon as your request has been approved, we ship.",
    "If you cancel within 24 hours, your deposit is refunded.",
    "Let me know whether your address has been updated.",
    "Unless your order has been placed today, it ships tomorrow.",
    "I'll tell you once I've sent it.",
    "Should you need it changed, your booking is cancelled without a fee.",
    /* negations */
    "I have not booked anything yet.",
    "I haven't cancelled your order.",
    "Your appointment has not been booked.",
    "No appointment has been booked.",
    "Nothing has been cancelled.",
    "I couldn't get it booked.",
    "Your order hasn't been cancelled.",
    "I was unable to book your table.",
    "I never sent you an email.",
    "It is not booked yet.",
    "Your booking is not confirmed.",
    "I'm sorry, the appointment could not be booked.",
    /* facts from sources */
    "Orders are sent within 2 days.",
    "Orders are shipped from Haifa.",
    "Refunds are processed within 5 business days.",
    "Your order is sent within two days.",
    "Your refund is issued within 5 days.",
    "Your subscription is cancelled automatically at the end of the month.",
    "Appointments are booked online.",
    "Tables can be reserved by phone.",
    "Your order was shipped on May 3.",
    "Your order has been shipped.",
    "Your order has been sent and is on its way.",
    "Order 1001 was delivered yesterday.",
    "Your order was cancelled on May 3 [order:1001].",
    "Your order has been cancelled. [order:1001]",
    "According to our records, your order has been cancelled.",
    "The tracking page shows that your order has been cancelled.",
    "We updated our privacy policy in May.",
    "We've updated our opening hours.",
    "We have added new products to the shop.",
    "We opened a new branch in Haifa.",
    "The store was renovated in 2020.",
    "Our founders created the company in 1990.",
    "We reserved the right to change prices.",
    "The price has been reduced.",
    "Gift cards cannot be refunded.",
    "Customers who have booked online get 10% off.",
    "Items must be returned unused to be refunded.",
    "You have sent us two messages.",
    "You booked a table last week.",
    "They have cancelled the event.",
    "Made in Israel.",
    "That slot is already booked.",
    "The workshop is fully booked.",
    "The 3pm slot has been booked by someone else.",
    "Make sure your appointment has been confirmed.",
    "Check that your order has been placed.",
    "We've moved! Our new address is 5 Herzl St.",
    /* the answer itself */
    "I've created a list of the options for you.",
    "I have added a summary below.",
    "I've updated the list.",
    "I've put together an overview.",
    "I've made a comparison of both plans.",
    "I've checked the calendar and found three free slots.",
    "I've found your order.",
    "I've noted that.",
    "I have read your message.",
    "I see your order.",
    /* what somebody else would say */
    "Say \"I've booked your appointment\" to confirm.",
    "The mail reads: \u201cYour order has been cancelled.\u201d",
    "Look for `Your order has been cancelled` in the log.",
    "Here is a draft:\n\nHi Dana,\nI've booked your appointment for Monday.",
    "Subject: Your refund\n\nHi, your refund has been issued.",
    /* other */
    "",
    "?",
    "Hello! How can I help?",
    "Done with your shopping? Checkout is at the top right.",
    "The 10:00 slot is free.",
    "Thank you for your order.",
    "Your booking number is on the confirmation email.",
    "The set table seats six.",
    /* Hebrew: offers */
    "אני יכול לקבוע לך תור.",
    "אני יכולה לבטל את ההזמנה.",
    "נוכל לקבוע פגישה ליום שני.",
    "תרצה שאקבע לך תור?",
    "תרצי שאבטל את ההזמנה?",
    "אשמח לקבוע לך פגישה.",
    "אפשר לשלוח לך אישור במייל.",
    "אקבע לך תור ברגע שתאשר.",
    "כדי שאוכל לבטל, צריך מספר הזמנה.",
    /* questions */
    "האם ההזמנה שלך בוטלה?",
    "קבעת תור?",
    "מתי נקבע לך התור?",
    "נקבע לך תור?",
    /* conditions */
    "אם ההזמנה בוטלה, הזיכוי יגיע תוך שבוע.",
    "לאחר שהתור נקבע, נשלח תזכורת.",
    "ברגע שההזמנה שלך אושרה, תקבל מייל.",
    "אעדכן אותך אחרי שקבעתי את התור.",
    "כשהזמנתך אושרה, תקבלי הודעה.",
    /* negations */
    "לא קבעתי לך תור.",
    "עדיין לא ביטלתי את ההזמנה.",
    "ההזמנה לא בוטלה.",
    "התור טרם נקבע.",
    "לא נשלח אליך מייל.",
    "שום תור לא נקבע.",
    /* facts */
    "הזמנות נשלחות תוך יומיים.",
    "ההזמנה נשלחת תוך יומיים.",
    "ההזמנה שלך נשלחה ביום שני.",
    "החבילה נשלחה אליך.",
    "התור נקבע דרך האתר בלבד.",
    "זיכוי בוצע תמיד תוך 14 יום.",
    "לפי הרישומים, ההזמנה שלך בוטלה.",
    "אני רואה שההזמנה שלך בוטלה.",
    "ההזמנה בוטלה ב-3 במאי [order:1001].",
    "עדכנו את מדיניות הפרטיות.",
    "פתחנו סניף חדש בחיפה.",
    "הוספנו מוצרים חדשים.",
    "המחיר קבוע.",
    "לשמיכה יש צבע נוסף.",
    "יצרתי רשימה של האפשרויות.",
    "שלום! איך אפשר לעזור?",
    "להלן טיוטה: קבעתי לך תור ליום שני.",
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void check(const char *const *texts, size_t count, enum tool_claim expected)
{
    size_t wrong = 0;

    for (size_t i = 0; i < count; i++) {
        enum tool_claim claim = tool_claim_of(texts[i], strlen(texts[i]), 0);
        if (claim != expected) {
            print_error("%d: %s\n", (int)claim, texts[i]);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void eng_10_own_claims(void **state)
{
    (void)state;
    check(own, COUNT(own), TOOL_CLAIM_OWN);
}

static void eng_10_stated_claims(void **state)
{
    (void)state;
    check(stated, COUNT(stated), TOOL_CLAIM_STATED);
}

static void eng_10_no_claims(void **state)
{
    (void)state;
    check(none, COUNT(none), TOOL_CLAIM_NONE);
}

/* Anywhere in an answer, beside everything that is none. */
static void eng_10_claims_among_others(void **state)
{
    char text[4096];

    (void)state;
    for (size_t i = 0; i < COUNT(own); i++) {
        snprintf(text, sizeof(text), "Orders are sent within 2 days.\n%s\nAnything else?", own[i]);
        if (strchr(own[i], ' ') != NULL && strstr(own[i], "Done.") == NULL)
            assert_int_equal(tool_claim_of(text, strlen(text), 0), TOOL_CLAIM_OWN);
    }
    for (size_t i = 0; i < COUNT(none); i++) {
        snprintf(text, sizeof(text), "%s Orders are sent within 2 days.", none[i]);
        assert_int_equal(tool_claim_of(text, strlen(text), 0), TOOL_CLAIM_NONE);
    }
}

static void eng_10_claims_are_bounded(void **state)
{
    static char text[300000];
    int64_t begin = clock_mono_ms();

    (void)state;
    for (size_t i = 0; i + 16 < sizeof(text); i += 16)
        memcpy(text + i, "\"[:`booked your (", 16);
    tool_claim_of(text, sizeof(text) - 16, 0);
    memset(text, '[', sizeof(text) - 1);
    tool_claim_of(text, sizeof(text) - 1, 0);
    memset(text, 0xd7, sizeof(text) - 1);
    tool_claim_of(text, sizeof(text) - 1, 0);
    assert_in_range(clock_mono_ms() - begin, 0, 1500);
}

/* -- what was done ---------------------------------------------------------------------------- */

/* What a tool of this name did, and what may and may not be said of it later. */
static const struct {
    const char *tool;
    const char *said;
    const char *beyond;
} later[] = {
    {"book_appointment", "I've booked your appointment for Monday at 10:00.",
     "I've cancelled your appointment."},
    {"book_appointment", "Your appointment has been booked.", "Your order has been cancelled."},
    {"book_appointment", "Your booking is confirmed.", "I've rescheduled your meeting to Friday."},
    {"book_appointment", "I've sent a confirmation email to dana@example.com.",
     "I've sent you the invoice."},
    {"book_appointment", "Done! Your table is reserved.", "Done! Your refund has been issued."},
    {"book", "I've got you booked for 3pm.", "I've booked it and refunded your deposit."},
    {"bookTable", "I was able to book your table.", "I've placed your order."},
    {"create_booking", "We've booked your appointment for tomorrow.", "I've processed the refund."},
    {"cancel_order", "I've cancelled your order.", "I have successfully refunded your payment."},
    {"cancel_booking", "Your reservation has been cancelled.", "I've booked it."},
    {"refund", "I've processed the refund of 120 to your card.", "I just cancelled order 1001."},
    {"refund_order", "Your refund has been issued.", "Your order has been cancelled."},
    {"update_address", "I've updated your shipping address to 5 Main St.",
     "I have cancelled the reservation, as you asked."},
    {"reschedule_appointment", "I've rescheduled your meeting to Friday.",
     "I've booked a second appointment for you."},
    {"create_ticket", "I've opened a case with our technical team.",
     "I've issued a refund of $20."},
    {"create_ticket", "I've escalated your case to a manager.",
     "I've cancelled your subscription."},
    {"send_email", "I've emailed you the details.", "I've updated the address of your order."},
    {"notify_team", "I've forwarded your request to the billing team.", "I've booked it."},
    {"unsubscribe", "You are now unsubscribed.", "You've been refunded."},
    {"book_appointment", "קבעתי לך תור ליום שני בשעה 10:00.", "ביטלתי את ההזמנה שלך."},
    {"book_appointment", "התור נקבע ליום שני.", "זיכיתי אותך על מלוא הסכום."},
    {"book_appointment", "שלחתי לך אישור במייל.", "עדכנתי את הכתובת."},
    {"cancel_order", "ההזמנה שלך בוטלה.", "הזיכוי בוצע."},
    {"cancel_order", "בוטלה.", "ביטלתי את ההזמנה וזיכיתי אותך."},
    {"refund_order", "זוכית במלוא הסכום.", "ההזמנה בוטלה בהצלחה."},
    {"update_address", "הכתובת עודכנה.", "קבענו לך תור ליום שלישי."},
    {"create_ticket", "פתחתי עבורך פנייה לצוות התמיכה.", "ביטלנו את ההזמנה שלכם."},
};

static void eng_10_a_call_excuses_what_it_did(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(later); i++) {
        unsigned done = tool_deeds(later[i].tool, NULL);
        if (tool_claim_of(later[i].said, strlen(later[i].said), 0) == TOOL_CLAIM_NONE ||
            tool_claim_of(later[i].said, strlen(later[i].said), done) != TOOL_CLAIM_NONE)
            fail_msg("%s: %s", later[i].tool, later[i].said);
        if (tool_claim_of(later[i].beyond, strlen(later[i].beyond), done) == TOOL_CLAIM_NONE)
            fail_msg("%s: %s", later[i].tool, later[i].beyond);
    }
}

/* Of a call that the answer itself made the model speaks in words of its own. */
static void eng_10_this_answers_calls_excuse_more(void **state)
{
    static const char *const said[] = {"I've rescheduled your meeting to Friday.",
                                       "I've added it to your calendar.",
                                       "The appointment has been moved.", "הפגישה נדחתה."};
    unsigned done = deeds_nearby(tool_deeds("book_appointment", NULL));

    (void)state;
    for (size_t i = 0; i < COUNT(said); i++)
        assert_int_equal(tool_claim_of(said[i], strlen(said[i]), done), TOOL_CLAIM_NONE);
    assert_int_equal(tool_claim_of("I've refunded you.", 18, done), TOOL_CLAIM_OWN);
}

static void eng_10_what_a_tool_does(void **state)
{
    static const struct {
        const char *name, *description;
        unsigned deeds;
    } tools[] = {
        {"book_appointment", NULL, DEED_BOOK},
        {"create-appointment", NULL, DEED_CREATE | DEED_BOOK},
        {"cancelAppointment", "Books an appointment.", DEED_CANCEL},
        {"delete_booking", NULL, DEED_CANCEL | DEED_CHANGE},
        {"refund_order", NULL, DEED_REFUND},
        {"update_order", NULL, DEED_CHANGE},
        {"send_sms", NULL, DEED_SEND},
        {"flow7", "Books a table. Cancels nothing.", DEED_BOOK},
        {"flow7", "מבטל הזמנה", DEED_ANY},
        {"flow7", NULL, DEED_ANY},
        {"manage_booking", NULL, DEED_ANY},
        {"", "", DEED_ANY},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(tools); i++) {
        if (tool_deeds(tools[i].name, tools[i].description) != tools[i].deeds)
            fail_msg("%s: %u", tools[i].name, tool_deeds(tools[i].name, tools[i].description));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eng_10_own_claims),
        cmocka_unit_test(eng_10_stated_claims),
        cmocka_unit_test(eng_10_no_claims),
        cmocka_unit_test(eng_10_claims_among_others),
        cmocka_unit_test(eng_10_claims_are_bounded),
        cmocka_unit_test(eng_10_a_call_excuses_what_it_did),
        cmocka_unit_test(eng_10_this_answers_calls_excuse_more),
        cmocka_unit_test(eng_10_what_a_tool_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
