// The header checks the arguments of the setters by macros, which a pointer to them has no use for.
#define CURL_DISABLE_TYPECHECK
#include "CCurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

#define FUNCTIONS(F)                                                                                                             \
    F(global_init) F(easy_init) F(easy_cleanup) F(easy_reset) F(easy_strerror) F(easy_setopt) F(easy_getinfo)    \
    F(multi_init) F(multi_cleanup) F(multi_setopt) F(multi_add_handle) F(multi_remove_handle) F(multi_perform) F(multi_poll)     \
    F(multi_wakeup) F(multi_info_read) F(slist_append) F(slist_free_all) F(url) F(url_cleanup) F(url_set) F(url_get) F(free)

static struct {
#define POINTER(name) __typeof__(&curl_##name) name;
    FUNCTIONS(POINTER)
} library;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *problem;

static void load(void) {
    // The soname of every release since 2006.
    void *handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *reason = dlerror();
        // The reason is valid only until the next call.
        problem = reason ? strdup(reason) : NULL;
        if (!problem) problem = "no reason given";
        return;
    }
#define LOOK_UP(name)                                                                    \
    library.name = (__typeof__(library.name))dlsym(handle, "curl_" #name);               \
    if (!library.name) {                                                                 \
        problem = "it is older than 7.68: it has no curl_" #name;                         \
        return;                                                                          \
    }
    FUNCTIONS(LOOK_UP)
    if (library.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        problem = "it cannot be initialized";
    }
}

const char *ccurl_load(void) {
    pthread_once(&once, load);
    return problem;
}

CURL *ccurl_easy_init(void) { return library.easy_init(); }
void ccurl_easy_cleanup(CURL *easy) { library.easy_cleanup(easy); }
void ccurl_easy_reset(CURL *easy) { library.easy_reset(easy); }
const char *ccurl_easy_strerror(CURLcode code) { return library.easy_strerror(code); }

CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value) { return library.easy_setopt(easy, option, value); }
CURLcode ccurl_set_size(CURL *easy, CURLoption option, curl_off_t value) { return library.easy_setopt(easy, option, value); }
CURLcode ccurl_set_text(CURL *easy, CURLoption option, const char *value) { return library.easy_setopt(easy, option, value); }
CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, void *value) { return library.easy_setopt(easy, option, value); }
CURLcode ccurl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) { return library.easy_setopt(easy, option, value); }
CURLcode ccurl_set_write(CURL *easy, CURLoption option, curl_write_callback value) { return library.easy_setopt(easy, option, value); }
CURLcode ccurl_get_long(CURL *easy, CURLINFO info, long *value) { return library.easy_getinfo(easy, info, value); }
CURLcode ccurl_get_size(CURL *easy, CURLINFO info, curl_off_t *value) { return library.easy_getinfo(easy, info, value); }
CURLcode ccurl_get_text(CURL *easy, CURLINFO info, char **value) { return library.easy_getinfo(easy, info, value); }
CURLcode ccurl_get_pointer(CURL *easy, CURLINFO info, void **value) { return library.easy_getinfo(easy, info, value); }

CURLcode ccurl_set_quick_exit(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075700
    return library.easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#else
    return CURLE_OK;
#endif
}

CURLcode ccurl_set_protocols(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
    return library.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    return library.easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

CURLM *ccurl_multi_init(void) { return library.multi_init(); }
void ccurl_multi_cleanup(CURLM *multi) { library.multi_cleanup(multi); }
CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) { return library.multi_setopt(multi, option, value); }
CURLMcode ccurl_multi_add(CURLM *multi, CURL *easy) { return library.multi_add_handle(multi, easy); }
CURLMcode ccurl_multi_remove(CURLM *multi, CURL *easy) { return library.multi_remove_handle(multi, easy); }
CURLMcode ccurl_multi_perform(CURLM *multi, int *running) { return library.multi_perform(multi, running); }
CURLMcode ccurl_multi_poll(CURLM *multi, int milliseconds) { return library.multi_poll(multi, NULL, 0, milliseconds, NULL); }
CURLMcode ccurl_multi_wakeup(CURLM *multi) { return library.multi_wakeup(multi); }
CURLMsg *ccurl_multi_message(CURLM *multi, int *left) { return library.multi_info_read(multi, left); }
CURLcode ccurl_result(const CURLMsg *message) { return message->data.result; }

struct curl_slist *ccurl_slist_append(struct curl_slist *list, const char *text) { return library.slist_append(list, text); }
void ccurl_slist_free(struct curl_slist *list) { library.slist_free_all(list); }

CURLU *ccurl_url(void) { return library.url(); }
void ccurl_url_cleanup(CURLU *url) { library.url_cleanup(url); }
CURLUcode ccurl_url_set(CURLU *url, CURLUPart part, const char *text, unsigned flags) { return library.url_set(url, part, text, flags); }
CURLUcode ccurl_url_get(CURLU *url, CURLUPart part, char **text, unsigned flags) { return library.url_get(url, part, text, flags); }
void ccurl_free(void *memory) { library.free(memory); }
