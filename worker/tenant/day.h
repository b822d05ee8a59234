/* Day: a calendar day as it is written, "2026-11-21". Pure. */
#ifndef FD_TENANT_DAY_H
#define FD_TENANT_DAY_H

#include <stdbool.h>

bool day_valid(const char *text); /* of the years 2000 to 2999 */

#endif
