#include "simulator/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace veem::simulator {

Shadow::Shadow(char* b, char* e, int u) : begin(b), end(e), unit(u) {
  size_t count = size_t((e - b + u - 1) / u + 1);
  cells = static_cast<Cell*>(std::calloc(count, sizeof(Cell)));
  if (!cells) throw std::bad_alloc();
}
Shadow::~Shadow() { std::free(cells); }

// A smaller access than any before it: each cell becomes several.
void Shadow::refine(int smaller) {
  Shadow fine(begin, end, smaller);
  int64_t count = (end - begin + smaller - 1) / smaller;
  for (int64_t i = 0; i < count; ++i) fine.cells[i] = cells[i * smaller / unit];
  std::swap(cells, fine.cells);
  unit = smaller;
}

Segment& Memory::add(Segment::Kind kind, char* data, int64_t bytes, bool writable, int unit,
                     std::string name) {
  segments_.push_back(std::make_unique<Segment>(
      Segment{kind, data, data + bytes, writable, std::move(name), nullptr}));
  units_.push_back(std::max(1, std::min(unit, 4)));
  Segment& s = *segments_.back();
  if (kind == Segment::Threadgroup) {
    shadows_.push_back(std::make_unique<Shadow>(s.begin, s.end, units_.back()));
    s.shadow = shadows_.back().get();
  }
  return s;
}

namespace {
constexpr int64_t kApart = int64_t{1} << 30;  // addresses, not memory
constexpr int64_t kPage = 64 << 10;

int64_t pages(int64_t bytes) { return (bytes / kPage + 2) * kPage; }

// So many bytes at the same place in a page, and nothing to be touched around them.
char* map_apart(const char* like, int64_t bytes) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* p = mmap(nullptr, size_t(pages(bytes) + 2 * kApart), PROT_NONE, flags, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  char* inside = static_cast<char*>(p) + kApart;
  mprotect(inside, size_t(pages(bytes)), PROT_READ | PROT_WRITE);
  return inside + reinterpret_cast<uintptr_t>(like) % 4096;
}
void unmap(char* p, int64_t bytes) {
  munmap(p - reinterpret_cast<uintptr_t>(p) % 4096 - kApart, size_t(pages(bytes) + 2 * kApart));
}
}  // namespace

Memory::~Memory() {
  for (auto& m : moved_) unmap(m.to, m.bytes);
}

void Memory::move_back() {
  for (auto& m : moved_)
    if (m.written) std::memcpy(m.from, m.to, size_t(m.bytes));
}

void Memory::move_apart() {
  std::vector<size_t> order;
  for (size_t i = 0; i < segments_.size(); ++i)
    if (segments_[i]->kind == Segment::Buffer) order.push_back(i);
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return segments_[a]->begin < segments_[b]->begin; });
  for (size_t i = 0; i < order.size();) {
    char *begin = segments_[order[i]]->begin, *end = segments_[order[i]]->end;
    bool written = false;
    int unit = 4;
    size_t j = i;
    for (; j < order.size() && segments_[order[j]]->begin < end + (j == i); ++j) {
      Segment& s = *segments_[order[j]];
      end = std::max(end, s.end);
      written |= s.writable;
      unit = std::min(unit, units_[order[j]]);
    }
    char* to = map_apart(begin, end - begin);
    if (end > begin) std::memcpy(to, begin, size_t(end - begin));
    moved_.push_back({begin, to, end - begin, written});
    for (size_t k = i; k < j; ++k) {
      segments_[order[k]]->begin += to - begin;
      segments_[order[k]]->end += to - begin;
    }
    if (written) {
      shadows_.push_back(std::make_unique<Shadow>(to, to + (end - begin), unit));
      for (size_t k = i; k < j; ++k) segments_[order[k]]->shadow = shadows_.back().get();
    }
    i = std::max(j, i + 1);
  }
}

Segment* Memory::search(const char* p, int64_t bytes, bool write) {
  Segment* found = nullptr;
  for (auto& s : segments_)
    if (s->holds(p, bytes) && (!found || (s->writable && write))) found = s.get();
  if (found) last_ = found;
  return found;
}

std::string Memory::describe(const char* p, bool size) const {
  const Segment* near = nullptr;
  int64_t best = kApart / 2;
  for (auto& s : segments_) {
    int64_t distance = p < s->begin ? s->begin - p : p >= s->end ? p - s->end : 0;
    if (distance < best) best = distance, near = s.get();
  }
  if (!near)
    return p < reinterpret_cast<char*>(4096) ? "a null pointer"
                                             : "an address near nothing that is bound";
  std::string said = "byte " + std::to_string(p - near->begin) + " of " + near->name;
  if (size) said += ", which has " + std::to_string(near->end - near->begin) + " bytes";
  return said;
}

char* Memory::allocate(int64_t bytes, int64_t alignment) {
  constexpr int64_t kGap = 512;
  alignment = std::max<int64_t>(alignment, 16);
  blocks_.push_back(std::make_unique<char[]>(size_t(bytes + alignment + 2 * kGap)));
  auto at = reinterpret_cast<uintptr_t>(blocks_.back().get()) + kGap;
  at = (at + uintptr_t(alignment) - 1) / uintptr_t(alignment) * uintptr_t(alignment);
  used_ += bytes;
  return reinterpret_cast<char*>(at);
}

}  // namespace veem::simulator
