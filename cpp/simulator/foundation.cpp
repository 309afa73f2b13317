#include "simulator/foundation.h"

namespace veem::software {

// ---- NSString -----------------------------------------------------------------------------

String* String::with_string(const String* other) { return autoreleased(new String(other->text)); }
String* String::with_c_string(const char* text, NS::StringEncoding encoding) {
  return autoreleased((new String)->init_with_c_string(text, encoding));
}
String* String::init_with_string(const String* other) {
  text = other->text;
  return this;
}
String* String::init_with_c_string(const char* c, NS::StringEncoding encoding) {
  if (encoding != NS::UTF8StringEncoding && encoding != NS::ASCIIStringEncoding)
    misuse("software Metal knows the encodings UTF-8 and ASCII");
  if (!c) misuse("the text is null");
  text = c;
  return this;
}
NS::UInteger String::length() {
  NS::UInteger units = 0;
  for (unsigned char c : text) units += (c & 0xC0) != 0x80 ? (c >= 0xF0 ? 2 : 1) : 0;
  return units;
}
String* String::appending(const String* other) {
  return autoreleased(new String(text + other->text));
}

const Class& String::type() {
  static const Class c(
      "NSString", &Object::type(), &create<String>,
      {method<&String::init_with_string>("initWithString:"),
       method<&String::init_with_c_string>("initWithCString:encoding:"),
       method<&String::utf8>("UTF8String"), method<&String::c_string>("cStringUsingEncoding:"),
       method<&String::length>("length"), method<&String::bytes>("lengthOfBytesUsingEncoding:"),
       method<&String::equals>("isEqualToString:"),
       method<&String::appending>("stringByAppendingString:")},
      {method<&String::make>("string"), method<&String::with_string>("stringWithString:"),
       method<&String::with_c_string>("stringWithCString:encoding:")});
  return c;
}

// ---- NSError ------------------------------------------------------------------------------

Error::Error(const char* domain, NS::Integer code, std::string description)
    : Object(type()),
      domain(new String(domain)),
      text(new String(std::move(description))),
      code(code) {
  this->domain->release();  // only the field refers to it now
  text->release();
}

const Class& Error::type() {
  static const Class c("NSError", &Object::type(), nullptr,
                       {method<&Error::get_code>("code"), method<&Error::get_domain>("domain"),
                        method<&Error::localized_description>("localizedDescription")});
  return c;
}

// ---- NSArray ------------------------------------------------------------------------------

Array* Array::with_objects(const Object* const* objects, NS::UInteger count) {
  auto* a = new Array;
  for (NS::UInteger i = 0; i < count; ++i)
    a->items.emplace_back(checked(objects[i], Object::type()));
  return autoreleased(a);
}
Object* Array::at(NS::UInteger index) {
  if (index >= items.size()) misuse("index ", index, " of an array of ", items.size());
  return items[index].get();
}

const Class& Array::type() {
  static const Class c("NSArray", &Object::type(), &create<Array>,
                       {method<&Array::count>("count"), method<&Array::at>("objectAtIndex:")},
                       {method<&Array::with_objects>("arrayWithObjects:count:")});
  return c;
}

// ---- NSAutoreleasePool --------------------------------------------------------------------

static thread_local std::vector<AutoreleasePool*> pools;  // of this thread, innermost last

AutoreleasePool* AutoreleasePool::current() { return pools.empty() ? nullptr : pools.back(); }

Object* AutoreleasePool::start() {
  pools.push_back(this);
  return this;
}

AutoreleasePool::~AutoreleasePool() {
  // A pool that ends before the pools inside it ends those too, as in Objective-C.
  while (!pools.empty()) {
    AutoreleasePool* inner = pools.back();
    pools.pop_back();
    if (inner == this) break;
    inner->release();
  }
  for (Object* o : objects) o->release();
}

const Class& AutoreleasePool::type() {
  static const Class c(
      "NSAutoreleasePool", &Object::type(), &create<AutoreleasePool>,
      {method<&AutoreleasePool::start>("init"), method<&AutoreleasePool::release>("drain"),
       method<&AutoreleasePool::add>("addObject:")});
  return c;
}

}  // namespace veem::software
