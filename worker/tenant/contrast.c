#include "tenant/contrast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool color_read(const char *text, struct color *color)
{
    size_t digits = strlen(text) - (text[0] == '#');

    if (text[0] != '#' || (digits != 3 && digits != 6) ||
        strspn(text + 1, "0123456789abcdefABCDEF") != digits)
        return false;
    long n = strtol(text + 1, NULL, 16);
    if (digits == 6)
        *color = (struct color){(int)(n >> 16), (int)(n >> 8 & 0xFF), (int)(n & 0xFF)};
    else
        *color = (struct color){(int)(n >> 8) * 17, (int)(n >> 4 & 0xF) * 17, (int)(n & 0xF) * 17};
    return true;
}

static double linear(int part)
{
    double c = part / 255.0;

    return c < 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(struct color c)
{
    return 0.2126 * linear(c.red) + 0.7152 * linear(c.green) + 0.0722 * linear(c.blue);
}

double color_contrast(struct color a, struct color b)
{
    double ratio = (luminance(a) + 0.05) / (luminance(b) + 0.05);

    return ratio < 1 ? 1 / ratio : ratio;
}
