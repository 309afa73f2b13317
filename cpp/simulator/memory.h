// The memory that a kernel may touch, and who has touched it: a cell for every few bytes tells
// the last writer and two readers, and from the barriers since then follows whether another
// access is ordered after them or races with them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace veem::simulator {

// One access, in a cell. Time is counted in barriers, over all threadgroups of a launch.
struct Record {
  uint32_t time = 0;  // 0: none
  uint32_t pc = 0;    // from the start of the library
  uint16_t thread = 0;
  bool atomic = false;
  uint32_t simd_time = 0;  // barriers of the thread's SIMD-group
};

struct Cell {
  Record writer, readers[2];
};

// The cells of a range of bytes, one for `unit` of them.
struct Shadow {
  char *begin, *end;
  int unit = 4;
  Cell* cells;
  Shadow(char* begin, char* end, int unit);
  ~Shadow();
  Shadow(const Shadow&) = delete;
  void refine(int smaller);
};

// Bytes that a pointer may reach.
struct Segment {
  enum Kind { Buffer, Threadgroup } kind;
  char *begin, *end;
  bool writable;
  std::string name;  // for reports
  Shadow* shadow;    // null: nobody writes it
  bool holds(const char* p, int64_t bytes) const { return p >= begin && p + bytes <= end; }
};

class Memory {
 public:
  ~Memory();
  Segment& add(Segment::Kind kind, char* data, int64_t bytes, bool writable, int unit,
               std::string name);
  // After all buffers are added: moves them far apart, so that no index past the end of one
  // meets another, and gives those that are written a shadow. What overlaps stays together.
  void move_apart();
  void move_back();
  // The segment with these bytes, or null.
  Segment* find(const char* p, int64_t bytes, bool write) {
    if (last_ && last_->holds(p, bytes) && (last_->writable || !write)) return last_;
    return search(p, bytes, write);
  }
  // What the address is near to, for reports: "byte 64 of x, which has 64".
  std::string describe(const char* p, bool size = true) const;
  // Threadgroup memory of this size, with a gap around it.
  char* allocate(int64_t bytes, int64_t alignment);
  int64_t threadgroup_bytes() const { return used_; }

 private:
  Segment* search(const char* p, int64_t bytes, bool write);
  std::vector<std::unique_ptr<Segment>> segments_;
  std::vector<std::unique_ptr<Shadow>> shadows_;
  std::vector<int> units_;
  struct Moved {
    char *from, *to;
    int64_t bytes;
    bool written;
  };
  std::vector<Moved> moved_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  Segment* last_ = nullptr;
  int64_t used_ = 0;
};

}  // namespace veem::simulator
