/*
 * Letters: which scripts a text is written in. Pure. Addresses count in no script: they are
 * Latin in every language.
 */
#ifndef FD_CORE_LETTERS_H
#define FD_CORE_LETTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum letters_script {
    LETTERS_LATIN,
    LETTERS_HEBREW,
    LETTERS_ARABIC,
    LETTERS_CYRILLIC,
    LETTERS_GREEK,
    LETTERS_HAN,
    LETTERS_KANA,
    LETTERS_HANGUL,
    LETTERS_THAI,
    LETTERS_DEVANAGARI,
    LETTERS_ARMENIAN,
    LETTERS_GEORGIAN,
    LETTERS_SCRIPTS,
    LETTERS_NONE = LETTERS_SCRIPTS
};

struct letters {
    size_t of[LETTERS_SCRIPTS];
    enum letters_script most; /* of those that are not Latin */
};

enum letters_script letters_script_of(uint32_t code);
void letters_count(const char *text, size_t len, struct letters *letters);
/* The script that a language is written in; NONE: one that this table does not have. */
enum letters_script letters_of_language(const char *language);
/* The language that a script stands for; NULL for Latin. */
const char *letters_language(enum letters_script script);

#endif
