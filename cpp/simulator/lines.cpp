// The source line of an instruction, from the line-number programs (DWARF 4) of a library.
#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <tuple>

#include "simulator/module.h"

namespace veem::simulator {
namespace {

// Reads numbers of DWARF one after another.
struct Reader {
  const unsigned char *p, *end;
  template <class T> T get() {
    T value;
    std::memcpy(&value, p, sizeof value);
    p += sizeof value;
    return value;
  }
  uint64_t unsigned_leb() {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      unsigned char byte = *p++;
      value |= uint64_t(byte & 127) << shift;
      if (byte < 128) return value;
    }
  }
  int64_t signed_leb() {
    uint64_t value = 0;
    for (int shift = 0;;) {
      unsigned char byte = *p++;
      value |= uint64_t(byte & 127) << shift;
      shift += 7;
      if (byte < 128) return int64_t(value | (byte & 64 && shift < 64 ? ~uint64_t(0) << shift : 0));
    }
  }
  std::string string() {
    std::string s(reinterpret_cast<const char*>(p));
    p += s.size() + 1;
    return s;
  }
};

}  // namespace

void Module::read_lines() {
  read_ = true;
  std::ifstream in(path, std::ios::binary);
  std::string file((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  auto* bytes = reinterpret_cast<const unsigned char*>(file.data());
  auto* header = reinterpret_cast<const ElfW(Ehdr)*>(bytes);
  auto* sections = reinterpret_cast<const ElfW(Shdr)*>(bytes + header->e_shoff);
  const char* names = file.data() + sections[header->e_shstrndx].sh_offset;
  Reader r{nullptr, nullptr};
  for (int i = 0; i < header->e_shnum; ++i)
    if (std::strcmp(names + sections[i].sh_name, ".debug_line") == 0) {
      r.p = bytes + sections[i].sh_offset;
      r.end = r.p + sections[i].sh_size;
    }
  while (r.p < r.end) {  // a program for each compiled file
    const unsigned char* end = r.get<uint32_t>() + r.p;
    if (r.get<uint16_t>() != 4) {
      r.p = end;
      continue;
    }
    const unsigned char* program = r.get<uint32_t>() + r.p;
    int unit = r.get<uint8_t>();
    r.get<uint8_t>();  // operations per instruction
    r.get<uint8_t>();  // default of is_stmt
    int line_base = r.get<int8_t>(), line_range = r.get<uint8_t>(), special = r.get<uint8_t>();
    std::vector<int> operands(static_cast<size_t>(special));
    for (int i = 1; i < special; ++i) operands[size_t(i)] = r.get<uint8_t>();
    while (*r.p) r.string();  // folders
    ++r.p;
    int first_file = int(files_.size()) - 1;
    while (*r.p) {
      files_.push_back(r.string());
      for (int i = 0; i < 3; ++i) r.unsigned_leb();  // folder, time, size
    }
    r.p = program;
    Row row{0, 1, 1, false, 0};
    auto emit = [&](bool last) {
      rows_.push_back({row.address, first_file + row.file, row.line, last, 0});
    };
    while (r.p < end) {
      int op = r.get<uint8_t>();
      if (op >= special) {
        op -= special;
        row.address += uint64_t(op / line_range * unit);
        row.line += line_base + op % line_range;
        emit(false);
      } else if (op == 0) {  // extended
        uint64_t size = r.unsigned_leb();
        const unsigned char* next = r.p + size;
        int extended = r.get<uint8_t>();
        if (extended == 1) {
          emit(true);
          row = {0, 1, 1, false, 0};
        } else if (extended == 2) {
          row.address = r.get<uint64_t>();
        }
        r.p = next;
      } else if (op == 1) {
        emit(false);
      } else if (op == 2) {
        row.address += r.unsigned_leb() * uint64_t(unit);
      } else if (op == 3) {
        row.line += int(r.signed_leb());
      } else if (op == 4) {
        row.file = int(r.unsigned_leb());
      } else if (op == 8) {
        row.address += uint64_t((255 - special) / line_range * unit);
      } else if (op == 9) {
        row.address += r.get<uint16_t>();
      } else {
        for (int i = 0; i < operands[size_t(op)]; ++i) r.unsigned_leb();
      }
    }
    r.p = end;
  }
  for (size_t i = 0; i < rows_.size(); ++i) rows_[i].order = int(i);
  std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
    return std::tie(a.address, b.end, a.order) < std::tie(b.address, a.end, b.order);
  });
}

Line Module::line(const void* pc) {
  if (!read_) read_lines();
  uint64_t address = reinterpret_cast<uint64_t>(pc) - base - 1;
  auto after = std::upper_bound(rows_.begin(), rows_.end(), address,
                                [](uint64_t a, const Row& row) { return a < row.address; });
  while (after != rows_.begin()) {
    const Row& row = *--after;
    if (row.end) break;
    if (row.line && row.file >= 0) return {files_[size_t(row.file)], row.line};
  }
  return {"?", 0};
}

}  // namespace veem::simulator
