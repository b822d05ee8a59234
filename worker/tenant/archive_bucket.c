#include "tenant/archive_bucket.h"

#include <curl/curl.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/types.h>

#define CONNECT_MS        10000L
#define TOTAL_S           600L
#define STALL_S           30L /* a store that takes nothing for so long is away */
#define URL_SIZE          2048
#define DIGEST_HEX        (2 * crypto_hash_sha256_BYTES + 1)
#define DIGEST_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static bool complain(char error[256], const char *name, const char *why)
{
    snprintf(error, 256, "the archive's bucket does not take %.100s: %.100s", name, why);
    return false;
}

/* What is sent is signed by its digest, so it is read once before it is read to be sent. */
static bool digest_of(FILE *file, char hex[DIGEST_HEX], curl_off_t *size)
{
    unsigned char block[65536], digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    size_t got;

    *size = 0;
    if (fseeko(file, 0, SEEK_SET) != 0)
        return false;
    crypto_hash_sha256_init(&state);
    while ((got = fread(block, 1, sizeof(block), file)) > 0) {
        crypto_hash_sha256_update(&state, block, got);
        *size += (curl_off_t)got;
    }
    crypto_hash_sha256_final(&state, digest);
    sodium_bin2hex(hex, DIGEST_HEX, digest, sizeof(digest));
    return !ferror(file) && fseeko(file, 0, SEEK_SET) == 0;
}

static size_t drop(char *data, size_t size, size_t count, void *arg)
{
    (void)data;
    (void)arg;
    return size * count;
}

static bool has_key(const struct archive_bucket *bucket, const char *name, char error[256])
{
    return (bucket->key_id != NULL && bucket->secret != NULL) ||
           complain(error, name,
                    "FRONTDESK_ARCHIVE_KEY_ID and FRONTDESK_ARCHIVE_SECRET are not set");
}

/* NULL: out of memory, or a URL that is too long. */
static CURL *request(const struct archive_bucket *bucket, const char *name)
{
    char url[URL_SIZE], sign[128];
    CURL *curl = curl_easy_init();

    size_t len = strlen(bucket->url);
    while (len > 0 && bucket->url[len - 1] == '/')
        len--;
    int u = snprintf(url, sizeof(url), "%.*s/%s", (int)len, bucket->url, name);
    int s = snprintf(sign, sizeof(sign), "aws:amz:%s:s3", bucket->region);
    if (curl == NULL || u >= (int)sizeof(url) || s >= (int)sizeof(sign) ||
        curl_easy_setopt(curl, CURLOPT_URL, url) != CURLE_OK ||
        curl_easy_setopt(curl, CURLOPT_USERNAME, bucket->key_id) != CURLE_OK ||
        curl_easy_setopt(curl, CURLOPT_PASSWORD, bucket->secret) != CURLE_OK ||
        curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, sign) != CURLE_OK) {
        curl_easy_cleanup(curl);
        return NULL;
    }
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, TOTAL_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, STALL_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
    return curl;
}

/* The status; 0: there was none, error says why. */
static long perform(CURL *curl, const char *name, char error[256])
{
    long status = 0;

    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) {
        complain(error, name, curl_easy_strerror(code));
        return 0;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static bool judge(long status, const char *name, char error[256])
{
    char why[96];

    if (status >= 200 && status < 300)
        return true;
    if (status != 0) {
        snprintf(why, sizeof(why), "it answers %ld%s", status,
                 status == 403 ? ", so the key or its rights are wrong (ListBucket?)" : "");
        complain(error, name, why);
    }
    return false;
}

/* NULL: out of memory. Without the digest's header curl signs what a store does not expect. */
static struct curl_slist *headers_of(const char digest[DIGEST_HEX])
{
    char header[32 + DIGEST_HEX];
    struct curl_slist *headers, *more;

    snprintf(header, sizeof(header), "x-amz-content-sha256: %s", digest);
    headers = curl_slist_append(NULL, header);
    more = headers != NULL ? curl_slist_append(headers, "Content-Type: application/jsonl") : NULL;
    if (more == NULL)
        curl_slist_free_all(headers);
    return more;
}

/* Sends the request that `curl` was made for; as perform(). */
static long send_signed(CURL *curl, const char *name, const char digest[DIGEST_HEX],
                        char error[256])
{
    struct curl_slist *headers = headers_of(digest);
    long status = 0;

    if (curl != NULL && headers != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        status = perform(curl, name, error);
    } else {
        complain(error, name, "the request cannot be made");
    }
    curl_slist_free_all(headers);
    return status;
}

bool archive_bucket_has(const struct archive_bucket *bucket, const char *name, bool *there,
                        char error[256])
{
    *there = false;
    if (!has_key(bucket, name, error))
        return false;
    CURL *curl = request(bucket, name);
    if (curl != NULL)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    long status = send_signed(curl, name, DIGEST_OF_NOTHING, error);
    curl_easy_cleanup(curl);
    *there = status >= 200 && status < 300;
    return status == 404 || judge(status, name, error);
}

bool archive_bucket_put(const struct archive_bucket *bucket, const char *name, FILE *file,
                        char error[256])
{
    char digest[DIGEST_HEX];
    curl_off_t size;

    if (!has_key(bucket, name, error))
        return false;
    if (!digest_of(file, digest, &size))
        return complain(error, name, strerror(errno));
    CURL *curl = request(bucket, name);
    if (curl != NULL) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READDATA, file);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, size);
    }
    long status = send_signed(curl, name, digest, error);
    curl_easy_cleanup(curl);
    return judge(status, name, error);
}
