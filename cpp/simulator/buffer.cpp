// MTLBuffer, and what becomes of its bytes while a command buffer is in flight. A GPU works while
// the host goes on; a program that forgets to wait may still read the right numbers, by luck.
// Here it cannot: between commit and run the bytes are set aside and 0xA5 is seen in their place.
#include <cstdlib>
#include <cstring>

#include "simulator/metal.h"

namespace veem::software {

namespace {
constexpr char kPoison = '\xA5';  // also what fresh memory holds: nobody may rely on zeros
std::atomic<int64_t> allocated_bytes{0};
}  // namespace

Buffer::Buffer(NS::UInteger length, MTL::ResourceOptions options, void* memory)
    : Object(type()),
      data(static_cast<char*>(memory)),
      bytes(length),
      options(options),
      owned(!memory) {
  if (owned) {
    // Exact: what lies behind the last byte belongs to nobody. Aligned as a page, as in Metal.
    if (posix_memalign(reinterpret_cast<void**>(&data), 4096, length)) throw std::bad_alloc();
    memset(data, kPoison, length);
  }
  allocated_bytes += static_cast<int64_t>(length);
}

Buffer::~Buffer() {
  allocated_bytes -= static_cast<int64_t>(bytes);
  if (owned) free(data);
}

NS::UInteger Device::allocated() { return static_cast<NS::UInteger>(allocated_bytes); }

void* Buffer::contents() {
  if (storage_mode() == MTL::StorageModePrivate) misuse("the host cannot see private storage");
  return data;
}
MTL::StorageMode Buffer::storage_mode() {
  return static_cast<MTL::StorageMode>(options >> 4 & 15);  // MTLResourceStorageModeShift
}

// ---- in flight ----------------------------------------------------------------------------

void Buffer::hide() {
  aside_.assign(data, data + bytes);
  if (pending_writes_) memset(data, kPoison, bytes);
}

void Buffer::show(std::string* report) {
  for (NS::UInteger i = 0; i < bytes && report->empty(); ++i)
    if (data[i] != (pending_writes_ ? kPoison : aside_[i]))
      *report = "the host wrote byte " + std::to_string(i) + " of buffer '" +
                (label ? label->text : "") + "' of " + std::to_string(bytes) +
                " bytes while a command buffer that uses it was in flight: wait for it first";
  memcpy(data, aside_.data(), bytes);
}

void Buffer::commit(bool written) {
  std::string ignored;
  if (pending_++) show(&ignored);
  pending_writes_ += written;
  hide();
}

std::string Buffer::before_run() {
  std::string report;
  show(&report);
  return report;
}

void Buffer::after_run(bool written) {
  pending_writes_ -= written;
  if (--pending_) hide();
  else aside_ = {};
}

const Class& Buffer::type() {
  static const Class c(
      "MTLBuffer", &Object::type(), nullptr,
      {method<&Buffer::contents>("contents"), method<&Buffer::length>("length"),
       method<&Buffer::length>("allocatedSize"), method<&Buffer::did_modify>("didModifyRange:"),
       method<&Buffer::storage_mode>("storageMode"), method<&Buffer::get_label>("label"),
       method<&Buffer::set_label>("setLabel:")});
  return c;
}

}  // namespace veem::software
