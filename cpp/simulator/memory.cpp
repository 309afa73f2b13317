#include "simulator/memory.h"

#include <algorithm>
#include <cstdlib>
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

void Memory::make_shadows() {
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
    if (written) {
      shadows_.push_back(std::make_unique<Shadow>(begin, end, unit));
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
  int64_t best = 1 << 20;
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
