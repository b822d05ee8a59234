#include "tenant/opening.h"

#include <string.h>

#define DAY        1440
#define TOKEN_MAX  32
#define EVERY_DAY  0x7fu
#define WEEKDAYS   0x3eu
#define WEEKENDS   0x41u
#define SHORT_NAME 3 /* letters that are enough of an English day */

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_NUMBER, TOKEN_DASH, TOKEN_COLON, TOKEN_COMMA };

struct token {
    enum token_kind kind;
    char text[TOKEN_MAX]; /* of a word, in lower case */
    int number;
    bool padded; /* it begins with a zero */
};

struct reader {
    const char *at;
    struct token token; /* the next one */
    bool failed;
};

/* -- tokens --------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* U+2010 to U+2015, and the Hebrew maqaf. */
static size_t wide_dash(const char *s)
{
    if (strncmp(s, "\xe2\x80", 2) == 0 && (unsigned char)s[2] >= 0x90 &&
        (unsigned char)s[2] <= 0x95)
        return 3;
    return strncmp(s, "\xd6\xbe", 2) == 0 ? 2 : 0;
}

static bool is_letter(const char *s)
{
    char c = lower(*s);
    return (c >= 'a' && c <= 'z') || c == '\'' || ((unsigned char)c >= 0x80 && wide_dash(s) == 0);
}

static void read_number(struct reader *r)
{
    r->token.kind = TOKEN_NUMBER;
    r->token.padded = *r->at == '0';
    for (r->token.number = 0; is_digit(*r->at); r->at++) {
        r->token.number = r->token.number * 10 + (*r->at - '0');
        if (r->token.number > 9999) {
            r->failed = true;
            r->token.number = 0;
        }
    }
}

static void read_word(struct reader *r)
{
    size_t len = 0;
    r->token.kind = TOKEN_WORD;
    for (; *r->at != '\0' && is_letter(r->at); r->at++) {
        if (len + 1 < TOKEN_MAX)
            r->token.text[len++] = lower(*r->at);
    }
    r->token.text[len] = '\0';
}

static void next(struct reader *r)
{
    r->token = (struct token){0};
    r->at += strspn(r->at, " \t");
    if (*r->at == '\0')
        return;
    size_t dash = wide_dash(r->at);
    if (is_digit(*r->at)) {
        read_number(r);
    } else if (dash > 0 || *r->at == '-') {
        r->token.kind = TOKEN_DASH;
        r->at += dash > 0 ? dash : 1;
    } else if (is_letter(r->at)) {
        read_word(r);
    } else {
        r->token.kind = *r->at == ':' || *r->at == '.' ? TOKEN_COLON
                        : *r->at == ',' || *r->at == ';' || *r->at == '&' || *r->at == '/'
                            ? TOKEN_COMMA
                            : TOKEN_END;
        r->failed = r->failed || r->token.kind == TOKEN_END;
        r->at++;
    }
}

static bool is_word(const struct reader *r, const char *const *words)
{
    if (r->token.kind != TOKEN_WORD)
        return false;
    while (*words != NULL && strcmp(*words, r->token.text) != 0)
        words++;
    return *words != NULL;
}

static bool at_until(const struct reader *r)
{
    static const char *const words[] = {"to",      "till", "til", "until",
                                        "through", "thru", "עד",  NULL};
    return r->token.kind == TOKEN_DASH || is_word(r, words);
}

static bool at_and(const struct reader *r)
{
    static const char *const words[] = {"and", NULL};
    return is_word(r, words);
}

/* -- days ------------------------------------------------------------------------------------- */

static const char *const english[] = {"sunday",   "monday", "tuesday", "wednesday",
                                      "thursday", "friday", "saturday"};
static const char *const hebrew[] = {"ראשון", "שני", "שלישי", "רביעי", "חמישי", "שישי", "שבת"};

static int day_of(const char *word)
{
    size_t len = strlen(word);
    for (int day = 0; day < 7; day++) {
        bool begins = len >= SHORT_NAME && strncmp(word, english[day], len) == 0;
        bool plural = strncmp(word, english[day], strlen(english[day])) == 0 &&
                      strcmp(word + strlen(english[day]), "s") == 0;
        if (begins || plural || strcmp(word, hebrew[day]) == 0)
            return day;
    }
    return -1;
}

/* A word for several days, 0 = none. */
static unsigned several(const struct reader *r)
{
    static const char *const every[] = {"daily", "everyday", NULL};
    static const char *const work[] = {"weekdays", "weekday", NULL};
    static const char *const rest[] = {"weekends", "weekend", NULL};
    return is_word(r, every)  ? EVERY_DAY
           : is_word(r, work) ? WEEKDAYS
           : is_word(r, rest) ? WEEKENDS
                              : 0;
}

static unsigned days_between(int first, int last)
{
    unsigned days = 0;
    for (int day = first;; day = (day + 1) % 7) {
        days |= 1u << day;
        if (day == last)
            return days;
    }
}

/* "Sunday", "Sunday to Thursday", "mon, wed and fri:"; 0 = there is no day here. */
static unsigned read_days(struct reader *r)
{
    static const char *const day_word[] = {"יום", "ימי", "ימים", NULL};
    unsigned days = 0;
    for (;;) {
        while (is_word(r, day_word))
            next(r);
        unsigned some = several(r);
        int first = r->token.kind == TOKEN_WORD ? day_of(r->token.text) : -1;
        if (some == 0 && first < 0)
            return days;
        next(r);
        if (first >= 0 && at_until(r)) {
            next(r);
            while (is_word(r, day_word))
                next(r);
            int last = r->token.kind == TOKEN_WORD ? day_of(r->token.text) : -1;
            r->failed = r->failed || last < 0;
            some = last < 0 ? 0 : days_between(first, last);
            next(r);
        } else if (first >= 0) {
            some = 1u << first;
        }
        days |= some;
        if (at_and(r) || r->token.kind == TOKEN_COMMA || r->token.kind == TOKEN_COLON)
            next(r);
    }
}

