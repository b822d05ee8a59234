/* Contrast: of two colours, as WCAG 2.2 reckons it. Pure. */
#ifndef FD_TENANT_CONTRAST_H
#define FD_TENANT_CONTRAST_H

#include <stdbool.h>

struct color {
    int red, green, blue; /* 0 to 255 */
};

/* "#rgb" or "#rrggbb". */
bool color_read(const char *text, struct color *color);
/* 1 to 21. */
double color_contrast(struct color a, struct color b);

#endif
