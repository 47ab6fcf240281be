#ifndef SLUICE_CCURL_H
#define SLUICE_CCURL_H

#include <curl/curl.h>

// libcurl, loaded when it is first needed: with the libraries that it needs in turn, it makes each
// start of a program several milliseconds and megabytes dearer.
//
// Swift cannot call functions with variable arguments, which libcurl's setters and getters are.

// Loads and initializes the library, once. Returns NULL, or else the reason why the library cannot
// be used; until this has returned NULL, no other function may be called.
const char *ccurl_load(void);

CURL *ccurl_easy_init(void);
void ccurl_easy_cleanup(CURL *easy);
void ccurl_easy_reset(CURL *easy);
const char *ccurl_easy_strerror(CURLcode code);

CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value);
CURLcode ccurl_set_size(CURL *easy, CURLoption option, curl_off_t value);
CURLcode ccurl_set_text(CURL *easy, CURLoption option, const char *value);
CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, void *value);
CURLcode ccurl_set_list(CURL *easy, CURLoption option, struct curl_slist *value);
CURLcode ccurl_set_write(CURL *easy, CURLoption option, curl_write_callback value);
CURLcode ccurl_get_long(CURL *easy, CURLINFO info, long *value);
CURLcode ccurl_get_size(CURL *easy, CURLINFO info, curl_off_t *value);
CURLcode ccurl_get_text(CURL *easy, CURLINFO info, char **value);
CURLcode ccurl_get_pointer(CURL *easy, CURLINFO info, void **value);

// Removing a transfer must not wait for a name server. Older versions of the library wait.
CURLcode ccurl_set_quick_exit(CURL *easy);
// HTTP alone, whatever else the library was built with.
CURLcode ccurl_set_protocols(CURL *easy);

CURLM *ccurl_multi_init(void);
void ccurl_multi_cleanup(CURLM *multi);
CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value);
CURLMcode ccurl_multi_add(CURLM *multi, CURL *easy);
CURLMcode ccurl_multi_remove(CURLM *multi, CURL *easy);
CURLMcode ccurl_multi_perform(CURLM *multi, int *running);
CURLMcode ccurl_multi_poll(CURLM *multi, int milliseconds);
CURLMcode ccurl_multi_wakeup(CURLM *multi);
CURLMsg *ccurl_multi_message(CURLM *multi, int *left);
// The result of a transfer that is done, from the union in a message.
CURLcode ccurl_result(const CURLMsg *message);

struct curl_slist *ccurl_slist_append(struct curl_slist *list, const char *text);
void ccurl_slist_free(struct curl_slist *list);

CURLU *ccurl_url(void);
void ccurl_url_cleanup(CURLU *url);
CURLUcode ccurl_url_set(CURLU *url, CURLUPart part, const char *text, unsigned flags);
CURLUcode ccurl_url_get(CURLU *url, CURLUPart part, char **text, unsigned flags);
void ccurl_free(void *memory);

#endif
