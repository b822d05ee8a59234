#include "chat/language.h"

#include "core/words.h"
#include "core/utf8.h"

#include <stdbool.h>
#include <string.h>

enum script {
    LATIN,
    HEBREW,
    ARABIC,
    CYRILLIC,
    GREEK,
    HAN,
    KANA,
    HANGUL,
    THAI,
    DEVANAGARI,
    ARMENIAN,
    GEORGIAN,
    SCRIPTS,
    NO_SCRIPT = SCRIPTS
};

static const char *const languages[SCRIPTS] = {
    [HEBREW] = "he",     [ARABIC] = "ar",   [CYRILLIC] = "ru", [GREEK] = "el",
    [HAN] = "zh",        [KANA] = "ja",     [HANGUL] = "ko",   [THAI] = "th",
    [DEVANAGARI] = "hi", [ARMENIAN] = "hy", [GEORGIAN] = "ka",
};

static enum script script_of(uint32_t code)
{
    static const struct {
        uint32_t first, last;
        enum script script;
    } blocks[] = {
        {'A', 'Z', LATIN},          {'a', 'z', LATIN},          {0xC0, 0x24F, LATIN},
        {0x370, 0x3FF, GREEK},      {0x400, 0x52F, CYRILLIC},   {0x531, 0x587, ARMENIAN},
        {0x5D0, 0x5F2, HEBREW},     {0x620, 0x64A, ARABIC},     {0x66E, 0x6D3, ARABIC},
        {0x750, 0x77F, ARABIC},     {0x900, 0x97F, DEVANAGARI}, {0xE01, 0xE4E, THAI},
        {0x10A0, 0x10FF, GEORGIAN}, {0x1100, 0x11FF, HANGUL},   {0x1E00, 0x1EFF, LATIN},
        {0x1F00, 0x1FFF, GREEK},    {0x3041, 0x30FF, KANA},     {0x3400, 0x4DBF, HAN},
        {0x4E00, 0x9FFF, HAN},      {0xAC00, 0xD7A3, HANGUL},   {0xF900, 0xFAFF, HAN},
        {0xFB1D, 0xFB4F, HEBREW},   {0xFB50, 0xFDFF, ARABIC},   {0xFE70, 0xFEFC, ARABIC},
        {0xFF66, 0xFF9D, KANA},     {0x20000, 0x323AF, HAN},
    };

    for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
        if (code >= blocks[i].first && code <= blocks[i].last) {
            return blocks[i].script;
        }
    }
    return NO_SCRIPT;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void count_letters(const char *text, size_t len, size_t letters[SCRIPTS])
{
    const char *at = text, *end = text + len;

    while (at < end) {
        const char *word = at;
        while (at < end && !is_blank(*at)) {
            at++;
        }
        /* addresses are Latin in every language */
        if (!words_are_address(word, (size_t)(at - word))) {
            while (word < at) {
                enum script script = script_of(utf8_next(&word, at));
                if (script != NO_SCRIPT) {
                    letters[script]++;
                }
            }
        }
        at += at < end;
    }
}

static bool writes_latin(const char *language)
{
    size_t len = strcspn(language, "-_");

    for (int script = 0; script < SCRIPTS; script++) {
        const char *other = languages[script];
        if (other != NULL && strlen(other) == len && memcmp(language, other, len) == 0) {
            return false;
        }
    }
    return true;
}

const char *language_of(const char *text, size_t len, const char *otherwise)
{
    size_t letters[SCRIPTS] = {0};
    enum script most = HEBREW;

    count_letters(text, len, letters);
    /* Japanese is written in both; kana beside Han decides for it. */
    if (letters[KANA] > 0) {
        letters[KANA] += letters[HAN];
    }
    for (enum script script = HEBREW; script < SCRIPTS; script++) {
        if (letters[script] > letters[most]) {
            most = script;
        }
    }
    /* Brands and commands are Latin inside any language, the reverse is rare:
     * a Latin letter weighs half. */
    if (letters[most] > 0 && letters[most] * 2 >= letters[LATIN]) {
        return languages[most];
    }
    if (letters[LATIN] > 0 && otherwise != NULL && !writes_latin(otherwise)) {
        return "en";
    }
    return otherwise;
}
