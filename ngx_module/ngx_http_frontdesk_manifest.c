
/*
 * The manifest that the build of the widget wrote, and the files it names.
 * They are read when nginx reads its configuration: a file that changes or goes
 * does nothing until the next reload.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "protocol/json.h"

#include "ngx_http_frontdesk_asset.h"
#include "ngx_http_frontdesk_body.h"
#include "ngx_http_frontdesk_conf.h"


#define NGX_HTTP_FRONTDESK_ASSET_MAX   (4 * 1024 * 1024)
#define NGX_HTTP_FRONTDESK_ASSETS_MAX  256


static char *ngx_http_frontdesk_asset_add(ngx_conf_t *cf,
    ngx_http_frontdesk_loc_conf_t *lcf, const struct fd_json *entry);
static ngx_int_t ngx_http_frontdesk_asset_describe(ngx_conf_t *cf,
    ngx_http_frontdesk_loc_conf_t *lcf, const struct fd_json *entry,
    ngx_http_frontdesk_file_t *file, ngx_str_t *name, ngx_str_t *etag);
static ngx_uint_t ngx_http_frontdesk_asset_listed(const struct fd_json *entry,
    ngx_uint_t encoding);
static ngx_int_t ngx_http_frontdesk_asset_member(const struct fd_json *entry,
    const char *name, ngx_str_t *value);
static ngx_int_t ngx_http_frontdesk_asset_load(ngx_conf_t *cf,
    ngx_http_frontdesk_loc_conf_t *lcf, ngx_http_frontdesk_file_t *file,
    ngx_str_t *name, ngx_str_t *etag, ngx_uint_t encoding);
static ngx_int_t ngx_http_frontdesk_asset_read(ngx_conf_t *cf, ngx_str_t *dir,
    ngx_str_t *name, const char *suffix, ngx_str_t *content);
static ngx_int_t ngx_http_frontdesk_asset_content(ngx_conf_t *cf, ngx_fd_t fd,
    u_char *path, ngx_str_t *content);


static const char  *ngx_http_frontdesk_suffixes[] = { "", ".br", ".gz" };
static const char  *ngx_http_frontdesk_etags[] = { "", "-br", "-gzip" };


/* the embed's name: a new release is seen within minutes */
static ngx_str_t  ngx_http_frontdesk_cache_alias =
    ngx_string("public, max-age=300, stale-while-revalidate=86400");

static ngx_str_t  ngx_http_frontdesk_cache_immutable =
    ngx_string("public, max-age=31536000, immutable");

static ngx_str_t  ngx_http_frontdesk_cache_html = ngx_string("no-cache");


