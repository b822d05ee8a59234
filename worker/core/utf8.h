/* Utf8: code points of a text that may be malformed. Pure. */
#ifndef FD_CORE_UTF8_H
#define FD_CORE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xFFFDu

/* The code point at *at (< end), and moves *at behind it. A byte that begins no
 * valid sequence is one U+FFFD: every text has an end, no byte is read twice. */
uint32_t utf8_next(const char **at, const char *end);
/* Writes a code point that utf8_next() gave; the number of bytes, at most 4. */
size_t utf8_put(char out[4], uint32_t code);
/* The largest position <= len that does not cut a sequence of text[0..size). */
size_t utf8_floor(const char *text, size_t size, size_t len);
/* A stranger's text as one line of valid UTF-8: white space and control characters are one
 * blank, `out` of size > 0 ends at a whole character and a NUL. *at moves behind what was
 * taken; the number of bytes without the NUL. */
size_t utf8_line(char *out, size_t size, const char **at, const char *end);

#endif
