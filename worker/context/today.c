#include "context/today.h"

#include <time.h>

static const char *const days[2][7] = {
    {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
    {"ראשון", "שני", "שלישי", "רביעי", "חמישי", "שישי", "שבת"},
};

static const char *const months[2][12] = {
    {"January", "February", "March", "April", "May", "June", "July", "August", "September",
     "October", "November", "December"},
    {"ינואר", "פברואר", "מרץ", "אפריל", "מאי", "יוני", "יולי", "אוגוסט", "ספטמבר", "אוקטובר",
     "נובמבר", "דצמבר"},
};

const char *today_text(struct arena *a, bool hebrew, int64_t now_ms, int utc_offset_s)
{
    time_t local = (time_t)(now_ms / 1000 + utc_offset_s);
    struct tm tm;

    if (gmtime_r(&local, &tm) == NULL)
        return NULL;
    return arena_printf(a, hebrew ? "יום %s, %d ב%s %d" : "%s, %d %s %d", days[hebrew][tm.tm_wday],
                        tm.tm_mday, months[hebrew][tm.tm_mon], tm.tm_year + 1900);
}
