// A translated library in memory, and the lines of its source.
#pragma once

#include "simulator/engine.h"
#include "simulator/msl/abi.h"

namespace veem::simulator {

struct Line {
  std::string file;
  int line = 0;
};

struct Module {
  std::string path, source;
  void* handle = nullptr;
  uint64_t base = 0, bytes = 0;  // where it is loaded
  veem_msl::Library* raw = nullptr;

  bool holds(const void* p) const { return reinterpret_cast<uint64_t>(p) - base < bytes; }
  Line line(const void* pc);  // of the instruction before this address

 private:
  struct Row {
    uint64_t address;
    int file, line;
    bool end;   // of a sequence
    int order;  // in the program
  };
  void read_lines();
  bool read_ = false;
  std::vector<Row> rows_;  // sorted by address
  std::vector<std::string> files_;
};

// The engine's side of msl/abi.h.
veem_msl::Hooks hooks();

}  // namespace veem::simulator
