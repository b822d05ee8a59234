#include "tenant/day.h"

#include <stdio.h>
#include <string.h>

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

bool day_valid(const char *text)
{
    int year, month, day;

    if (strlen(text) != 10 || strspn(text, "0123456789") != 4 || text[4] != '-' ||
        strspn(text + 5, "0123456789") != 2 || text[7] != '-' ||
        strspn(text + 8, "0123456789") != 2 ||
        sscanf(text, "%4d-%2d-%2d", &year, &month, &day) != 3)
        return false;
    return year >= 2000 && year <= 2999 && month >= 1 && month <= 12 && day >= 1 &&
           day <= days_of(year, month);
}
