/* Time. Durations and timers use the monotonic clock; only what people or other
 * hosts read uses the wall clock. */
#ifndef FD_CORE_CLOCK_H
#define FD_CORE_CLOCK_H

#include <stdint.h>

int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
int64_t clock_wall_ms(void); /* unix */

#endif
