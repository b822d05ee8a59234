/* Processor time of this process, and the median of rounds that measured it. */
#ifndef T_BENCH_CPU_TIME_H
#define T_BENCH_CPU_TIME_H

#include <stdlib.h>
#include <time.h>

static inline double cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static inline int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static inline double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof(*values), by_value);
    return values[count / 2];
}

#endif
