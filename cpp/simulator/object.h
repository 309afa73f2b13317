// Objective-C in small: classes as tables of methods, reference counts, autorelease pools. An
// object of Apple's headers, an MTL::Buffer* say, is a pointer to one of the structs below Object.
#pragma once

#include <atomic>
#include <cstdint>
#include <sstream>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/error.h"
#include "simulator/live.h"
#include "simulator/objc.h"

namespace veem::software {

struct Object;

struct Method {
  const char* selector;
  Code code;
  const std::type_info* types;
};

struct Class {
  // `create` makes an object for alloc; null where only methods of others make one.
  Class(const char* name, const Class* parent, Object* (*create)(),
        std::initializer_list<Method> methods, std::initializer_list<Method> class_methods = {});
  const Method* find(SEL selector) const;
  bool is_a(const Class& other) const;

  std::string name;
  const Class* parent;
  Object* (*create)();
  std::unordered_map<SEL, Method> methods, class_methods;
  mutable std::atomic<int64_t> live{0};  // objects
};

struct Object {
  explicit Object(const Class& isa);
  virtual ~Object() = default;
  Object(const Object&) = delete;

  Object* retain();
  void release();
  void keep() { ++kept; }  // by another object of Metal's
  void drop();
  Object* autorelease();
  uintptr_t retain_count() { return static_cast<uintptr_t>(refs); }
  Object* init() { return this; }
  bool responds_to(SEL selector) { return isa.find(selector); }
  Object* method_signature(SEL) { return nullptr; }
  uintptr_t hash() { return reinterpret_cast<uintptr_t>(this); }
  bool is_equal(const Object* other) { return this == other; }
  virtual Object* description();
  static const Class& type();

  const Class& isa;
  std::atomic<int64_t> refs{1}, kept{0};  // the program's references, and Metal's own

 private:
  void die();
};

// A reference from one object of Metal's to another.
template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(T* object) : object_(object) {
    if (object_) object_->keep();
  }
  Ref(const Ref& o) : Ref(o.object_) {}
  Ref(Ref&& o) noexcept : object_(std::exchange(o.object_, nullptr)) {}
  Ref& operator=(Ref o) noexcept {
    std::swap(object_, o.object_);
    return *this;
  }
  ~Ref() {
    if (object_) object_->drop();
  }
  T* get() const { return object_; }
  T* operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

template <class T>
T* autoreleased(T* object) {
  object->autorelease();
  return object;
}

// The object of this class that a pointer from outside must be; raises when it is not.
Object* checked(const void* pointer, const Class& type);
// "-[MTLBuffer contents]", of the message that this thread sent last.
std::string current_message();

// Reports a wrong use of Metal, which Apple's debug layer would stop the program at.
template <class... Parts>
[[noreturn]] void misuse(const Parts&... parts) {
  std::ostringstream text;
  text << "simulated Metal: " << current_message() << ": ";
  (text << ... << parts);
  throw ::veem::Error(ErrorKind::Runtime, text.str());
}

// ---- methods: a member function as what a message calls -----------------------------------

template <class T>
constexpr bool is_our_object = false;
template <class T>
constexpr bool is_our_object<T*> = std::is_base_of_v<Object, T>;

template <class T>
T from_wire(Wire<T> value) {
  using Target = std::remove_cv_t<std::remove_pointer_t<T>>;
  if constexpr (is_our_object<T>)
    return value ? static_cast<Target*>(checked(value, Target::type())) : nullptr;
  else if constexpr (std::is_same_v<T, Wire<T>>) return value;
  else return reinterpret_cast<T>(value);
}

template <auto f> struct Send;
template <class T, class R, class... A, R (T::*f)(A...)>
struct Send<f> {
  static Wire<R> call(const void* self, SEL, Wire<A>... args) {
    T* object = static_cast<T*>(static_cast<Object*>(const_cast<void*>(self)));
    return (object->*f)(from_wire<A>(args)...);
  }
  static const std::type_info& types() { return typeid(Wire<R>(Wire<A>...)); }
};
template <class R, class... A, R (*f)(A...)>
struct Send<f> {  // of a class
  static Wire<R> call(const void*, SEL, Wire<A>... args) { return f(from_wire<A>(args)...); }
  static const std::type_info& types() { return typeid(Wire<R>(Wire<A>...)); }
};

template <auto f>
Method method(const char* selector) {
  return {selector, reinterpret_cast<Code>(&Send<f>::call), &Send<f>::types()};
}
template <class T>
Object* create() {
  return new T;
}

}  // namespace veem::software