char *
ngx_http_frontdesk_assets(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_frontdesk_loc_conf_t *lcf = conf;

    ngx_str_t                *value, name, text;
    struct fd_json           *manifest;
    struct fd_json_fault      fault;
    struct fd_json_limits     limits;
    const struct fd_json     *files, *entry;

    value = cf->args->elts;
    lcf->assets = value[1];

    if (ngx_conf_full_name(cf->cycle, &lcf->assets, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_str_set(&name, "manifest.json");

    if (ngx_http_frontdesk_asset_read(cf, &lcf->assets, &name, "", &text)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&limits, sizeof(struct fd_json_limits));

    manifest = fd_json_parse((char *) text.data, text.len, limits,
                             ngx_http_frontdesk_allocator(cf->pool), &fault);
    if (manifest == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V/manifest.json\": %s at byte %uz",
                           &lcf->assets, fd_json_error_text(fault.error),
                           fault.offset);
        return NGX_CONF_ERROR;
    }

    files = fd_json_get(manifest, "files");

    if (files == NULL || files->type != FD_JSON_ARRAY || files->count == 0
        || files->count > NGX_HTTP_FRONTDESK_ASSETS_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V/manifest.json\" must have 1 to %d \"files\"",
                           &lcf->assets, NGX_HTTP_FRONTDESK_ASSETS_MAX);
        return NGX_CONF_ERROR;
    }

    lcf->files = ngx_array_create(cf->pool, files->count,
                                  sizeof(ngx_http_frontdesk_file_t));
    if (lcf->files == NULL) {
        return NGX_CONF_ERROR;
    }

    for (entry = files->child; entry; entry = entry->next) {
        if (ngx_http_frontdesk_asset_add(cf, lcf, entry) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_frontdesk_asset_add(ngx_conf_t *cf,
    ngx_http_frontdesk_loc_conf_t *lcf, const struct fd_json *entry)
{
    ngx_str_t                   name, etag;
    ngx_uint_t                  i;
    ngx_http_frontdesk_file_t  *file;

    file = ngx_array_push(lcf->files);
    if (file == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(file, sizeof(ngx_http_frontdesk_file_t));

    if (ngx_http_frontdesk_asset_describe(cf, lcf, entry, file, &name, &etag)
        != NGX_OK
        || ngx_http_frontdesk_asset_load(cf, lcf, file, &name, &etag,
                                         NGX_HTTP_FRONTDESK_IDENTITY)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (i = NGX_HTTP_FRONTDESK_BR; i < NGX_HTTP_FRONTDESK_ENCODINGS; i++) {

        if (ngx_http_frontdesk_asset_listed(entry, i)
            && ngx_http_frontdesk_asset_load(cf, lcf, file, &name, &etag, i)
               != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* all but the content: under which name, and with which headers */

static ngx_int_t
ngx_http_frontdesk_asset_describe(ngx_conf_t *cf,
    ngx_http_frontdesk_loc_conf_t *lcf, const struct fd_json *entry,
    ngx_http_frontdesk_file_t *file, ngx_str_t *name, ngx_str_t *etag)
{
    ngx_str_t              cache;
    const struct fd_json  *below;

    if (ngx_http_frontdesk_asset_member(entry, "path", &file->path) != NGX_OK
        || ngx_http_frontdesk_asset_member(entry, "type", &file->type)
           != NGX_OK
        || ngx_http_frontdesk_asset_member(entry, "file", name) != NGX_OK
        || ngx_http_frontdesk_asset_member(entry, "etag", etag) != NGX_OK
        || ngx_http_frontdesk_asset_member(entry, "cache", &cache) != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V/manifest.json\": file %ui needs \"path\", "
                           "\"type\", \"file\", \"etag\" and \"cache\"",
                           &lcf->assets, lcf->files->nelts);
        return NGX_ERROR;
    }

    if (ngx_strlchr(name->data, name->data + name->len, '/')
        || name->data[0] == '.' || file->path.data[0] != '/')
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V/manifest.json\": \"%V\" or \"%V\" is not "
                           "a plain name", &lcf->assets, &file->path, name);
        return NGX_ERROR;
    }

    /* absent unless a page's policy is its own */

    if (fd_json_get(entry, "policy")
        && ngx_http_frontdesk_asset_member(entry, "policy", &file->policy)
           != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V/manifest.json\": the \"policy\" of \"%V\" "
                           "is not a header's value", &lcf->assets,
                           &file->path);
        return NGX_ERROR;
    }

    below = fd_json_get(entry, "below");
    file->below = below && below->type == FD_JSON_BOOL && below->boolean;

    file->html = file->type.len >= sizeof("text/html") - 1
                 && ngx_strncmp(file->type.data, "text/html",
                                sizeof("text/html") - 1)
                    == 0;

    if (ngx_strcmp(cache.data, "immutable") == 0) {
        file->cache = ngx_http_frontdesk_cache_immutable;

    } else if (file->html) {
        file->cache = ngx_http_frontdesk_cache_html;

    } else {
        file->cache = ngx_http_frontdesk_cache_alias;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_frontdesk_asset_listed(const struct fd_json *entry,
    ngx_uint_t encoding)
{
    const struct fd_json  *list, *item;

    list = fd_json_get(entry, "encodings");

    if (list == NULL || list->type != FD_JSON_ARRAY) {
        return 0;
    }

    for (item = list->child; item; item = item->next) {
        if (item->type == FD_JSON_STRING
            && ngx_strcmp(item->text,
                          ngx_http_frontdesk_encodings[encoding].data)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* values go into headers: printable, and no quote that would end a tag */

static ngx_int_t
ngx_http_frontdesk_asset_member(const struct fd_json *entry, const char *name,
    ngx_str_t *value)
{
    u_char      *p;
    const char  *text;

    text = fd_json_string(entry, name);

    if (text == NULL || text[0] == '\0') {
        return NGX_ERROR;
    }

    value->data = (u_char *) text;
    value->len = ngx_strlen(text);

    for (p = value->data; *p; p++) {
        if (*p < 0x20 || *p >= 0x7f || *p == '"') {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_asset_load(ngx_conf_t *cf,
    ngx_http_frontdesk_loc_conf_t *lcf, ngx_http_frontdesk_file_t *file,
    ngx_str_t *name, ngx_str_t *etag, ngx_uint_t encoding)
{
    u_char     *p;
    ngx_str_t  *tag;

    if (ngx_http_frontdesk_asset_read(cf, &lcf->assets, name,
                                      ngx_http_frontdesk_suffixes[encoding],
                                      &file->body[encoding])
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* each encoding is an entity of its own, RFC 9110, 8.8.3.3 */

    p = ngx_pnalloc(cf->pool, etag->len + sizeof("\"-gzip\"") - 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    tag = &file->etag[encoding];
    tag->data = p;
    tag->len = ngx_sprintf(p, "\"%V%s\"", etag,
                           ngx_http_frontdesk_etags[encoding])
               - p;

    return NGX_OK;
}


static ngx_int_t
ngx_http_frontdesk_asset_read(ngx_conf_t *cf, ngx_str_t *dir, ngx_str_t *name,
    const char *suffix, ngx_str_t *content)
{
    u_char     *path;
    size_t      len;
    ngx_fd_t    fd;
    ngx_int_t   rc;

    len = dir->len + 1 + name->len + ngx_strlen(suffix) + 1;

    path = ngx_pnalloc(cf->temp_pool, len);
    if (path == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_sprintf(path, "%V/%V%s%Z", dir, name, suffix);

    fd = ngx_open_file(path, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%s\" failed", path);
        return NGX_ERROR;
    }

    rc = ngx_http_frontdesk_asset_content(cf, fd, path, content);

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, cf->log, ngx_errno,
                      ngx_close_file_n " \"%s\" failed", path);
    }

    return rc;
}


static ngx_int_t
ngx_http_frontdesk_asset_content(ngx_conf_t *cf, ngx_fd_t fd, u_char *path,
    ngx_str_t *content)
{
    size_t           len;
    ssize_t          n;
    ngx_file_info_t  fi;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%s\" failed", path);
        return NGX_ERROR;
    }

    if (!ngx_is_file(&fi) || ngx_file_size(&fi) == 0
        || ngx_file_size(&fi) > NGX_HTTP_FRONTDESK_ASSET_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" must be a file of 1 to %d bytes", path,
                           NGX_HTTP_FRONTDESK_ASSET_MAX);
        return NGX_ERROR;
    }

    len = (size_t) ngx_file_size(&fi);

    content->data = ngx_pnalloc(cf->pool, len);
    if (content->data == NULL) {
        return NGX_ERROR;
    }

    for (content->len = 0; content->len < len; content->len += n) {

        n = ngx_read_fd(fd, content->data + content->len, len - content->len);

        if (n <= 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, n ? ngx_errno : 0,
                               ngx_read_fd_n " \"%s\" failed", path);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
