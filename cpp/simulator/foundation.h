// The classes of Foundation that Metal's interface needs.
#pragma once

#include <Foundation/Foundation.hpp>

#include <string>
#include <vector>

#include "simulator/object.h"

namespace veem::software {

struct String : Object {
  explicit String(std::string text = "") : Object(type()), text(std::move(text)) {}
  static String* make() { return autoreleased(new String); }
  static String* with_string(const String* other);
  static String* with_c_string(const char* text, NS::StringEncoding encoding);
  String* init_with_string(const String* other);
  String* init_with_c_string(const char* text, NS::StringEncoding encoding);
  const char* utf8() { return text.c_str(); }
  const char* c_string(NS::StringEncoding) { return text.c_str(); }
  NS::UInteger length();  // in UTF-16 units
  NS::UInteger bytes(NS::StringEncoding) { return text.size(); }
  bool equals(const String* other) { return other && text == other->text; }
  String* appending(const String* other);
  Object* description() override { return this; }
  static const Class& type();

  std::string text;
};

struct Error : Object {
  Error(const char* domain, NS::Integer code, std::string description);
  NS::Integer get_code() { return code; }
  String* get_domain() { return domain.get(); }
  String* localized_description() { return text.get(); }
  Object* description() override { return text.get(); }
  static const Class& type();

  Ref<String> domain, text;
  NS::Integer code;
};

struct Array : Object {
  Array() : Object(type()) {}
  static Array* with_objects(const Object* const* objects, NS::UInteger count);
  NS::UInteger count() { return items.size(); }
  Object* at(NS::UInteger index);
  static const Class& type();

  std::vector<Ref<Object>> items;
};

// Objects to release when it is drained or released. Each thread has a stack of them.
struct AutoreleasePool : Object {
  AutoreleasePool() : Object(type()) {}
  ~AutoreleasePool() override;
  Object* start();  // init
  void add(Object* object) { objects.push_back(object); }
  static AutoreleasePool* current();
  static const Class& type();

  std::vector<Object*> objects;
};

}  // namespace veem::software