/* -- times ------------------------------------------------------------------------------------ */

enum half { HALF_UNSAID, HALF_AM, HALF_PM };

struct moment {
    int minutes; /* since midnight; -1 = none */
    enum half half;
    bool bare; /* "9", which may be either half's */
};

/* "9", "09:00", "9am", "1:30 pm" */
static struct moment read_time(struct reader *r)
{
    static const struct moment none = {.minutes = -1};
    static const char *const am[] = {"am", NULL};
    static const char *const pm[] = {"pm", NULL};
    if (r->token.kind != TOKEN_NUMBER)
        return none;
    int hour = r->token.number, minute = 0;
    bool bare = hour <= 12 && !r->token.padded;
    next(r);
    if (r->token.kind == TOKEN_COLON) {
        bare = false;
        next(r);
        minute = r->token.kind == TOKEN_NUMBER ? r->token.number : 60;
        next(r);
    }
    enum half half = is_word(r, am) ? HALF_AM : is_word(r, pm) ? HALF_PM : HALF_UNSAID;
    if (half != HALF_UNSAID) {
        next(r);
        if (hour < 1 || hour > 12)
            return none;
        hour = hour % 12 + (half == HALF_PM ? 12 : 0);
    }
    if (hour > 24 || minute > 59 || (hour == 24 && minute > 0))
        return none;
    return (struct moment){hour * 60 + minute, half, bare && half == HALF_UNSAID};
}

static void add(struct reader *r, struct opening *week, unsigned days, int from, int to)
{
    for (int day = 0; day < 7; day++) {
        if ((days & 1u << day) == 0)
            continue;
        if (week->count == OPENING_SPANS_MAX) {
            r->failed = true;
            return;
        }
        week->spans[week->count++] = (struct opening_span){day, from, to};
    }
}

/* "9-5" may be a working day or a night, "9am-5" as well, and "1-5pm" begins in either half:
 * who says so is not understood. */
static bool is_ambiguous(const struct moment *from, const struct moment *to)
{
    if (from->half == HALF_UNSAID && to->half == HALF_UNSAID)
        return (from->bare && to->bare) ||
               (to->minutes <= from->minutes && from->minutes <= DAY / 2 && to->minutes > 0);
    if (from->half == HALF_UNSAID)
        return from->minutes + DAY / 2 < to->minutes || to->minutes <= from->minutes;
    return to->half == HALF_UNSAID;
}

/* "09:00-18:00" */
static void read_span(struct reader *r, struct opening *week, unsigned days)
{
    struct moment from = read_time(r);
    if (from.minutes < 0 || !at_until(r)) {
        r->failed = true;
        return;
    }
    next(r);
    struct moment to = read_time(r);
    if (to.minutes < 0 || to.minutes == from.minutes || from.minutes == DAY ||
        is_ambiguous(&from, &to)) {
        r->failed = true;
        return;
    }
    add(r, week, days, from.minutes, to.minutes > from.minutes ? to.minutes : to.minutes + DAY);
}

static bool read_closed(struct reader *r)
{
    static const char *const words[] = {"closed", "סגור", NULL};
    bool closed = is_word(r, words);
    if (closed)
        next(r);
    return closed;
}

static void close_days(struct opening *week, unsigned days)
{
    size_t kept = 0;
    for (size_t i = 0; i < week->count; i++) {
        if ((days & 1u << week->spans[i].day) == 0)
            week->spans[kept++] = week->spans[i];
    }
    week->count = kept;
}

/* A day that is named again may be closed; hours beside its hours could mean either. */
bool opening_read(const char *hours, struct opening *week)
{
    struct reader r = {.at = hours};
    unsigned days = 0, said = 0;
    week->count = 0;
    if (hours == NULL)
        return false;
    if (strcmp(hours, "24/7") == 0) {
        add(&r, week, EVERY_DAY, 0, DAY);
        return true;
    }
    next(&r);
    while (r.token.kind != TOKEN_END && !r.failed) {
        unsigned named = read_days(&r);
        days = named != 0 ? named : days;
        bool closed = read_closed(&r);
        if (days == 0 || (closed ? named == 0 : (named & said) != 0))
            return false;
        said |= days;
        if (closed) {
            close_days(week, days);
            days = 0;
        } else {
            read_span(&r, week, days);
        }
        if (at_and(&r) || r.token.kind == TOKEN_COMMA)
            next(&r);
    }
    return !r.failed && week->count > 0;
}

bool opening_json(const struct opening *week, struct buf *out)
{
    struct fd_json_writer w;
    buf_json(out, &w);
    fd_jw_array(&w);
    for (size_t i = 0; i < week->count; i++) {
        fd_jw_array(&w);
        fd_jw_int(&w, week->spans[i].day);
        fd_jw_int(&w, week->spans[i].from);
        fd_jw_int(&w, week->spans[i].to);
        fd_jw_end_array(&w);
    }
    fd_jw_end_array(&w);
    return buf_json_end(out, &w);
}
