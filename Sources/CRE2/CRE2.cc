#include "CRE2.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstring>
#include <new>

struct cre2_pattern {
    RE2 regex;
};

namespace {

constexpr int kSpansOnStack = 32;

re2::StringPiece Piece(const uint8_t *text, size_t length) {
    return re2::StringPiece(reinterpret_cast<const char *>(text), length);
}

// RE2 distinguishes an unmatched group from an empty one by its null pointer, so the text itself
// must never have one.
const uint8_t *Present(const uint8_t *text) {
    static const uint8_t nothing = 0;
    return text == nullptr ? &nothing : text;
}

}  // namespace

extern "C" {

cre2_pattern *cre2_new(const char *text, size_t length, int64_t max_memory, char *message, size_t message_capacity) {
    RE2::Options options(RE2::Quiet);
    options.set_encoding(RE2::Options::EncodingUTF8);
    options.set_max_mem(max_memory);
    auto *pattern = new (std::nothrow) cre2_pattern{RE2(re2::StringPiece(text, length), options)};
    if (pattern != nullptr && pattern->regex.ok()) return pattern;
    const std::string why = pattern == nullptr ? "out of memory" : pattern->regex.error();
    if (message_capacity > 0) {
        const size_t count = std::min(why.size(), message_capacity - 1);
        std::memcpy(message, why.data(), count);
        message[count] = 0;
    }
    delete pattern;
    return nullptr;
}

void cre2_delete(cre2_pattern *pattern) { delete pattern; }

int cre2_group_count(const cre2_pattern *pattern) { return pattern->regex.NumberOfCapturingGroups(); }

void cre2_each_group_name(
    const cre2_pattern *pattern, void *state,
    void (*visit)(void *state, int index, const char *name, size_t length)) {
    for (const auto &entry : pattern->regex.CapturingGroupNames()) {
        visit(state, entry.first, entry.second.data(), entry.second.size());
    }
}

bool cre2_matches(const cre2_pattern *pattern, const uint8_t *text, size_t length) {
    return pattern->regex.Match(Piece(Present(text), length), 0, length, RE2::UNANCHORED, nullptr, 0);
}

bool cre2_find(
    const cre2_pattern *pattern, const uint8_t *text, size_t length, size_t from, cre2_span *spans, int count) {
    const uint8_t *start = Present(text);
    re2::StringPiece onStack[kSpansOnStack];
    re2::StringPiece *groups = count <= kSpansOnStack ? onStack : new (std::nothrow) re2::StringPiece[count];
    if (groups == nullptr) return false;
    const bool found = pattern->regex.Match(Piece(start, length), from, length, RE2::UNANCHORED, groups, count);
    if (found) {
        for (int i = 0; i < count; i++) {
            const char *at = groups[i].data();
            spans[i].start = at == nullptr ? -1 : at - reinterpret_cast<const char *>(start);
            spans[i].length = static_cast<ptrdiff_t>(groups[i].size());
        }
    }
    if (groups != onStack) delete[] groups;
    return found;
}

}  // extern "C"
